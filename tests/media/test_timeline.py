"""Which parts move by how much."""

from fractions import Fraction

import pytest

from pipeline.media.timeline import Part, Span, placed
from pipeline.media.timestamps import TURN

VIDEO, SOUND = ("video", 0), ("audio", 0)


def part(place: tuple[str, int], start: float | Fraction, duration: float = 4) -> Part:
    """A part of one track."""
    return {place: Span(Fraction(start), Fraction(start) + Fraction(duration))}


def starts(files: list[list[Part]], known: tuple[bool, ...]) -> list[list[float]]:
    """When each part of each file begins in the output."""
    shifts = placed(files, known)
    return [
        [float(span.start + by[place]) for each, by in zip(file, moved, strict=True)
         for place, span in each.items()]
        for file, moved in zip(files, shifts, strict=True)
    ]  # fmt: skip


@pytest.mark.parametrize("clocks", [(10, 3), (-1, 3), (TURN - 1, -2), (3, -1)], ids=str)
def test_sound_that_is_late(clocks: tuple[Fraction, Fraction]) -> None:
    """Half a second in each part, wherever the clocks of picture and sound are about to wrap."""
    video = [part(VIDEO, clock) for clock in clocks]
    sound = [part(SOUND, (clock + Fraction(1, 2)) % TURN) for clock in clocks]

    assert starts([video, sound], (True, True)) == [[0, 4], [0.5, 4.5]]


def test_times_that_say_nothing() -> None:
    """A file that is not known to have the others' clock begins where they do."""
    video, sound = [part(VIDEO, 2)], [part(SOUND, 0)]

    assert starts([video, sound], (True, True)) == [[2], [0]]
    assert starts([video, sound], (True, False)) == [[0], [0]]
    assert starts([video, sound], (False, True)) == [[0], [0]]


def test_other_parts() -> None:
    """A file that is cut at other places goes by itself, one part behind the other."""
    video, sound = [part(VIDEO, 10), part(VIDEO, 3)], [part(SOUND, 10, 8)]

    assert starts([video, sound], (True, True)) == [[0, 4], [0]]
