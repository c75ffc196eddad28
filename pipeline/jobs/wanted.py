"""Whether what the user wants of a playlist makes sense: before it is there, and after."""

from collections.abc import Iterator

from pipeline.hls.rules import parse_rules
from pipeline.hls.sections import parse_section
from pipeline.jobs.patterns import compile_exclusion
from pipeline.options import FetchOptions, KeyOptions, SelectionOptions


def check_selection(wanted: SelectionOptions) -> None:
    """Raises UsageError for what nobody understands."""
    parse_rules(wanted.format)
    compile_exclusion(wanted.exclude)
    if wanted.section is not None:
        parse_section(wanted.section)


def unused(options: FetchOptions, has_variants: bool, encrypted: bool) -> Iterator[str]:
    """What of `options` turns out to be of no use, in words."""
    if options.keys != KeyOptions() and not encrypted:
        yield "Nothing in the playlist is encrypted: the key that was given is of no use"
    usual, asked = SelectionOptions(), options.selection
    names = [
        name
        for name in ("format", "audio", "subtitles")
        if getattr(asked, name) not in (getattr(usual, name), "none")
    ]
    if names and not has_variants:
        yield f"The playlist is that of one variant: {' and '.join(names)} cannot be chosen"
