"""From a JSON object to a job: the same form from the REST API, its client and the spool.

    {"url": "https://…", "output": "show.ts", "dir": "shows", "priority": 5, "id": "mine", …}

Only `url` has to be there. Whatever is not known is refused with a sentence: a slip in the name
of an option never passes for a download without it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pipeline.errors import UsageError
from pipeline.jobs.job import ANY_ENDING
from pipeline.jobs.naming import output_name
from pipeline.options import FetchOptions
from pipeline.service.downloadroot import DownloadRoot
from pipeline.service.joboptions import job_options, web_url
from pipeline.service.record import Submission
from pipeline.service.refusals import UnacceptableError
from pipeline.units import printable

#: Jobs in one request or file of the spool: some megabytes in the daemon while it is read.
MOST_JOBS = 10_000

_MOST_PRIORITY = 1000
_LONGEST_ID = 200


@dataclass(frozen=True, slots=True)
class Intake:
    """Reads jobs for one daemon."""

    root: DownloadRoot
    defaults: FetchOptions

    def jobs(self, entries: Sequence[object]) -> list[Submission]:
        """Several jobs, all or none. Raises UnacceptableError, which says which one it is about."""
        if len(entries) > MOST_JOBS:
            raise UnacceptableError(f"More than {MOST_JOBS} jobs at once: submit them in parts")
        found = []
        for number, entry in enumerate(entries, 1):
            try:
                found.append(self.job(entry))
            except UnacceptableError as error:
                where = f"Job {number} of {len(entries)}: " if len(entries) > 1 else ""
                raise UnacceptableError(f"{where}{error}") from error
        return found

    def job(self, entry: object) -> Submission:
        """One job. Raises UnacceptableError."""
        if not isinstance(entry, dict):
            raise UnacceptableError("A job is a JSON object with a url")
        fields = dict(entry)
        url = _read_url(fields.pop("url", None))
        job = Submission(
            url=url,
            output=self.root.output(_read_output(fields, url)),
            priority=_read_priority(fields.pop("priority", 0)),
            client_id=_read_id(fields.pop("id", None)),
            options=fields,
        )
        job_options(self.defaults, job.options)
        return job


def _read_url(value: object) -> str:
    try:
        return web_url(value)
    except (ValueError, UsageError) as error:
        raise UnacceptableError(f"url: {error}") from error


def _read_output(fields: dict[str, Any], url: str) -> str:
    """Where the job writes, as the client calls it; without a word of it, a name from the URL."""
    output = fields.pop("output", None)
    directory = fields.pop("dir", None)
    for name, value in (("output", output), ("dir", directory)):
        if value is not None and not isinstance(value, str):
            raise UnacceptableError(f"{name}: it must be a text")
    name = output_name(url, ANY_ENDING) if output is None else output
    return name if directory is None else f"{directory.rstrip('/')}/{name}"


def _read_priority(value: object) -> int:
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) <= _MOST_PRIORITY:
        return value
    raise UnacceptableError(
        f"priority: it must be a whole number from -{_MOST_PRIORITY} to {_MOST_PRIORITY}"
    )


def _read_id(value: object) -> str | None:
    if value is None:
        return None
    if not isinstance(value, str) or not value or printable(value, _LONGEST_ID) != value:
        raise UnacceptableError(f"id: it must be a text of at most {_LONGEST_ID} characters")
    return value
