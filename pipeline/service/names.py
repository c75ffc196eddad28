"""Names of outputs that are to differ: which ones clash, and what comes after one that is taken.

Pure. A name may end in ".{ext}", which stands for the ending that fits what is inside: until that
is known, the name may turn out as any of them.
"""

from collections.abc import Iterator
from itertools import count

from pipeline.hls.extensions import OUTPUT_ENDINGS
from pipeline.jobs.naming import ANY_ENDING, with_ending


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


def numbered(output: str) -> Iterator[str]:
    """`output`, and what it may be called instead: only what has an open end is renamed."""
    yield output
    if output.endswith(ANY_ENDING):
        stem = output.removesuffix(ANY_ENDING)
        for number in count(2):
            yield f"{stem}-{number}{ANY_ENDING}"
