"""The remuxer process: merged streams into another container, and nothing left if it is orphaned.

It starts with the run and waits. The end of its instructions is the end of the supervisor: unless
the work is to be kept, the directory with the sources and the unfinished output go then.

FFmpeg parses hostile input in here: if that crashes or hangs, it takes this process only.
"""

import subprocess
import threading
from collections.abc import Callable
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from selectors import EVENT_READ, DefaultSelector
from typing import Any

from pipeline.errors import RemuxFailed, ScarcityError
from pipeline.media.sniffing import demuxer
from pipeline.media.tracks import Chapter, RemuxPlan, Source, language_code
from pipeline.processes import messages
from pipeline.processes.channel import Receiver, Sender
from pipeline.processes.child import tell_crash
from pipeline.processes.scarcity import start_thread
from pipeline.store.workdir import forget_work

#: Storage may still be removing its own files in there: tried again for so many seconds.
_CLEANING_SECONDS = 3.0

_FORMATS = {"mp4": "mp4", "m4a": "ipod", "mkv": "matroska"}


def run(setup: dict[str, Any], reports: Sender) -> None:
    """Carry out orders until there is nobody to give them; then clean up, whatever goes on."""
    receiver = Receiver(setup["instructions"])
    if setup["ready"]:
        with suppress(ScarcityError):  # it is for speed alone
            start_thread(threading.Thread(target=_get_ready, daemon=True))
    with DefaultSelector() as selector:
        selector.register(receiver, EVENT_READ)
        while not receiver.closed:
            selector.select()
            for order in receiver.receive():
                work = threading.Thread(target=_carry_out, args=(order, reports), daemon=True)
                start_thread(work)
    if not setup["keep"]:
        forget_work(Path(setup["output"]), _CLEANING_SECONDS)


def _get_ready() -> None:
    """Import what takes a quarter of a second, while there is nothing else to do."""
    with suppress(Exception):  # said when there is an order
        import_module("pipeline.media.remux")


def _carry_out(order: messages.Remux, reports: Sender) -> None:
    """Do it, and say how it went. The process stays: it may be all that is left to clean up."""
    try:
        reports.send(_done(order, reports))
    except BaseException as error:  # noqa: BLE001  (told to the supervisor, whatever it is)
        tell_crash(reports, "remuxer", error)


def _done(order: messages.Remux, reports: Sender) -> messages.RemuxDone:
    plan = plan_of(order)

    def progress(done: int, total: int) -> None:
        reports.send(messages.RemuxProgressed(done, total))

    if order.tool != "pyav":
        _run_ffmpeg(order.tool, plan, progress)
        return messages.RemuxDone(0.0, 0, _left_undone(plan))
    # Imported late: libraries of 100 MB that no other process needs.
    from pipeline.media.remux import remux  # noqa: PLC0415

    done = remux(plan, progress)
    return messages.RemuxDone(done.duration, done.tracks, list(done.warnings))


def plan_of(order: messages.Remux) -> RemuxPlan:
    """The order as the value that `media.remux` takes."""
    sources = tuple(
        Source(Path(path), kind, language, name, default, tuple(breaks))
        for path, kind, language, name, default, breaks in order.sources
    )
    chapters = tuple(Chapter(*each) for each in order.chapters)
    output = Path(order.output)
    return RemuxPlan(sources, output, order.container, chapters, order.may_consume)


def ffmpeg_command(program: str, plan: RemuxPlan) -> list[str]:
    """The command line: local files alone are opened, and nothing in it is the server's text."""
    command = [program, "-nostdin", "-v", "error", "-y", "-progress", "pipe:1"]
    for source in plan.sources:
        # Its own guess would take playlists as well, and those open other files.
        kind = "webvtt" if source.kind == "subtitles" else demuxer(source.path)
        command += ["-protocol_whitelist", "file,pipe", "-f", kind]
        command += ["-i", f"file:{source.path.absolute()}"]
    maps = [("-map", str(number)) for number in range(len(plan.sources))]
    command += [word for pair in maps for word in pair]
    command += ["-map", "-0:d", "-c", "copy", "-map_metadata", "-1"]
    if plan.container != "mkv":
        command += ["-movflags", "+faststart", "-c:s", "mov_text"]
    if plan.container == "m4a":
        command += ["-vn"]
    audios = [one for one in plan.sources if one.kind == "audio" and one.language]
    if len(audios) == 1 == len(plan.sources) - 1:
        command += ["-metadata:s:a:0", f"language={language_code(audios[0].language)}"]
    return [*command, "-f", _FORMATS[plan.container], f"file:{plan.output.absolute()}"]


def _left_undone(plan: RemuxPlan) -> list[str]:
    """What the program does not do, and PyAV would have done."""
    warnings = []
    if any(source.breaks for source in plan.sources):
        warnings.append("ffmpeg joins the parts as they are: behind a discontinuity, expect faults")
    if plan.chapters:
        warnings.append("ffmpeg is told of no chapters: they were left out")
    return [f"{warning} (hlspipe[mp4] does better)" for warning in warnings]


def _run_ffmpeg(program: str, plan: RemuxPlan, progress: Callable[[int, int], None]) -> None:
    """Have the program do it. Raises RemuxFailed."""
    total = sum(source.path.stat().st_size for source in plan.sources)
    with subprocess.Popen(  # noqa: S603  (no text of a server is in the command)
        ffmpeg_command(program, plan),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        preexec_fn=_die_with_us,  # noqa: PLW1509  (nothing else runs yet but a thread that waits)
    ) as process:
        assert process.stdout is not None  # noqa: S101  (asked for above)
        for line in process.stdout:
            name, _, value = line.strip().partition("=")
            if name == "total_size" and value.isdigit():
                progress(min(int(value), total), total)
    if process.returncode:
        raise RemuxFailed(f"ffmpeg could not write {plan.container} (exit {process.returncode})")


def _die_with_us() -> None:
    import ctypes  # noqa: PLC0415  (Linux alone has the call)
    import signal  # noqa: PLC0415
    import sys  # noqa: PLC0415

    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(1, signal.SIGKILL)
