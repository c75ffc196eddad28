"""nginx over a directory, on a free loopback port: for runs that move hundreds of megabytes."""

import contextlib
import shutil
import socket
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Self

from tests.support import proc

_CONFIGURATION = """
daemon off;
master_process off;
pid {prefix}/nginx.pid;
error_log {prefix}/error.log warn;
events {{ worker_connections 1024; }}
http {{
    types {{
        application/vnd.apple.mpegurl m3u8;
        video/mp2t ts;
        video/iso.segment m4s;
        video/mp4 mp4;
    }}
    default_type application/octet-stream;
    log_format requests '$request_method $request_uri $status $body_bytes_sent';
    access_log {log};
    sendfile on;
    tcp_nopush on;
    keepalive_requests 1000000;
    keepalive_timeout 60s;
    client_body_temp_path {prefix}/body;
    proxy_temp_path {prefix}/proxy;
    fastcgi_temp_path {prefix}/fastcgi;
    uwsgi_temp_path {prefix}/uwsgi;
    scgi_temp_path {prefix}/scgi;
    server {{
        listen {host}:{port};
        root {root};
        {extra}
    }}
}}
"""


class Nginx:
    """A running nginx in one process; as a context manager it is stopped at the end.

    `extra` is put into the server block ("limit_rate 10m;", say). `log` keeps a line per request:
    method, path, status and body bytes. `within` is put before the command: what starts it at
    another `host` than this one.
    """

    def __init__(
        self,
        root: Path,
        prefix: Path,
        *,
        extra: str = "",
        log: bool = False,
        host: str = "127.0.0.1",
        within: Sequence[str] = (),
    ) -> None:
        self.root = root.resolve()
        self.prefix = prefix.resolve()
        self._extra = extra
        self._log = log
        self._host = host
        self._within = within
        self.port = 0
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def url(self, path: str) -> str:
        """The absolute URL of `path`."""
        return f"http://{self._host}:{self.port}/{path.lstrip('/')}"

    def start(self) -> None:
        """Start it, and return when it answers; a port that is taken meanwhile is given up."""
        self.prefix.mkdir(parents=True, exist_ok=True)
        for _ in range(5):
            self.port = _free_port()
            if self._try_port():
                return
            self.stop()
        raise RuntimeError(f"nginx does not start: {self.errors}")

    def stop(self) -> None:
        """Stop it and wait for its end."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait()
            self._process = None

    @property
    def errors(self) -> str:
        """What it complained about."""
        path = self.prefix / "error.log"
        return path.read_text(errors="replace") if path.exists() else ""

    @property
    def requests(self) -> list[str]:
        """The access log's lines (`log=True`)."""
        return (self.prefix / "access.log").read_text().splitlines()

    def _try_port(self) -> bool:
        configuration = self.prefix / "nginx.conf"
        log = f"{self.prefix}/access.log requests" if self._log else "off"
        configuration.write_text(
            _CONFIGURATION.format(
                prefix=self.prefix,
                root=self.root,
                host=self._host,
                port=self.port,
                extra=self._extra,
                log=log,
            )
        )
        command = [_program(), "-p", self.prefix, "-e", self.prefix / "error.log"]
        self._process = subprocess.Popen(
            [*self._within, *command, "-c", configuration],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        address = (self._host, self.port)
        for _ in proc.polled(10):
            if self._process.poll() is not None:
                return False
            with contextlib.suppress(OSError), socket.create_connection(address):
                return self._process.poll() is None
        return False


def _program() -> str:
    found = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin:/usr/local/sbin")
    if found is None:
        raise RuntimeError("nginx is not installed (scripts/test installs it)")
    return found


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
        return port
