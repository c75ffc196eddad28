"""Whether what the user wants of a playlist makes sense, before there is a playlist."""

from pipeline.hls.rules import parse_rules
from pipeline.hls.sections import parse_section
from pipeline.jobs.patterns import compile_exclusion
from pipeline.options import SelectionOptions


def check_selection(wanted: SelectionOptions) -> None:
    """Raises UsageError for what nobody understands."""
    parse_rules(wanted.format)
    compile_exclusion(wanted.exclude)
    if wanted.section is not None:
        parse_section(wanted.section)
