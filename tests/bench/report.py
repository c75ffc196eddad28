"""Runs to tables: medians, ranges, and ratios to hlspipe."""

import os
import platform
import re
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.bench.measure import Measured

_MIB = 1 << 20
_BEGIN, _END = "<!-- measured: begin -->", "<!-- measured: end -->"


@dataclass(frozen=True)
class Row:
    """What one tool took for one work."""

    tool: str
    runs: tuple[Measured, ...]

    @property
    def problem(self) -> str | None:
        """Why it does not count, if a run does not."""
        return next((run.problem for run in self.runs if run.problem), None)

    def median(self, figure: str) -> float:
        """The median of a figure of all runs."""
        return float(statistics.median(getattr(run, figure) for run in self.runs))

    def spread(self, figure: str) -> str:
        """Median and range."""
        values = [getattr(run, figure) for run in self.runs]
        return f"{self.median(figure):.2f} ({min(values):.2f} to {max(values):.2f})"


def table(title: str, rows: Sequence[Row]) -> str:
    """One work as a table in Markdown."""
    lines = [
        f"### {title}",
        "",
        "| tool | wall s | CPU s | peak PSS MB | peak temp MB | wall, to hlspipe |",
        "|---|---|---|---|---|---|",
    ]
    base = rows[0].median("wall")
    for row in rows:
        if row.problem is not None:
            lines.append(f"| {row.tool} | {row.problem} | | | | |")
            continue
        memory, disk = row.median("pss") / _MIB, row.median("temp") / _MIB
        ratio = row.median("wall") / base
        figures = [row.spread("wall"), row.spread("cpu"), f"{memory:.0f}", f"{disk:.0f}"]
        lines.append(f"| {' | '.join([row.tool, *figures, f'{ratio:.2f}'])} |")
    return "\n".join([*lines, ""])


def machine() -> str:
    """This machine, in a line."""
    model = "unknown processor"
    info = Path("/proc/cpuinfo")
    if info.exists() and (found := re.search(r"model name\s*: (.*)", info.read_text())):
        model = found[1]
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") >> 30
    system = f"{platform.system()} {platform.release()}"
    return f"{os.cpu_count()} x {model}, {memory} GB, {system}, Python {platform.python_version()}"


def write_into(path: Path, text: str) -> None:
    """Put `text` between the marks in the document at `path`."""
    document = path.read_text()
    before, _, rest = document.partition(_BEGIN)
    _, _, after = rest.partition(_END)
    path.write_text(f"{before}{_BEGIN}\n{text}\n{_END}{after}")
