"""What the daemon says of itself, on stderr: lines for people, for journald, or JSON.

Under journald a line begins with its priority and has no time: journald knows it. See
https://man7.org/linux/man-pages/man3/sd-daemon.3.html
"""

import json
import logging
import os
import sys
import time
from collections.abc import Mapping

from pipeline.units import printable

#: syslog's names for what Python calls levels.
_PRIORITIES = {
    logging.DEBUG: 7,
    logging.INFO: 6,
    logging.WARNING: 4,
    logging.ERROR: 3,
    logging.CRITICAL: 2,
}

#: Characters of a line: server text is shorter, a traceback may need it.
_LONGEST = 8000


def set_up(
    style: str, *, verbose: bool = False, environment: Mapping[str, str] = os.environ
) -> None:
    """Log to stderr from here on; `style` is "text" or "json"."""
    handler = logging.StreamHandler(sys.stderr)
    if style == "json":
        handler.setFormatter(_JsonFormatter())
    elif is_journal(environment):
        handler.setFormatter(_JournalFormatter())
    else:
        handler.setFormatter(_TextFormatter())
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    logging.getLogger("hlspipe").setLevel(logging.DEBUG if verbose else logging.INFO)


def is_journal(environment: Mapping[str, str]) -> bool:
    """Whether stderr leads to journald, and nowhere else in between."""
    try:
        found = os.fstat(sys.stderr.fileno())
    except (OSError, ValueError, AttributeError):
        return False
    return environment.get("JOURNAL_STREAM") == f"{found.st_dev}:{found.st_ino}"


class _TextFormatter(logging.Formatter):
    """A time and a sentence."""

    def format(self, record: logging.LogRecord) -> str:
        """The lines for `record`."""
        now = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(record.created))
        level = "" if record.levelno == logging.INFO else f"{record.levelname.lower()}: "
        return "\n".join(f"{now} {level}{line}" for line in _lines(self, record))


class _JournalFormatter(logging.Formatter):
    """A priority and a sentence."""

    def format(self, record: logging.LogRecord) -> str:
        """The lines for `record`."""
        priority = _PRIORITIES.get(record.levelno, 6)
        return "\n".join(f"<{priority}>{line}" for line in _lines(self, record))


class _JsonFormatter(logging.Formatter):
    """One object a line."""

    def format(self, record: logging.LogRecord) -> str:
        """The line for `record`."""
        return json.dumps(
            {
                "time": round(record.created, 3),
                "level": record.levelname.lower(),
                "logger": record.name,
                "message": "\n".join(_lines(self, record)),
            }
        )


def _lines(formatter: logging.Formatter, record: logging.LogRecord) -> list[str]:
    """The message and its traceback, each line fit to print."""
    text = record.getMessage()
    if record.exc_info:
        text += "\n" + formatter.formatException(record.exc_info)
    return [printable(line, _LONGEST) for line in text.splitlines()]
