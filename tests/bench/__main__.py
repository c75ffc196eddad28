"""`scripts/bench`: measure hlspipe and its peers in alternation, and print tables."""

import argparse
import os
import shlex
import sys
import tempfile
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

from tests.bench import report, tools
from tests.bench.measure import Measured, disk_free, measure
from tests.bench.network import SERVER_ADDRESS, network, parse_line
from tests.bench.works import WORKS, fixture
from tests.support.nginx import Nginx

_RAM = Path("/dev/shm")


def main(argv: Sequence[str] | None = None) -> int:
    """Run what was asked for; 1 if a tool's output was wrong."""
    arguments = _arguments(argv)
    with _way(arguments) as within:
        return _measure_all(arguments, within)


def _way(arguments: argparse.Namespace) -> AbstractContextManager[Sequence[str]]:
    """The way to the server: loopback, or a line; what starts a command at its end."""
    if arguments.line is None:
        return nullcontext(())
    return network(arguments.line)


def _measure_all(arguments: argparse.Namespace, within: Sequence[str]) -> int:
    place = arguments.out or _ram_or_disk()
    with tempfile.TemporaryDirectory(dir=arguments.fixtures or place) as folder:
        root = arguments.fixtures or Path(folder)
        texts, wrong = [_heading(arguments, place)], False
        for name in arguments.work:
            rows = _one_work(name, root, place, arguments, within)
            wrong = wrong or any(row.problem for row in rows)
            title = f"{WORKS[name].title}{_manner(arguments)}"
            texts.append(report.table(title, rows))
            sys.stdout.write(texts[-1] + "\n")
            sys.stdout.flush()
    if arguments.write is not None:
        report.write_into(arguments.write, "\n".join(texts))
    return int(wrong)


def _one_work(
    name: str, root: Path, place: Path, arguments: argparse.Namespace, within: Sequence[str]
) -> list[report.Row]:
    found = fixture(WORKS[name], root)
    chosen = _tools(arguments)
    runs: dict[str, list[Measured]] = {tool.name: [] for tool in chosen}
    extra = f"limit_rate {arguments.per_connection};" if arguments.per_connection else ""
    host = SERVER_ADDRESS if within else "127.0.0.1"
    with (
        tempfile.TemporaryDirectory() as prefix,
        Nginx(root, Path(prefix), extra=extra, host=host, within=within) as server,
    ):
        # One run that does not count: a virtual machine may have to get the memory first.
        measure(chosen[0], server.url(found.path), found, place)
        for _ in range(arguments.rounds):
            for tool in chosen:
                run = measure(tool, server.url(found.path), found, place)
                runs[tool.name].append(run)
                told = run.problem or f"{run.wall:.2f} s"
                sys.stderr.write(f"{name} {tool.name}: {told}\n")
    return [report.Row(tool.name, tuple(runs[tool.name])) for tool in chosen]


def _tools(arguments: argparse.Namespace) -> list[tools.Tool]:
    found = [*tools.own(arguments.options), *tools.peers(arguments.peers), *arguments.tool]
    if arguments.only:
        found = [tool for tool in found if tool.name in arguments.only]
    return found


def _manner(arguments: argparse.Namespace) -> str:
    way = f", over {arguments.line.title}" if arguments.line else ""
    each = f", {arguments.per_connection}/s for each connection"
    return way + (each if arguments.per_connection else "")


def _heading(arguments: argparse.Namespace, place: Path) -> str:
    command = shlex.join(["scripts/bench", *sys.argv[1:]])
    kind = "a RAM disk" if place == _RAM else "a disk"
    return (
        f"{report.machine()}; output to {kind}; medians of {arguments.rounds}.\n\n    {command}\n"
    )


def _ram_or_disk() -> Path:
    enough = _RAM.is_dir() and os.access(_RAM, os.W_OK) and disk_free(_RAM) > 8 << 30
    return _RAM if enough else Path(tempfile.gettempdir())


def _arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="scripts/bench", description=__doc__)
    add = parser.add_argument
    add("--work", nargs="+", choices=WORKS, default=list(WORKS), help="streams to download")
    add("--rounds", type=int, default=5, help="runs of each tool")
    add("--only", nargs="+", help="tools to run, by name")
    add(
        "--tool",
        action="append",
        type=tools.parse_tool,
        default=[],
        metavar="NAME='COMMAND'",
        help="a further tool; its command has {url}, {out} and, if it wants, {tmp}",
    )
    add("--options", default="", help="further options of hlspipe")
    add("--per-connection", metavar="RATE", help="what the server gives a connection (2m)")
    add(
        "--line",
        type=parse_line,
        metavar="MS[,MBIT[,LOSS]]",
        help="a line to the server: milliseconds there and back, Mbit/s, percent of packets lost"
        " (40,1000,0.1); takes root",
    )
    add("--out", type=Path, help="where outputs go; a RAM disk if there is one with room")
    add("--fixtures", type=Path, help="where streams are made, and kept")
    add("--peers", type=Path, default=Path(), help="a virtual environment with peers")
    add("--write", type=Path, metavar="FILE", help="put the tables into this document")
    return parser.parse_args(argv)


if __name__ == "__main__":
    sys.exit(main())
