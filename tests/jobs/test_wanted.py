"""What users ask for, and what turns out to be of no use."""

import pytest

from pipeline.errors import UsageError
from pipeline.jobs.wanted import check_selection, unused
from pipeline.options import FetchOptions, KeyOptions, SelectionOptions


@pytest.mark.parametrize(
    "wanted",
    [
        SelectionOptions(format="tallest"),
        SelectionOptions(exclude="("),
        SelectionOptions(section="5-3"),
    ],
    ids=repr,
)
def test_what_nobody_understands(wanted: SelectionOptions) -> None:
    """It is refused before anything is asked for."""
    with pytest.raises(UsageError):
        check_selection(wanted)


@pytest.mark.parametrize(
    ("options", "has_variants", "encrypted", "told"),
    [
        (FetchOptions(), False, False, []),
        (FetchOptions(keys=KeyOptions(iv=bytes(16))), False, True, []),
        (FetchOptions(keys=KeyOptions(key=bytes(16))), True, False, ["Nothing in the"]),
        (FetchOptions(selection=SelectionOptions(format="720p")), True, True, []),
        (FetchOptions(selection=SelectionOptions(audio="none")), False, True, []),
        (
            FetchOptions(selection=SelectionOptions(format="720p", subtitles="de")),
            False,
            True,
            ["The playlist is that of one variant: format and subtitles cannot be chosen"],
        ),
    ],
)
def test_what_is_of_no_use(
    options: FetchOptions, has_variants: bool, encrypted: bool, told: list[str]
) -> None:
    """It is told, and no error: the video is what it is."""
    found = list(unused(options, has_variants, encrypted))

    assert len(found) == len(told)
    assert all(text.startswith(start) for text, start in zip(found, told, strict=True))
