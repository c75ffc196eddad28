"""What a multivariant playlist offers, as tables: for `fetch -F`, and as a part of `inspect`.

The rows are `hls.formats`. Their text is the server's, and is escaped here.
"""

from collections.abc import Callable, Sequence
from dataclasses import asdict

from pipeline.cli.columns import Column, table
from pipeline.cli.jsonlines import json_text
from pipeline.cli.terminal import print_data, print_words, say, stdout_width
from pipeline.hls.formats import Format, list_formats
from pipeline.hls.model import MultivariantPlaylist
from pipeline.jobs import inspection
from pipeline.options import FetchOptions
from pipeline.units import printable

#: Characters of a cell where no terminal sets a limit: enough for any honest list of codecs.
_LONGEST = 100


def print_formats(source: str, options: FetchOptions, *, as_json: bool) -> None:
    """Read the playlist at `source` and print what there is to choose from.

    Raises HlspipeError if it cannot be read.
    """
    playlist = inspection.read_playlist(source, options)
    rows = list_formats(playlist) if isinstance(playlist, MultivariantPlaylist) else ()
    if as_json:
        print_data(json_text([asdict(row) for row in rows]))
    elif rows:
        print_words("\n".join(format_lines(rows, stdout_width())))
    else:
        say("There is nothing to choose from: this is a media playlist, not one of variants")


def format_lines(rows: Sequence[Format], width: int | None = None) -> list[str]:
    """Tables of `rows`, each under its heading, with an empty line between two."""
    kinds = {"variant": "Variants", "iframes": "I-frame variants"}
    lines: list[str] = []
    for kind, title in kinds.items():
        lines += _titled(title, [row for row in rows if row.kind == kind], _variants, width)
    rest = [row for row in rows if row.kind not in kinds]
    return (lines + _titled("Renditions", rest, _renditions, width))[1:]


def _titled(
    title: str,
    rows: Sequence[Format],
    columns: Callable[[Sequence[Format]], list[Column]],
    width: int | None,
) -> list[str]:
    return ["", f"{title}:", *table(columns(rows), width)] if rows else []


def _variants(rows: Sequence[Format]) -> list[Column]:
    return [
        Column("id", [str(row.id) if row.id is not None else "" for row in rows], number=True),
        Column("resolution", [row.resolution or "" for row in rows], number=True),
        Column(
            "fps", [f"{row.frame_rate:g}" if row.frame_rate else "" for row in rows], number=True
        ),
        Column("bandwidth", [bit_rate(row.bandwidth) for row in rows], number=True),
        Column("codecs", [_shown(row.codecs) for row in rows]),
        Column("audio", [_shown(row.group) for row in rows]),
        Column("name", [_shown(row.name) for row in rows]),
    ]


def _renditions(rows: Sequence[Format]) -> list[Column]:
    return [
        Column("type", [_shown(row.kind) for row in rows]),
        Column("group", [_shown(row.group) for row in rows]),
        Column("language", [_shown(row.language) for row in rows]),
        Column("name", [_shown(row.name) for row in rows]),
        Column("default", ["yes" if row.default else "" for row in rows]),
        Column("segments", ["its own" if row.url else "the variant's" for row in rows]),
    ]


def bit_rate(bits: int | None) -> str:
    """`bits` a second as "2.1 Mbit/s" or "64 kbit/s"; nothing when unknown."""
    if bits is None:
        return ""
    return f"{bits / 1e6:.1f} Mbit/s" if bits >= 1_000_000 else f"{bits / 1e3:.0f} kbit/s"


def _shown(text: str | None) -> str:
    return printable(text or "", _LONGEST)
