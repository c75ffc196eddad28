"""Names of outputs that are to differ: what comes after one that is taken. Pure.

Which ones clash is `jobs.naming`'s to say.
"""

from collections.abc import Iterator
from itertools import chain, count

from pipeline.jobs.job import ANY_ENDING

#: Numbers that are tried one after another.
_FEW = 10


def numbered(output: str, unused: int) -> Iterator[str]:
    """`output`, and what it may be called instead: only what has an open end is renamed.

    After some small numbers come those from `unused` on: a thousand jobs of one name are not to
    look for theirs among a thousand.
    """
    yield output
    if output.endswith(ANY_ENDING):
        stem = output.removesuffix(ANY_ENDING)
        for number in chain(range(2, _FEW), count(max(unused, _FEW))):
            yield f"{stem}-{number}{ANY_ENDING}"
