"""EXT-X-DEFINE and the `{$name}` references to it (rfc8216bis sections 4.3 and 4.4.2.3).

A reference to what is not defined is an error: its text must never reach a server. Values are
not searched for references again, and what replacing adds to a playlist is bounded.
"""

import re
from collections.abc import Mapping
from functools import cached_property
from urllib.parse import unquote, urlsplit

from pipeline.hls.attributes import Attributes, parse_attributes
from pipeline.hls.limits import MAX_BYTES, MAX_VARIABLES
from pipeline.units import printable

_REFERENCE = re.compile(r"\{\$([A-Za-z0-9_-]+)\}")


class Variables:
    """The variables of one playlist: defined from its top down, used from there on.

    A QUERYPARAM or IMPORT that finds nothing is an error only where the variable is used.
    """

    def __init__(self, url: str, importable: Mapping[str, str] | None = None) -> None:
        """`url` is the playlist's own, for QUERYPARAM; `importable` its parent's variables."""
        self.values: dict[str, str] = {}
        self._missing: dict[str, str] = {}
        self._url = url
        self._importable = importable or {}
        self._room = MAX_BYTES

    def attributes(self, text: str) -> Attributes:
        """The attribute list in `text`, references in its values replaced."""
        attributes = parse_attributes(text)
        if "{$" not in text:
            return attributes
        return {name: self.substitute(value) for name, value in attributes.items()}

    def define(self, text: str) -> None:
        """One EXT-X-DEFINE tag; ValueError if it defines nothing."""
        attributes = self.attributes(text)
        if len(self.values) + len(self._missing) >= MAX_VARIABLES:
            raise ValueError(f"more than {MAX_VARIABLES} variables")
        if "NAME" in attributes:
            self._set(attributes["NAME"], attributes.get("VALUE", ""))
        elif "QUERYPARAM" in attributes:
            self._take(attributes["QUERYPARAM"], self._query, "no query parameter of the URL")
        elif "IMPORT" in attributes:
            self._take(attributes["IMPORT"], self._importable, "not in a multivariant playlist")
        else:
            raise ValueError("no NAME, QUERYPARAM or IMPORT")

    @cached_property
    def _query(self) -> dict[str, str]:
        # Not as a form is read: "+" is itself in a URL (RFC 3986), and base64 has it.
        pairs = (each.partition("=") for each in urlsplit(self._url).query.split("&"))
        return {unquote(name): unquote(value) for name, _, value in pairs if name}

    def _take(self, name: str, source: Mapping[str, str], why_missing: str) -> None:
        if name in source:
            self._set(name, source[name])
        else:
            self._missing[name] = why_missing

    def _set(self, name: str, value: str) -> None:
        """A second value for one name is an error (section 4.4.2.3); the same again is not."""
        if self.values.setdefault(name, value) != value:
            raise ValueError(f'the variable "{printable(name, 60)}" is defined twice')

    def substitute(self, text: str) -> str:
        """`text` with each reference replaced, once; ValueError for one that is not defined."""
        return _REFERENCE.sub(self._value, text) if "{$" in text else text

    def _value(self, match: re.Match[str]) -> str:
        name = match[1]
        if name not in self.values:
            why = self._missing.get(name, "no EXT-X-DEFINE before this line")
            raise ValueError(f'the variable "{printable(name, 60)}" is not defined: {why}')
        value = self.values[name]
        self._room -= len(value)
        if self._room < 0:
            raise ValueError(f"variables add more than {MAX_BYTES} characters to the playlist")
        return value
