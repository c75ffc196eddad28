"""What is left on the disk of a job that is not to be finished any more: found, and removed.

A job may have written renditions beside its output; how they are called is known (`jobs.naming`).
What other jobs still want stays, and so does what some process is writing.
"""

import os
import re
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from pipeline.jobs.naming import possible
from pipeline.store.part import forget
from pipeline.store.workdir import forget_work, work_path

_PART = ".part"


def forget_kept(output: str, is_wanted: Callable[[str], bool]) -> None:
    """Remove the `.part` of `output` and those of its renditions, with all that belongs to them.

    `is_wanted` says whether another job is to write what is called like this.
    """
    directory = Path(output).parent
    if work_path(Path(output)).exists() and not is_wanted(output):
        forget_work(Path(output))
    belongs = _matcher(output)
    with suppress(OSError):  # the directory is gone, or was never made
        for name in os.listdir(directory):  # noqa: PTH208  (names are all that is needed)
            unfinished = name.removesuffix(_PART)
            path = directory / unfinished
            if unfinished != name and belongs(unfinished) and not is_wanted(str(path)):
                forget(path)


def _matcher(output: str) -> Callable[[str], object]:
    """Whether a name is that of the output, or of a rendition beside it: "show.en.m4a"."""
    names = [Path(each).name for each in possible(output)]
    stem = re.escape(Path(names[0]).stem)
    patterns = [*map(re.escape, names), stem + r"\.[^.]+\.\w+"]
    return re.compile("|".join(patterns)).fullmatch
