"""The outputs of a batch: a name for each entry, the same in every run of the same list.

Names are settled before anything is fetched, in the order of the list, and no two are alike. The
ending is not known yet where nobody has given one: a playlist has to be read for it.
"""

from collections.abc import Iterable
from itertools import count
from pathlib import Path

from pipeline.errors import UsageError
from pipeline.jobs.entries import Entry
from pipeline.jobs.naming import output_name, safe_name

_FIELDS = ("index", "name", "id")


def check_template(template: str) -> None:
    """Raises UsageError for a template that names what there is not."""
    try:
        template.format(index="1", name="a", id="b")
    except (KeyError, IndexError, ValueError, AttributeError) as error:
        fields = ", ".join(f"{{{name}}}" for name in _FIELDS)
        raise UsageError(f"{template!r} is no template: it may have {fields}") from error


def outputs(entries: Iterable[Entry], template: str | None) -> list[str]:
    """A path for each entry; one without an ending gets the one that fits what is inside.

    A line that is no entry has none, and takes none from the others.
    """
    taken: set[str] = set()
    found = []
    for index, entry in enumerate(entries, start=1):
        if entry.error is not None:
            found.append("")
            continue
        path = _path(index, entry, template)
        for number in count(2):
            if path not in taken:
                break
            path = _numbered(_path(index, entry, template), number)
        taken.add(path)
        found.append(path)
    return found


def _path(index: int, entry: Entry, template: str | None) -> str:
    if entry.output is not None:
        path = entry.output
    else:
        name = output_name(entry.url, "")
        chosen = template or "{name}"
        path = chosen.format(index=index, name=name, id=safe_name(entry.id or "") or name)
    return str(Path(entry.directory, path)) if entry.directory else path


def _numbered(path: str, number: int) -> str:
    """`path` with a number that tells it from others."""
    found = Path(path)
    return str(found.with_name(f"{found.stem}-{number}{found.suffix}"))
