"""Small disks that can run full, for tests. Mounting one needs root."""

import subprocess
from pathlib import Path
from typing import Self


class NotAllowed(Exception):
    """This user, or this container, may not mount anything."""


class SmallDisk:
    """A tmpfs of `size` bytes, mounted at `path` while it is entered."""

    def __init__(self, path: Path, size: int) -> None:
        self.path = path
        self.size = size

    def __enter__(self) -> Self:
        self.path.mkdir(parents=True, exist_ok=True)
        options = f"size={self.size},mode=0777"
        done = _run("mount", "-t", "tmpfs", "-o", options, "none", str(self.path))
        if done.returncode:
            raise NotAllowed(done.stderr.strip())
        return self

    def __exit__(self, *_: object) -> None:
        if _run("umount", str(self.path)).returncode:
            # A process that was left behind holds it; it goes when that ends.
            _run("umount", "--lazy", str(self.path))

    def grow(self, size: int) -> None:
        """Have it hold `size` bytes from now on."""
        _run("mount", "-o", f"remount,size={size}", str(self.path)).check_returncode()
        self.size = size

    def fill(self, leave: int = 0) -> Path:
        """Fill it but for `leave` bytes; the file to remove to make room again."""
        path = self.path / "ballast"
        block = bytes(1 << 16)
        try:
            with path.open("wb", buffering=0) as file:
                while file.write(block):
                    pass
        except OSError:
            size = path.stat().st_size
            with path.open("r+b") as file:
                file.truncate(max(size - leave, 0))
        return path


def _run(*command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, capture_output=True, text=True, check=False)
