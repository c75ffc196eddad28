"""The figures in Prometheus' text format.

See https://prometheus.io/docs/instrumenting/exposition_formats/#text-based-format
"""

from collections.abc import Iterator, Mapping

from pipeline.service.figures import Figures
from pipeline.service.states import ENDED, State
from pipeline.version import __version__

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


def metrics(counts: Mapping[State, int], figures: Figures, clients: int) -> str:
    """Everything that is measured, as one page."""
    return "\n".join(_lines(counts, figures, clients)) + "\n"


def _lines(counts: Mapping[State, int], figures: Figures, clients: int) -> Iterator[str]:
    yield from _metric("hlspipe_info", "gauge", "The version", {f'{{version="{__version__}"}}': 1})
    by_state = {f'{{state="{state}"}}': count for state, count in counts.items()}
    yield from _metric("hlspipe_jobs", "gauge", "Jobs in the queue", by_state)
    ended = {f'{{state="{state}"}}': figures.ended[state] for state in ENDED}
    yield from _metric("hlspipe_jobs_ended_total", "counter", "Jobs that came to an end", ended)
    stored = sum(progress.stored_bytes for progress in list(figures.progress.values()))
    for name, kind, text, value in (
        ("attempts_failed_total", "counter", "Attempts that failed", figures.failed_attempts),
        ("output_bytes_total", "counter", "Bytes of complete outputs", figures.bytes),
        ("requests_total", "counter", "Requests of attempts that ended", figures.requests),
        ("retries_total", "counter", "Retries of attempts that ended", figures.retries),
        ("running_bytes", "gauge", "Bytes stored of jobs that are running", stored),
        ("event_clients", "gauge", "Clients that listen to events", clients),
    ):
        yield from _metric(f"hlspipe_{name}", kind, text, {"": value})


def _metric(name: str, kind: str, text: str, values: Mapping[str, int]) -> Iterator[str]:
    yield f"# HELP {name} {text}."
    yield f"# TYPE {name} {kind}"
    for labels, value in values.items():
        yield f"{name}{labels} {value}"
