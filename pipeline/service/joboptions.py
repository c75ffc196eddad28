"""What a job may ask for, from JSON to the frozen options of `pipeline.options`.

Whoever may submit jobs need not be the administrator: what reaches for files of this machine
(cookies, temp directories), for its processes and memory, or around its rules (proxies, private
addresses, TLS) is not a job's to say, but that of the daemon's own options, the `defaults` here.
Nor is a regular expression: one of a bad kind runs for ever, and every job with it.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from pipeline.errors import UsageError
from pipeline.hls.rules import parse_rules
from pipeline.hls.sections import parse_section
from pipeline.jobs.sources import is_web
from pipeline.options import EXCLUSIVE, FetchOptions, RemuxTool, SubtitlesFormat
from pipeline.service.refusals import UnacceptableError
from pipeline.units import parse_duration, parse_header, parse_size, printable

#: Characters of a text, and headers of a job.
_LONGEST_TEXT = 500
_LONGEST_URL = 8192
_MOST_HEADERS = 50

_KEY_SIZES = (16, 32)
_IV_SIZE = 16


def job_options(defaults: FetchOptions, given: Mapping[str, Any]) -> FetchOptions:
    """`defaults`, with what a job was given. Raises UnacceptableError."""
    for one, other in EXCLUSIVE:
        if given.get(one) and given.get(other):
            raise UnacceptableError(f"{one} and {other} exclude each other")
    groups: dict[str, dict[str, Any]] = {"": {}, "http": {}, "selection": {}, "keys": {}}
    for name, value in given.items():
        if name not in _OPTIONS:
            known = ", ".join(sorted(_OPTIONS))
            raise UnacceptableError(
                f"{printable(name, 40)} is no option of a job (there are {known})"
            )
        group, field, read = _OPTIONS[name]
        try:
            groups[group][field] = read(value)
        except (ValueError, UsageError) as error:
            raise UnacceptableError(f"{name}: {error}") from error
    merged = {
        group: replace(getattr(defaults, group), **values)
        for group, values in groups.items()
        if group
    }
    # A job goes on where it was, whatever ended it: that is what the queue promises.
    return replace(defaults, **merged, **groups[""], resume=True, measure_memory=False)


def web_url(value: object) -> str:
    """An http(s) URL: files of this machine are not for a job to read. Raises UsageError."""
    text = _string(value, _LONGEST_URL)
    if any(ord(sign) < 0x21 or ord(sign) == 0x7F for sign in text):
        raise UsageError("a URL has neither spaces nor control characters")
    if not is_web(text):
        raise UsageError("only http and https URLs are taken")
    return text


def _string(value: object, longest: int = _LONGEST_TEXT) -> str:
    if not isinstance(value, str) or not value:
        raise UsageError("it must be a text")
    if len(value) > longest:
        raise UsageError(f"it is longer than {longest} characters")
    return value


def _flag(value: object) -> bool:
    if not isinstance(value, bool):
        raise UsageError("it must be true or false")
    return value


def _count(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= 1000:
        raise UsageError("it must be a whole number from 0 to 1000")
    return value


def _seconds(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise UsageError('it must be a number of seconds, or a text such as "2m"')
    return parse_duration(str(value))


def _more_than_none(value: object) -> float:
    seconds = _seconds(value)
    if not seconds:
        raise UsageError("it must be more than 0")
    return seconds


def _size(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int | str):
        raise UsageError('it must be a number of bytes, or a text such as "500MB"')
    size = parse_size(str(value))
    if not size:
        raise UsageError("it must be more than 0")
    return size


def _rules(value: object) -> str:
    text = _string(value)
    parse_rules(text)
    return text


def _section(value: object) -> str:
    text = _string(value)
    parse_section(text)
    return text


def _subtitles_format(value: object) -> SubtitlesFormat:
    try:
        return SubtitlesFormat(_string(value))
    except (ValueError, UsageError) as error:
        raise UsageError("it must be vtt or srt") from error


def _remux_tool(value: object) -> RemuxTool:
    try:
        return RemuxTool(_string(value))
    except (ValueError, UsageError) as error:
        raise UsageError("it must be auto, pyav, ffmpeg or none") from error


def _checksum(value: object) -> bool:
    if value != "sha256":
        raise UsageError("it must be sha256")
    return True


def _headers(value: object) -> tuple[tuple[str, str], ...]:
    if not isinstance(value, dict) or len(value) > _MOST_HEADERS:
        raise UsageError(f"it must be an object of at most {_MOST_HEADERS} names and values")
    found = []
    for name, content in value.items():
        header = parse_header(f"{name}: {_string(content, _LONGEST_URL)}")
        if header[0] != name:
            raise UsageError("a header's name has no colon")
        found.append(header)
    return tuple(found)


def _key(value: object) -> bytes:
    key = _hexadecimal(value)
    if len(key) not in _KEY_SIZES:
        raise UsageError("a key has 16 or 32 bytes, written as hexadecimal digits")
    return key


def _initialization_vector(value: object) -> bytes:
    iv = _hexadecimal(value)
    if len(iv) != _IV_SIZE:
        raise UsageError("an initialization vector has 16 bytes, written as hexadecimal digits")
    return iv


def _hexadecimal(value: object) -> bytes:
    try:
        return bytes.fromhex(_string(value))
    except (ValueError, UsageError):
        return b""  # the caller has words for what is no key, and does not quote it


#: Name in JSON: which of the options it is part of, the field there, and how it is read.
_OPTIONS: dict[str, tuple[str, str, Callable[[object], Any]]] = {
    "force": ("", "force", _flag),
    "skip_existing": ("", "skip_existing", _flag),
    "allow_gaps": ("", "allow_gaps", _flag),
    "strip_images": ("", "strip_images", _flag),
    "fsync": ("", "fsync", _flag),
    "checksum": ("", "checksum", _checksum),
    "remux": ("", "remux", _remux_tool),
    "max_size": ("", "max_size", _size),
    "max_time": ("", "max_time", _more_than_none),
    "base_url": ("", "base_url", web_url),
    "headers": ("http", "headers", _headers),
    "header_all_hosts": ("http", "header_all_hosts", _flag),
    "strict_tls": ("http", "strict_tls", _flag),
    "timeout": ("http", "timeout", _more_than_none),
    "retries": ("http", "retries", _count),
    "retry_sleep": ("http", "retry_sleep", _seconds),
    "format": ("selection", "format", _rules),
    "audio": ("selection", "audio", _string),
    "subtitles": ("selection", "subtitles", _string),
    "subtitles_format": ("selection", "subtitles_format", _subtitles_format),
    "section": ("selection", "section", _section),
    "key": ("keys", "key", _key),
    "key_url": ("keys", "key_url", web_url),
    "iv": ("keys", "iv", _initialization_vector),
}

#: Options whose values nobody gets to see again.
SECRET_OPTIONS = frozenset({"headers", "key", "key_url", "iv", "base_url"})
