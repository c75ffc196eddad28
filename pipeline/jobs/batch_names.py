"""The outputs of a batch: a name for each entry, the same in every run of the same list.

Names are settled before anything is fetched, and no two are alike. Where nobody has given an ending
it is not known yet: a playlist has to be read for it.
"""

from collections.abc import Iterable
from itertools import count
from pathlib import Path

from pipeline.errors import UsageError
from pipeline.jobs.entries import Entry
from pipeline.jobs.job import ANY_ENDING
from pipeline.jobs.naming import clashing, output_name, safe_name

_FIELDS = ("index", "name", "id")


def check_template(template: str) -> None:
    """Raises UsageError for a template that names what there is not."""
    try:
        template.format(index="1", name="a", id="b")
    except (KeyError, IndexError, ValueError, AttributeError) as error:
        fields = ", ".join(f"{{{name}}}" for name in _FIELDS)
        raise UsageError(f"{template!r} is no template: it may have {fields}") from error


def outputs(entries: Iterable[Entry], template: str | None) -> list[str]:
    """A path for each entry; ".{ext}" stands for the ending that fits what is inside.

    Names that somebody has given go first. A line that is no entry has none, and takes none from
    the others.
    """
    taken: set[str] = set()
    found: dict[int, str] = {}
    numbered = list(enumerate(entries, start=1))
    for index, entry in sorted(numbered, key=lambda each: each[1].output is None):
        path = "" if entry.error is not None else _free(_path(index, entry, template), taken)
        found[index] = path
        taken.update(clashing(path))
    return [found[index] for index, _ in numbered]


def _path(index: int, entry: Entry, template: str | None) -> str:
    if entry.output is not None:
        path = entry.output
        is_open = not Path(path).suffix
    else:
        # What looks like an ending in a name from a URL is none ("My.Show.S01E02").
        name = output_name(entry.url, "")
        chosen = template or "{name}"
        path = chosen.format(index=index, name=name, id=safe_name(entry.id or "") or name)
        is_open = not Path(f"x{chosen.rpartition('}')[2]}").suffix
    path = str(Path(entry.directory, path)) if entry.directory else path
    return path + ANY_ENDING if is_open else path


def _free(path: str, taken: set[str]) -> str:
    """`path`, or the same with a number that tells it from others."""
    stem, ending = path.removesuffix(ANY_ENDING), ANY_ENDING
    if stem == path:
        ending = Path(path).suffix
        stem = path.removesuffix(ending)
    for number in count(2):
        if taken.isdisjoint(clashing(path)):
            break
        path = f"{stem}-{number}{ending}"
    return path
