"""hlspipe: an HLS downloader built as a pipeline of processes.

The library's front door. `fetch` downloads one stream and returns its receipt; everything
else that a program needs (options, events, errors) is re-exported here. Names are loaded on
first use, so that a child process that imports `pipeline.processes` pays for nothing else.
"""

from importlib import import_module

from pipeline.version import __version__

# Not from typing, which takes milliseconds: a Ctrl-C that comes before `pipeline.cli` is ready for
# it is answered by Python, with a traceback.
TYPE_CHECKING = False

if TYPE_CHECKING:
    from typing import Any

    from pipeline.errors import HlspipeError as HlspipeError
    from pipeline.errors import Interrupted as Interrupted
    from pipeline.jobs.batch import BatchResult as BatchResult
    from pipeline.jobs.batch import batch as batch
    from pipeline.jobs.entries import Entry as Entry
    from pipeline.jobs.fetch import fetch as fetch
    from pipeline.jobs.receipt import Receipt as Receipt
    from pipeline.options import BatchOptions as BatchOptions
    from pipeline.options import FetchOptions as FetchOptions
    from pipeline.options import HttpOptions as HttpOptions
    from pipeline.options import KeyOptions as KeyOptions
    from pipeline.options import MergeMode as MergeMode
    from pipeline.options import SelectionOptions as SelectionOptions
    from pipeline.options import StorageOptions as StorageOptions
    from pipeline.options import SubtitlesFormat as SubtitlesFormat


_HOMES = {
    "batch": "pipeline.jobs.batch",
    "BatchOptions": "pipeline.options",
    "BatchResult": "pipeline.jobs.batch",
    "Entry": "pipeline.jobs.entries",
    "fetch": "pipeline.jobs.fetch",
    "Receipt": "pipeline.jobs.receipt",
    "FetchOptions": "pipeline.options",
    "HttpOptions": "pipeline.options",
    "KeyOptions": "pipeline.options",
    "MergeMode": "pipeline.options",
    "SelectionOptions": "pipeline.options",
    "SubtitlesFormat": "pipeline.options",
    "StorageOptions": "pipeline.options",
    "HlspipeError": "pipeline.errors",
    "Interrupted": "pipeline.errors",
}

__all__ = [
    "BatchOptions",
    "BatchResult",
    "Entry",
    "FetchOptions",
    "HlspipeError",
    "HttpOptions",
    "Interrupted",
    "KeyOptions",
    "MergeMode",
    "Receipt",
    "SelectionOptions",
    "StorageOptions",
    "SubtitlesFormat",
    "__version__",
    "batch",
    "fetch",
]


def __getattr__(name: str) -> "Any":
    """Load a public name from its home on first use (PEP 562)."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)
