"""Every call of the store that can fail, failed once and for ever, one after the other.

What SQLite does to its I/O layer: the n-th call of a kind fails, for n = 1, 2, 3 and so on, until a
download passes without meeting the fault. Whole programs go through the same in
`tests.e2e.test_fault_injection`; here nothing but the store runs, so that no call is left out.
"""

import itertools
from dataclasses import dataclass, field

import pytest

from pipeline.errors import HlspipeError, StorageError
from pipeline.options import MergeMode
from pipeline.store.care import Care
from pipeline.store.file_output import FileOutput
from pipeline.store.part import journal_path, part_path
from pipeline.store.segments import SegmentStore
from pipeline.store.spill import SpillArea
from pipeline.store.tempdir import Place
from tests.store.fakes import FakeBlock
from tests.support.tripwire import SHORT, Tripwire

ITEMS = [b"first" * 10, b"", b"third" * 7, b"fourth" * 9, b"fifth" * 3]
WHOLE = b"".join(ITEMS)

#: Out of turn, and item 0 in two blocks that others come between.
ARRIVALS = [(2, 0, 35), (0, 0, 20), (3, 0, 54), (0, 20, 50), (4, 0, 15), (1, 0, 0)]

#: In which order calls of a kind are met depends on nothing: after so many there are no more.
MOST = 100


@dataclass
class Mode:
    """One way of storing."""

    care: Care = field(default_factory=Care)
    merge: MergeMode = MergeMode.STREAM
    disk_after: int | None = None  # arrivals, after which memory is left
    kept_items: int = 0  # that an earlier run has left

    @property
    def keeps(self):
        """Whether something of a failed run may stay."""
        return self.care.kept_as is not None


RESUME = Care(kept_as="plan", checksum=True, fsync=True)
MODES = {
    "memory": Mode(),
    "fsync": Mode(Care(fsync=True, checksum=True)),
    "stream": Mode(disk_after=3),
    "stream, checksum": Mode(Care(checksum=True), disk_after=3),
    "end": Mode(merge=MergeMode.END, disk_after=2),
    "resumable": Mode(RESUME, disk_after=1),
    "resumed": Mode(RESUME, disk_after=1, kept_items=3),
}

#: What fails and how. Some answers are not failures: the system cannot do it, or did half of it.
FAULTS = {
    "create": ["ENOSPC", "EACCES"],
    "open": ["EMFILE"],
    "write": ["ENOSPC", "EDQUOT", "EIO", SHORT],
    "fallocate": ["ENOSPC", "EOPNOTSUPP"],
    "ftruncate": ["EIO"],
    "fsync": ["EIO", "ENOSPC"],
    "close": ["EIO", "EDQUOT"],
    "rename": ["EACCES"],
    "unlink": ["EIO"],
    "mkdir": ["ENOSPC"],
    "rmdir": ["EIO"],
    "listdir": ["EIO"],
    "flock": ["ENOLCK"],
    "mmap": ["ENOMEM", "ENODEV"],
    "memory": ["ENOMEM"],
    "read": ["EIO", SHORT],
}
CASES = [(op, error) for op, errors in FAULTS.items() for error in errors]

#: Faults of these kinds are about what is to go: it may stay, and that is said.
REMOVALS = {"unlink", "rmdir", "listdir"}


class Download:
    """One download into a directory, as the storage process goes about it."""

    def __init__(self, directory, mode):
        self.mode = mode
        self.output = directory / "work" / "video.ts"
        self.temp = directory / "temp"
        for folder in (self.output.parent, self.temp):
            folder.mkdir(parents=True, exist_ok=True)
        self.complaints = []

    def run(self):
        """Store everything; the error that it ended with, if it did."""
        area = SpillArea(lambda: Place(self.temp), lambda *_: None)
        try:
            store = SegmentStore(0, len(ITEMS), self.open(), area, self.mode.merge)
            try:
                self.deliver(store, area)
                store.finish(keep_files=False, still_wanted=lambda: None)
                store.publish()
            except HlspipeError:
                self.tidy(store.discard)
                raise
            self.tidy(store.close)
        except HlspipeError as error:
            return error
        finally:
            self.tidy(area.close)

    def open(self):
        return FileOutput(self.output, self.mode.care)

    def deliver(self, store, area):
        """Hand in the blocks, and leave memory when it is time or when there is none."""
        on_disk = False
        for number, (index, start, end) in enumerate(ARRIVALS):
            if not on_disk and (store.starved or number == self.mode.disk_after):
                area.open()
                store.go_to_disk()
                on_disk = True
            data = ITEMS[index][start:end]
            last = end == len(ITEMS[index])
            store.accept(index, 1, FakeBlock(data) if data else None, last)

    def tidy(self, action):
        """What cannot be removed is heard of, and changes nothing."""
        try:
            action()
        except StorageError as error:
            self.complaints.append(str(error))

    def leave_kept_items(self):
        """What an earlier run has kept: some items, and half of the next one."""
        output = self.open()
        for index in range(self.mode.kept_items):
            output.write(memoryview(ITEMS[index]))
            output.commit(index)
        output.write(memoryview(b"half"))
        output.discard()

    def left(self):
        """Everything that is there, but for the output."""
        found = [*self.output.parent.iterdir(), *self.temp.rglob("*")]
        return {path for path in found if path != self.output}


def check(download, error, wire):
    """I1, I2, I3: the right bytes or none, an error in words, and nothing left."""
    if error is None:
        assert download.output.read_bytes() == WHOLE
    else:
        assert not download.output.exists()
        assert wire.fired, f"it failed of itself: {error}"
        assert isinstance(error, StorageError), repr(error)
        assert str(download.output.parent.parent) in str(error)
    left = download.left()
    told = [*download.complaints, str(error)]
    part = part_path(download.output)
    if download.mode.keeps and error is not None:
        left -= {part, journal_path(part)}
    if wire.op in REMOVALS and wire.fired:
        left = {path for path in left if not any(is_told(path, text) for text in told)}
    assert not left, (left, download.complaints, error)


def is_told(path, text):
    """Whether the user knows that it is there: a directory stays with all that is in it."""
    return str(path) in text or f"{path.parent}:" in text


def sweep(tmp_path, mode, op, error, persistent):
    """The loop over n; how many downloads met the fault."""
    for nth in itertools.count(1):
        assert nth < MOST, "the fault is met for ever"
        download = Download(tmp_path / str(nth), mode)
        if mode.kept_items:
            download.leave_kept_items()
        wire = Tripwire(op, nth, error, persistent)
        with wire.set_up():
            failure = download.run()
        check(download, failure, wire)
        if failure is not None:  # I4
            assert Download(tmp_path / str(nth), mode).run() is None
            assert download.output.read_bytes() == WHOLE
        if not wire.fired:
            return nth - 1
    raise AssertionError


@pytest.mark.parametrize("persistent", [False, True], ids=["once", "for ever"])
@pytest.mark.parametrize(("op", "error"), CASES, ids=[f"{op}-{error}" for op, error in CASES])
def test_every_call_may_fail(tmp_path, op, error, persistent):
    """Right bytes or an error that names the file; nothing left; and the next run succeeds."""
    met = {
        name: sweep(tmp_path / name, mode, op, error, persistent) for name, mode in MODES.items()
    }

    assert any(met.values()), "no mode makes such a call"
