"""A crew whose downloaders are not there: what they are told is noted."""

from contextlib import contextmanager

from pipeline.options import FetchOptions, HttpOptions, StorageOptions
from pipeline.processes.bulletin import Bulletin
from pipeline.processes.children import DownloaderChild
from pipeline.processes.crew import CrewSize
from pipeline.processes.dispatch import Dispatcher


class NotedChild(DownloaderChild):
    """A downloader that takes everything, and does nothing."""

    running = True

    def __init__(self, partition, threads):
        super().__init__(partition, threads)
        self.told = []

    def tell(self, *messages):
        """Note what it is told."""
        self.told += messages

    def told_of(self, kind):
        """What it was told of this kind."""
        return [message for message in self.told if isinstance(message, kind)]


class NotedCrew:
    """Downloaders, and their size."""

    def __init__(self, size):
        self.size = size
        self.downloaders = [
            NotedChild(number, size.share_of(number, size.connections))
            for number in range(size.processes)
        ]

    @property
    def leases(self):
        """Everything that is in somebody's hand."""
        return {
            lease: errand for child in self.downloaders for lease, errand in child.leases.items()
        }


@contextmanager
def dispatching(processes=2, connections=4, *, max_per_host=None, retries=2, limit_rate=None):
    """A dispatcher, its crew, and the job's account."""
    options = FetchOptions(
        http=HttpOptions(retries=retries, retry_sleep=1.0, limit_rate=limit_rate),
        max_per_host=max_per_host,
    )
    crew = NotedCrew(CrewSize(processes, connections))
    bulletin = Bulletin(StorageOptions(), None)
    account = bulletin.open_account(0, None)
    try:
        yield Dispatcher(crew, options, bulletin), crew, account
    finally:
        for child in crew.downloaders:
            child.close()
