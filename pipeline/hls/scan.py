"""One pass over the lines of a playlist: a handler for each tag, one for the URI lines.

Handlers say what is wrong as ValueError; here, and only here, line number and tag are added.
Tags without a handler and comments are ignored (RFC 8216 sections 4.1 and 6.3.1).
"""

from collections.abc import Callable, Mapping

from pipeline.errors import PlaylistError
from pipeline.hls.lines import line_number, placed
from pipeline.units import printable

Handler = Callable[[str], None]


def scan(text: str, handlers: Mapping[str, Handler], uri: Handler) -> None:
    """Give each tag's value to its handler and each URI line to `uri`, in order."""
    tag = "URI"
    for place, line in placed(text):
        try:
            if line[0] != "#":
                tag = "URI"
                uri(line)
            elif line.startswith("#EXT"):
                tag, _, value = line.partition(":")
                handler = handlers.get(tag)
                if handler is not None:
                    handler(value)
        except ValueError as exc:
            number = line_number(text, place)
            raise PlaylistError(
                f"Line {number} of the playlist ({tag.removeprefix('#')}): {printable(str(exc))}"
            ) from exc
