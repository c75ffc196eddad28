"""The user's regular expression for segments to leave out."""

import re

from pipeline.errors import UsageError
from pipeline.units import printable


def compile_exclusion(text: str | None) -> re.Pattern[str] | None:
    """`text` compiled; None stays None. Raises UsageError."""
    if text is None:
        return None
    try:
        return re.compile(text)
    except re.error as error:
        raise UsageError(
            f"{printable(text, 60)!r} is no regular expression: {error.msg}"
        ) from error
