import socket
from pathlib import Path

import pytest
import requests

from tests.support.nginx import Nginx


def test_it_serves_a_directory_and_stops(stream_dir: Path, tmp_path: Path) -> None:
    """Files come with their types and ranges, requests are logged, and the end is an end."""
    (stream_dir / "a.ts").write_bytes(b"0123456789")
    with Nginx(stream_dir, tmp_path / "nginx", log=True) as nginx, requests.Session() as session:
        session.trust_env = False
        whole = session.get(nginx.url("/a.ts"))
        part = session.get(nginx.url("a.ts"), headers={"Range": "bytes=2-3"})
        port = nginx.port

    assert (whole.content, whole.headers["Content-Type"]) == (b"0123456789", "video/mp2t")
    assert (part.status_code, part.content) == (206, b"23")
    assert nginx.requests == ["GET /a.ts 200 10", "GET /a.ts 206 2"]
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port))


def test_two_run_side_by_side(nginx: Nginx, stream_dir: Path, tmp_path: Path) -> None:
    """Each takes a port of its own, and may limit its rate."""
    with Nginx(stream_dir, tmp_path / "slow", extra="limit_rate 10m;") as other:
        assert other.port != nginx.port
