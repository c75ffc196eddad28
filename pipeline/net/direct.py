"""Requests on connections of our own: the way of every request that needs no proxy.

requests and urllib3 take 0.7 ms of CPU time for a request, and 80 ms to be imported; this takes
0.1 ms and next to nothing (docs/decisions/006). They are kept for what they know better: proxies
(`requester`).
"""

from collections.abc import Callable, Mapping
from itertools import count
from urllib.parse import urlsplit

from pipeline.errors import NetworkError
from pipeline.net.connect import connect
from pipeline.net.connection import Connection
from pipeline.net.connections import Connections, Home, Site
from pipeline.net.cookies import Cookies
from pipeline.net.early import EarlyRequest
from pipeline.net.failure import FetchFailure, Patience
from pipeline.net.incoming import Incoming
from pipeline.net.reach import Reach
from pipeline.net.targets import Target
from pipeline.options import HttpOptions

#: Sites that are remembered: to work one out anew takes microseconds.
_MOST_SITES = 256

#: Seconds that a connection may take that is made ahead of its request: the thread may be wanted.
_AHEAD_SECONDS = 1.0

_NUMBERS = count()

_PORTS = {"http": 80, "https": 443}

#: Is told of a connection: the URL that it was made for, and the seconds to there and back.
Met = Callable[[str, float], None]


class DirectSender:
    """Sends requests for one transport. May be used from any thread."""

    def __init__(
        self,
        options: HttpOptions,
        connections: Connections,
        cookies: Cookies,
        reach: Reach,
        on_first: Met | None = None,
    ) -> None:
        """`connections` may be shared with others; `on_first` is told of the first one made."""
        self._options = options
        self._connections = connections
        self._cookies = cookies
        self._reach = reach
        # Others ask for the same things with other headers.
        self._what_begins = f"{next(_NUMBERS)} "
        self._sites: dict[tuple[str, bool], Site] = {}
        self._on_first = on_first
        self._enough: dict[str, int] = {}  # places to which no more is made ahead than so many

    def send(self, target: Target, headers: Mapping[str, str]) -> Incoming:
        """The head of the answer to GET `target`; redirects are not followed.

        Raises FetchFailure, EOFError, OSError.
        """
        place, clean = target.place, target.clean
        request = self._request(target, headers)
        connection, head = self._connections.ask(
            self._site_of(place),
            self._what(target, headers),
            request,
            lambda site: self._connect_now(site, clean),
        )
        try:
            if head.cookies:
                self._cookies.take(clean, head.cookies)
            # Looked up again: the connection may have shown how far this transport reaches.
            home = Home(self._site_of(place), self._connections)
            return Incoming(target.url, head, connection, home)
        except BaseException:
            connection.close()
            raise

    def round_trip(self, target: Target) -> float:
        """Seconds to where `target` leads, if a connection there has been kept; else 0."""
        return self._connections.round_trip(self._site_of(target.place))

    def fits_behind(self, answer: Incoming, target: Target, headers: Mapping[str, str]) -> bool:
        """Whether to ask for `target` behind `answer`: it leads there, and nobody has asked yet."""
        site = self._site_of(target.place)
        return site == answer.site and not self._connections.due.knows(
            (site, self._what(target, headers))
        )

    def ask_ahead(self, answer: Incoming, target: Target, headers: Mapping[str, str]) -> None:
        """Have `send` find the answer to GET `target` behind `answer`.

        Raises FetchFailure, OSError.
        """
        answer.ask_ahead(self._what(target, headers), self._request(target, headers))

    def early(self, target: Target, headers: Mapping[str, str]) -> EarlyRequest:
        """The request for `target` before it is wanted: `send` finds the answer.

        Raises FetchFailure.
        """
        return EarlyRequest(
            self._connections,
            self._site_of(target.place),
            self._what(target, headers),
            self._request(target, headers),
            lambda site: self._connect(site, target.clean, _AHEAD_SECONDS),
        )

    def _what(self, target: Target, headers: Mapping[str, str]) -> str:
        """What is asked for, and for whom: however cookies have changed since."""
        return f"{self._what_begins}{target.path} {headers.get('Range', '')}"

    def _request(self, target: Target, headers: Mapping[str, str]) -> bytes:
        cookie = self._cookies.header_for(target.clean)
        if cookie and not any(name.lower() == "cookie" for name in headers):
            headers = {**headers, "Cookie": cookie}
        return _request(target, headers)

    def connect_ahead(self, target: Target, enough: int) -> None:
        """Make a connection for a request to come, unless `enough` are idle.

        Raises FetchFailure, EOFError, OSError.
        """
        site = self._site_of(target.place)
        if self._connections.idle(site) >= enough or target.place in self._enough:
            return
        connection = self._connections.make_ahead(
            site, lambda site: self._connect(site, target.clean, _AHEAD_SECONDS)
        )
        site = self._site_of(target.place)
        self._connections.add(site, connection)
        if (but := self._enough.get(target.place)) is not None:  # since a moment ago
            self._connections.close_unused(site, but)

    def disconnect(self, target: Target, but: int) -> None:
        """Close what was made ahead to where `target` leads, but for so many; no more is made."""
        self._enough[target.place] = but
        self._connections.close_unused(self._site_of(target.place), but)

    def close(self) -> None:
        """Nobody comes any more for what was asked beforehand."""
        self._connections.due.forget_all_of(self._what_begins)

    def _connect_now(self, site: Site, url: str) -> Connection:
        connection = self._connect(site, url)
        on_first, self._on_first = self._on_first, None
        if on_first is not None:
            on_first(url, connection.round_trip)
        return connection

    def _connect(self, site: Site, url: str, within: float | None = None) -> Connection:
        return connect(
            site, self._options.timeout, lambda address: self._reach.examine(url, address), within
        )

    def _site_of(self, place: str) -> Site:
        key = place, self._reach.public_only
        site = self._sites.get(key)
        if site is None:
            if len(self._sites) >= _MOST_SITES:
                self._sites.clear()
            site = self._sites[key] = self._site(*key)
        return site

    def _site(self, place: str, public_only: bool) -> Site:
        parts = urlsplit(place)
        port = parts.port or _PORTS[parts.scheme]
        return Site(parts.scheme, str(parts.hostname), port, self._options.verify, public_only)


def _request(target: Target, headers: Mapping[str, str]) -> bytes:
    """The request, as RFC 9112 section 3 writes it. Raises FetchFailure."""
    scheme, _, host = target.place.partition("://")
    host = host.removesuffix(f":{_PORTS[scheme]}")
    lines = [f"GET {target.path} HTTP/1.1"]
    if not any(name.lower() == "host" for name in headers):
        lines.append(f"Host: {host}")
    lines += [f"{name}: {value}" for name, value in headers.items()]
    text = "\r\n".join([*lines, "", ""])
    if text.count("\n") != len(lines) + 1 or text.count("\r") != len(lines) + 1 or "\0" in text:
        raise FetchFailure(NetworkError, "a header has a line end in it", Patience.NEVER)
    return text.encode("latin-1", "replace") if text.isascii() else _encoded(text)


def _encoded(text: str) -> bytes:
    """Headers beyond ASCII are Latin-1, as http.client writes them, or else UTF-8."""
    try:
        return text.encode("latin-1")
    except UnicodeEncodeError:
        return text.encode("utf-8", "replace")
