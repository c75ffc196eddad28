"""What a run does to files, as strace sees it.

    trace = Trace(tmp_path / "trace")
    space.run("fetch", url, "-o", "video.ts", prefix=trace.prefix)
    assert trace.written() == {space.cwd / "video.ts.part"}
    assert not trace.mentions(canary)

Each process is traced into a file of its own; `calls` puts them in order of time. A traced run is
several times slower.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

#: What touches names and durability; not read and write, which would be all of the log.
_CALLS = "%file,fsync,fdatasync,fallocate,ftruncate,memfd_create"

_LINE = re.compile(r"(?P<time>[\d.]+) (?P<name>\w+)\((?P<arguments>.*)\)\s+= (?P<result>.+)")
_OPENED = re.compile(r"\d+<(?P<path>/.*)>")
_WRITING = re.compile(r"O_WRONLY|O_RDWR|O_CREAT|O_TRUNC|O_TMPFILE")
#: No files of anybody's: devices, the kernel's views, memory without a name.
_NO_FILES = ("/dev/null", "/dev/tty", "/dev/pts/", "/dev/urandom", "/proc/", "/sys/", "/memfd:")


@dataclass(frozen=True, order=True)
class Call:
    """One system call that came back."""

    time: float
    pid: int
    name: str = field(compare=False)
    arguments: str = field(compare=False)
    result: str = field(compare=False)

    @property
    def failed(self) -> bool:
        """The kernel said no."""
        return self.result.startswith("-1")

    @property
    def opened(self) -> Path | None:
        """The file that the call opened, if that is what it did."""
        found = _OPENED.match(self.result)
        if found is None or found["path"].startswith(_NO_FILES):
            return None
        return Path(found["path"].removesuffix(" (deleted)"))


class Trace:
    """A directory for the logs of one run."""

    def __init__(self, directory: Path) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self.directory = directory

    @property
    def prefix(self) -> tuple[str, ...]:
        """What stands before the traced command."""
        output = str(self.directory / "trace")
        options = ("-y", "-ttt", "-s", "4096", "-e", f"trace={_CALLS}", "-e", "signal=none")
        return ("strace", "-f", "-ff", "-qq", *options, "-o", output)

    def calls(self, *names: str) -> list[Call]:
        """The calls with these names (all without), in order of time, failed ones included."""
        return sorted(call for call in self._read() if not names or call.name in names)

    def opened(self) -> set[Path]:
        """Every file that was opened."""
        return {path for call in self.calls() if (path := call.opened) is not None}

    def written(self) -> set[Path]:
        """Every file that was opened for writing, or made."""
        calls = [call for call in self.calls("open", "openat", "creat") if call.opened]
        return {
            path
            for call in calls
            if (call.name == "creat" or _WRITING.search(call.arguments))
            and (path := call.opened) is not None
        }

    def directories(self) -> list[str]:
        """Every directory that was made, as it was named."""
        made = [call for call in self.calls("mkdir", "mkdirat") if not call.failed]
        return [_quoted(call.arguments) for call in made]

    def mentions(self, path: Path | str) -> list[Call]:
        """Every call that names this file, failed ones included; a command line does not count."""
        text = str(path)
        calls = (call for call in self.calls() if call.name != "execve")
        return [call for call in calls if text in call.arguments or text in call.result]

    def _read(self) -> Iterator[Call]:
        for file in self.directory.glob("trace.*"):
            for line in file.read_text(errors="replace").splitlines():
                found = _LINE.fullmatch(line)
                if found is not None:
                    pid = int(file.suffix[1:])
                    yield Call(
                        float(found["time"]), pid, *found.group("name", "arguments", "result")
                    )


def _quoted(arguments: str) -> str:
    found = re.search('"((?:[^"\\\\]|\\\\.)*)"', arguments)
    return found[1] if found else ""
