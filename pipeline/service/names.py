"""Names of outputs that are to differ: which ones clash, and what comes after one that is taken.

Pure. A name may end in ".{ext}", which stands for the ending that fits what is inside: until that
is known, the name may turn out as any of them.
"""

from collections.abc import Iterator
from itertools import chain, count

from pipeline.hls.extensions import OUTPUT_ENDINGS
from pipeline.jobs.naming import ANY_ENDING, with_ending

#: Numbers that are tried one after another.
_FEW = 10


def clashing(output: str) -> list[str]:
    """The names that another job must not have while this one is to write `output`."""
    if output.endswith(ANY_ENDING):
        return [output, *possible(output)]
    for ending in OUTPUT_ENDINGS:
        if output.endswith(ending):
            return [output, output.removesuffix(ending) + ANY_ENDING]
    return [output]


def possible(output: str) -> list[str]:
    """What `output` may be called in the end."""
    if not output.endswith(ANY_ENDING):
        return [output]
    return [with_ending(output, ending) for ending in OUTPUT_ENDINGS]


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
