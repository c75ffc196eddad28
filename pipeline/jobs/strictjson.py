"""JSON from outside, held to what text is: no half of a surrogate pair, which no file can have."""

import json
from typing import Any


def read_json(text: str | bytes, **reading: Any) -> Any:
    """The value in `text`; `reading` is for `json.loads`. Raises ValueError, RecursionError."""
    found = json.loads(text, **reading)
    try:
        json.dumps(found, ensure_ascii=False).encode()
    except UnicodeEncodeError as error:  # an escape can write what UTF-8 cannot: "\ud800"
        raise ValueError("a text in it has half of a character") from error
    return found
