"""What the supervisor knows about the run: events for the user, figures for the receipt."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from pipeline import events
from pipeline.options import StorageOptions
from pipeline.processes import messages
from pipeline.processes.account import Account, Listener
from pipeline.processes.crew import CrewSize
from pipeline.processes.download import Download
from pipeline.processes.errands import Errand
from pipeline.processes.figures import MemoryGauge
from pipeline.units import printable, public_url


@dataclass
class Bulletin:
    """Figures of the run so far, and the one who is told."""

    options: StorageOptions
    listener: Listener | None
    started: float = field(default_factory=time.monotonic)
    memory: MemoryGauge = field(default_factory=MemoryGauge)
    accounts: dict[int, Account] = field(default_factory=dict)  # of jobs, by their contexts
    switched_at: int | None = None
    temp_dir: Path | None = None
    temp_bytes: int = 0
    peak_temp_bytes: int = 0
    spilled_bytes: int = 0
    _without_tls: set[int] = field(default_factory=set)  # contexts of which that has been told

    @property
    def mode(self) -> str:
        """Where segments are kept: "memory" or "disk"."""
        return "memory" if self.switched_at is None else "disk"

    @property
    def elapsed(self) -> float:
        """Seconds since the run began."""
        return time.monotonic() - self.started

    def tell(self, event: events.Event) -> None:
        """Hand an event to the listener."""
        if self.listener is not None:
            self.listener(event)

    def open_account(self, context: int, listener: Listener | None) -> Account:
        """A job begins; `listener` is told of it instead of the one who is told of all else."""
        account = self.accounts[context] = Account(listener or self.listener)
        return account

    def close_account(self, context: int) -> None:
        """A job has ended."""
        self.accounts.pop(context, None)

    def account(self, context: int) -> Account:
        """The account of a job; one that nobody looks at for a job that has ended."""
        return self.accounts.get(context) or Account(None)

    def started_transfer(
        self, downloads: Sequence[Download], size: CrewSize, connections: int
    ) -> None:
        """The outputs of a job are open, and segments are being fetched."""
        main = downloads[0]
        self.account(main.context).tell(
            events.TransferStarted(
                main.transfer.name,
                sum(download.segments for download in downloads),
                main.transfer.duration,
                size.processes,
                connections,
            )
        )

    def resumed(self, download: Download) -> None:
        """Part of the output was there already."""
        if download.resumed_items:
            self.account(download.context).tell(
                events.Resumed(
                    download.transfer.name, download.segments_done, download.resumed_bytes
                )
            )

    def progress(self, downloads: Sequence[Download]) -> None:
        """Tell how far the downloads of a job are, all together, once all have begun."""
        if not all(download.opened for download in downloads):
            return
        account = self.account(downloads[0].context)
        account.tell(
            events.Progress(
                sum(download.segments_done for download in downloads),
                sum(download.segments for download in downloads),
                sum(download.stored_bytes for download in downloads),
                self.mode,
                self.temp_bytes,
                account.elapsed,
            )
        )

    def retried(self, errand: Errand, reason: str, delay: float) -> None:
        """A try failed, and another follows."""
        account = self.account(errand.context)
        account.retries += 1
        account.tell(events.Retried(errand.what, printable(reason), delay))

    def tls_left(self, context: int, url: str) -> None:
        """A server has redirected from https to http: told once, whatever else it redirects."""
        if context not in self._without_tls:
            self._without_tls.add(context)
            told = f"A server redirects from https to http: {public_url(url)}, for one"
            self.tell(events.Warned(told))

    def disk_used(self, report: messages.DiskUsed) -> None:
        """Storage has left memory."""
        self.switched_at = report.stored_bytes
        threshold = self.options.effective_threshold or 0
        self.tell(events.SwitchedToDisk(threshold, report.stored_bytes, report.starved))

    def temp_directory_made(self, report: messages.TempDirectoryMade) -> None:
        """There is a temp directory now."""
        self.temp_dir = Path(report.path)
        self.tell(events.TempDirectoryCreated(report.path, report.reason))

    def temp_directory_gone(self, report: messages.TempDirectoryGone) -> None:
        """The temp directory is removed, or left to the user who asked for that."""
        if not report.kept:
            self.tell(events.TempFilesRemoved(report.path))

    def storage_state(self, state: messages.StorageState) -> None:
        """Take over storage's figures."""
        self.temp_bytes = state.temp_bytes
        self.peak_temp_bytes = state.peak_temp_bytes
        self.spilled_bytes = state.spilled_bytes

    def stored(self, downloads: Sequence[Download]) -> None:
        """Every segment of a job is in."""
        temp_dir = str(self.temp_dir) if self.temp_dir else None
        total = sum(download.stored_bytes for download in downloads)
        account = self.account(downloads[0].context)
        account.tell(events.SegmentsStored(total, temp_dir))
        if unverified := sum(download.unverified for download in downloads):
            account.tell(events.LengthsUnverified(unverified))

    def publishing(self, download: Download) -> None:
        """An output is being completed."""
        merging = events.MergeStarted(download.segments_stored, download.transfer.name)
        self.account(download.context).tell(merging)
