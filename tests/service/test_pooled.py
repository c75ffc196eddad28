"""The daemon's engine: many downloads over one set of processes, in a thread of its own."""

import os
import signal
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline.errors import HlspipeError, ProcessDiedError, RemuxFailed, StoppedError
from pipeline.options import FetchOptions, HttpOptions
from pipeline.service.engine import Ended, EngineEvent
from pipeline.service.pooled import PooledEngine
from tests.support import proc
from tests.support.behaviours import Late
from tests.support.origin import Origin
from tests.support.streams import Aes, Stream, build, sha256_of

pytestmark = pytest.mark.processes

KB = 1 << 10
OPTIONS = FetchOptions(http=HttpOptions(retries=1, retry_sleep=0.01), resume=True)


class Heard:
    """What the engine has told."""

    def __init__(self) -> None:
        self.events: list[EngineEvent] = []
        self._changed = threading.Condition()

    def __call__(self, event: EngineEvent) -> None:
        with self._changed:
            self.events.append(event)
            self._changed.notify_all()

    def ended(self, *keys: int) -> dict[int, Ended]:
        """How these downloads ended; waits for all of them."""
        with self._changed:
            assert self._changed.wait_for(lambda: set(keys) <= set(self._ends()), 60)
            return self._ends()

    def _ends(self) -> dict[int, Ended]:
        return {event.key: event for event in self.events if isinstance(event, Ended)}


@pytest.fixture
def stream(tmp_path: Path) -> Stream:
    """A small stream."""
    return build(tmp_path / "stream", [50 * KB] * 8, aes=Aes())


@pytest.fixture
def served(stream: Stream) -> Iterator[Origin]:
    """A server that has it."""
    with Origin() as origin:
        origin.serve_directory(stream.directory)
        yield origin


@pytest.fixture
def heard() -> Heard:
    """A listener."""
    return Heard()


@pytest.fixture
def engine(heard: Heard) -> Iterator[PooledEngine]:
    """An engine, closed at the end."""
    found = PooledEngine(heard, OPTIONS)
    yield found
    found.close(keep=False)
    assert proc.descendants(os.getpid()) == []


def test_downloads_share_the_processes(
    engine: PooledEngine, heard: Heard, served: Origin, stream: Stream, tmp_path: Path
) -> None:
    """All of them are complete, also one that comes when the others have ended."""
    for key in range(5):
        engine.submit(key, served.url("/video.m3u8"), str(tmp_path / f"{key}.ts"), OPTIONS, 0)
    heard.ended(*range(5))
    engine.submit(5, served.url("/video.m3u8"), str(tmp_path / "5.ts"), OPTIONS, 0)
    ends = heard.ended(5)

    assert [ends[key].error for key in range(6)] == [None] * 6
    assert all(sha256_of(tmp_path / f"{key}.ts") == stream.sha256 for key in range(6))
    receipt = ends[0].receipt
    assert receipt is not None
    assert (receipt.status.value, receipt.segments.stored) == ("complete", 8)


def test_an_output_that_is_remuxed(
    engine: PooledEngine, heard: Heard, served: Origin, tmp_path: Path
) -> None:
    """By its name; streams of which no such file can be made are kept, and fail for good."""
    made = ["-f", "lavfi", "-i", "testsrc=s=160x90:d=2", "-c:v", "libx264", "-f", "hls"]
    command = ["ffmpeg", "-v", "error", *made, tmp_path / "stream" / "real.m3u8"]
    subprocess.run(command, check=True)
    engine.submit(1, served.url("/real.m3u8"), str(tmp_path / "1.mp4"), OPTIONS, 0)
    engine.submit(2, served.url("/video.m3u8"), str(tmp_path / "2.mp4"), OPTIONS, 0)
    ends = heard.ended(1, 2)

    assert ends[1].error is None
    assert ends[1].receipt is not None
    assert (ends[1].receipt.container, ends[1].receipt.remuxed_by) == ("mp4", "pyav")
    assert (tmp_path / "1.mp4").read_bytes()[4:8] == b"ftyp"
    assert isinstance(ends[2].error, RemuxFailed)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["1.mp4", "2.ts", "stream"]


def test_an_output_that_is_remuxed_and_cancelled(
    engine: PooledEngine, heard: Heard, served: Origin, tmp_path: Path
) -> None:
    """What has been fetched stays for a later attempt."""
    served.behave("/segment*", Late(0.1))
    engine.submit(1, served.url("/video.m3u8"), str(tmp_path / "1.mp4"), OPTIONS, 0)
    served.wait_for("/segment00006.ts")
    engine.cancel(1, keep=True)

    assert isinstance(heard.ended(1)[1].error, StoppedError)
    assert sorted(path.name for path in tmp_path.iterdir()) == [".1.mp4.work", "stream"]


def test_each_fails_alone(
    engine: PooledEngine, heard: Heard, served: Origin, tmp_path: Path
) -> None:
    """With the error that it would have had alone."""
    engine.submit(1, served.url("/none.m3u8"), str(tmp_path / "1.ts"), OPTIONS, 0)
    engine.submit(2, served.url("/video.m3u8"), str(tmp_path / "2.ts"), OPTIONS, 0)
    engine.submit(3, "nonsense://x", str(tmp_path / "3.ts"), OPTIONS, 0)
    ends = heard.ended(1, 2, 3)

    assert isinstance(ends[1].error, HlspipeError)
    assert isinstance(ends[3].error, HlspipeError)
    assert ends[2].error is None


def test_cancelled(engine: PooledEngine, heard: Heard, served: Origin, tmp_path: Path) -> None:
    """One of two ends before its time; what it has written stays for a later attempt."""
    served.behave("/segment*", Late(0.1))
    for key in (1, 2):
        engine.submit(key, served.url("/video.m3u8"), str(tmp_path / f"{key}.ts"), OPTIONS, 0)
    served.wait_for("/segment00006.ts")
    engine.cancel(1, keep=True)
    ends = heard.ended(1, 2)

    assert isinstance(ends[1].error, StoppedError)
    assert ends[2].error is None
    assert not (tmp_path / "1.ts").exists()


def test_storage_that_dies(
    engine: PooledEngine, heard: Heard, served: Origin, stream: Stream, tmp_path: Path
) -> None:
    """The attempts under way have failed, and the next one goes on with new processes."""
    served.behave("/segment*", Late(0.1))
    output = str(tmp_path / "1.ts")
    engine.submit(1, served.url("/video.m3u8"), output, OPTIONS, 0)
    served.wait_for("/segment00004.ts")
    (storage,) = [pid for pid in proc.descendants(os.getpid()) if proc.has_role(pid, "storage")]
    os.kill(storage, signal.SIGKILL)
    assert isinstance(heard.ended(1)[1].error, ProcessDiedError)
    heard.events.clear()
    engine.submit(1, served.url("/video.m3u8"), output, OPTIONS, 0)

    assert heard.ended(1)[1].error is None
    assert sha256_of(Path(output)) == stream.sha256


def test_it_answers(engine: PooledEngine, served: Origin, tmp_path: Path) -> None:
    """Idle or at work, its thread is asked and says so."""
    served.behave("/segment*", Late(0.2))
    for begin in (False, True):
        if begin:
            engine.submit(1, served.url("/video.m3u8"), str(tmp_path / "1.ts"), OPTIONS, 0)
            served.wait_for("/segment00000.ts")
        answered = threading.Event()
        engine.ask(answered.set)

        assert answered.wait(10)
