"""The rules of `-f/--format`: text to conditions on variant streams.

    best | worst | 720p | 1280x720 | 3 | height<=1080,codecs=hvc1,bandwidth<4M | audio=en

Conditions joined by "," must all hold; of what they leave, `best` (the default) or `worst` is
taken. "/" separates alternatives, of which the first that matches anything counts.
"""

import operator
import re
from collections.abc import Callable
from dataclasses import dataclass

from pipeline.errors import UsageError
from pipeline.units import printable

_CONDITION = re.compile(r"([a-z_-]+)\s*(<=|>=|!=|=|<|>)\s*(.+)", re.IGNORECASE)
_HEIGHT = re.compile(r"(\d+)p", re.IGNORECASE)
_RESOLUTION = re.compile(r"(\d+)x(\d+)", re.IGNORECASE)
_NUMBER = re.compile(r"(\d+(?:\.\d+)?)([kmg]?)(?:p|bps|bit/s)?", re.IGNORECASE)
_FACTORS = {"": 1, "k": 1_000, "m": 1_000_000, "g": 1_000_000_000}

NUMBERS = frozenset({"height", "width", "bandwidth", "average_bandwidth", "frame_rate", "id"})
TEXTS = frozenset({"codecs", "audio", "name"})
_ALIASES = {"fps": "frame_rate", "codec": "codecs", "language": "audio"}

Compare = Callable[[float, float], bool]
_COMPARE: dict[str, Compare] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "=": operator.eq,
    "!=": operator.ne,
}


@dataclass(frozen=True, slots=True)
class Condition:
    """One condition: `field` as in NUMBERS or TEXTS, and what it is compared with."""

    field: str
    comparison: str
    value: float | str

    def accepts_number(self, found: float | None) -> bool:
        """Whether a variant that says `found` passes; what it does not say never does."""
        if found is None or isinstance(self.value, str):
            return False
        return _COMPARE[self.comparison](found, self.value)


@dataclass(frozen=True, slots=True)
class Rule:
    """One alternative: all conditions must hold, then the best or the worst is taken."""

    conditions: tuple[Condition, ...] = ()
    worst: bool = False


def parse_rules(text: str) -> tuple[Rule, ...]:
    """The alternatives in `text`. UsageError if it is not as the grammar above."""
    return tuple(_rule(part) for part in text.split("/"))


def _rule(text: str) -> Rule:
    conditions: list[Condition] = []
    worst = False
    for part in filter(None, (piece.strip() for piece in text.split(","))):
        if part.lower() in {"best", "worst"}:
            worst = part.lower() == "worst"
        else:
            conditions += _conditions(part)
    return Rule(tuple(conditions), worst)


def _conditions(text: str) -> list[Condition]:
    if text.isdecimal():
        return [Condition("id", "=", int(text))]
    if match := _HEIGHT.fullmatch(text):
        return [Condition("height", "=", int(match[1]))]
    if match := _RESOLUTION.fullmatch(text):
        return [
            Condition("width", "=", int(match[1])),
            Condition("height", "=", int(match[2])),
        ]
    if match := _CONDITION.fullmatch(text):
        return [_comparison(match[1].lower().replace("-", "_"), match[2], match[3], text)]
    raise _unreadable(text)


def _comparison(name: str, comparison: str, value: str, text: str) -> Condition:
    field = _ALIASES.get(name, name)
    if field in TEXTS and comparison in {"=", "!="}:
        return Condition(field, comparison, value.strip())
    number = _NUMBER.fullmatch(value.strip())
    if field not in NUMBERS or number is None:
        raise _unreadable(text)
    return Condition(field, comparison, float(number[1]) * _FACTORS[number[2].lower()])


def _unreadable(text: str) -> UsageError:
    return UsageError(
        f'The format rule "{printable(text, 60)}" is not understood'
        " (try best, worst, 720p, height<=1080, bandwidth<4M, codecs=hvc1 or audio=en)"
    )
