"""S7: what the user has given is on no command line but the user's own, and in no file."""

import threading
from pathlib import Path

import pytest

from tests.e2e.bench import KB, Bench
from tests.support import proc
from tests.support.behaviours import Held, Right
from tests.support.proxy import Proxy
from tests.support.streams import Aes

pytestmark = pytest.mark.processes

SECRET = "hush-hush"
KEY = b"hush-hush-hush-h"


def test_of_a_run_under_way(bench: Bench, tmp_path: Path) -> None:
    """Command lines of children, temp files, the journal: none of them has a secret in it."""
    stream = bench.serve([100 * KB] * 12, aes=Aes())
    text = stream.playlist_path.read_text()
    for path in (*stream.segments, *stream.keys):
        text = text.replace(path.name, f"{path.name}?token={SECRET}")
    cookie = Right(text, {"Set-Cookie": f"session={SECRET}; Path=/"})
    bench.origin.behave("/video.m3u8", cookie)
    gate = threading.Event()
    bench.origin.behave("/segment00003.ts", Held(gate))
    bench.url = bench.url.replace("//", f"//user:{SECRET}@") + f"?token={SECRET}"
    with Proxy(credentials=f"user:{SECRET}") as proxy:
        options = ["-H", f"X-Api-Key: {SECRET}", "--proxy", proxy.url(f"user:{SECRET}")]
        with bench.start(*options, "-c", "--memory-threshold", "1", "-v") as running:
            running.wait_stored(3)
            lines = [proc.command_line(pid) for pid in running.children()]
            files = {
                path.name: path.read_bytes()
                for path in bench.workspace.root.rglob("*")
                if path.is_file()
            }
            gate.set()
            run = running.wait()

    bench.check_right(run)
    assert len(lines) >= 2
    assert SECRET not in str(lines)
    assert {"video.ts.part", "video.ts.part.journal"} <= files.keys()
    assert [name for name, content in files.items() if SECRET.encode() in content] == []


@pytest.mark.parametrize("how", ["option", "variable"])
def test_a_key_of_the_users_own(how: str, bench: Bench) -> None:
    """It is told to those who decrypt, and to nobody else."""
    bench.serve([100 * KB], aes=Aes())  # any other segment would end the run while this is held
    gate = threading.Event()
    bench.origin.behave("/segment00000.ts", Held(gate))
    options = ["--key", KEY.hex()] if how == "option" else []
    bench.workspace.env["HLSPIPE_FETCH_KEY"] = KEY.hex()
    with bench.start(*options, "-v", "--retries", "0") as running:
        bench.origin.wait_for("/segment00000.ts")
        running.wait_until(lambda: len(running.children()) >= 2, "a downloader and the storage")
        lines = [proc.command_line(pid) for pid in running.children()]
        gate.set()
        run = running.wait()

    assert run.exit_code == 5
    shown = str(lines) + run.stdout + run.stderr
    assert KEY.hex() not in shown
    assert KEY.decode() not in shown
