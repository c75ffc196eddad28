"""Requests that go through a proxy: by requests, which knows how.

`Session.get` looks up proxies, .netrc, CA bundles and cookies anew for every request: here the
answers are kept for each origin, and a request is a copy of the first with another URL. Everything
else is sent on connections of our own (`direct`). Not covered: what an answer means.
"""

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import requests
from requests.utils import select_proxy

from pipeline.errors import NetworkError
from pipeline.net.chunks import LONGEST_LINE, Chunks
from pipeline.net.cookies import Cookies
from pipeline.net.failure import FetchFailure, Patience
from pipeline.net.hosts import origin_of
from pipeline.net.paced import PacedAdapter
from pipeline.net.requests_errors import translated
from pipeline.net.targets import Target
from pipeline.options import HttpOptions

#: What is remembered at a time, 10 KB each: a playlist may name a host for each segment.
_MOST_USUAL = 64

_NO_PROXY = "the URL of the proxy is none that can be used (http://HOST:PORT)"


@dataclass(frozen=True)
class _Usual:
    """What all requests to one origin have in common."""

    request: requests.PreparedRequest
    settings: Mapping[str, Any]  # proxies, verify, cert: as the session and the environment say


class Requester:
    """Sends requests for one transport. May be used from any thread."""

    def __init__(self, options: HttpOptions, connections: int, cookies: Cookies) -> None:
        """Room for `connections` idle ones to each host."""
        self._session = requests.Session()
        self._session.headers.clear()
        self._session.verify = options.verify
        self._session.cookies = cookies.jar  # type: ignore[assignment]
        self._cookies = cookies
        self._proxies = dict.fromkeys(("http", "https"), options.proxy) if options.proxy else {}
        self._adapter = PacedAdapter(pool_maxsize=connections)
        self._timeout = options.timeout
        self._usual: dict[tuple[Any, ...], _Usual] = {}
        self._lock = threading.Lock()

    def goes_through_proxy(self, target: Target) -> bool:
        """Whether there is a proxy for requests to `target`: not for each host there need be one.

        Raises FetchFailure.
        """
        with translated():
            settings = self._usual_for(target.clean, {}).settings
            return select_proxy(target.clean, settings["proxies"]) is not None

    def send(self, target: Target, headers: Mapping[str, str]) -> "Requested":
        """The head of the answer to GET `target`; redirects are not followed.

        Raises FetchFailure.
        """
        with translated():
            return Requested(target.url, self._send(target.clean, headers))

    def _send(self, url: str, headers: Mapping[str, str]) -> requests.Response:
        usual = self._usual_for(url, headers)
        request = usual.request.copy()
        request.prepare_url(url, None)
        request.headers.update(headers)
        if len(self._session.cookies):
            request.prepare_cookies(self._session.cookies)
        response = self._answer(request, usual.settings)
        if "set-cookie" in response.headers:
            self._cookies.take(url, response.raw.headers.getlist("set-cookie"))
        return response

    def _answer(
        self, request: requests.PreparedRequest, settings: Mapping[str, Any]
    ) -> requests.Response:
        """The URL of `request` has been found valid by now: what may not be is the proxy's."""
        try:
            return self._adapter.send(request, timeout=self._timeout, **settings)
        except (requests.exceptions.InvalidURL, requests.exceptions.InvalidSchema) as error:
            if settings["proxies"]:
                raise FetchFailure(NetworkError, _NO_PROXY, Patience.NEVER) from error
            raise

    def _usual_for(self, url: str, headers: Mapping[str, str]) -> _Usual:
        """Prepared once for each origin and set of header names: a Range is not for everyone."""
        key = (*origin_of(url), *sorted(headers))
        usual = self._usual.get(key)
        if usual is None:
            with self._lock:
                if len(self._usual) >= _MOST_USUAL:
                    self._usual.clear()
                usual = self._usual.setdefault(key, self._prepare(url, headers))
        return usual

    def _prepare(self, url: str, headers: Mapping[str, str]) -> _Usual:
        request = self._session.prepare_request(requests.Request("GET", url, headers=dict(headers)))
        if "Cookie" not in headers:
            request.headers.pop("Cookie", None)  # asked for again each time: cookies change
        # Said here, too: $REQUESTS_CA_BUNDLE would overrule a session that verifies nothing.
        verify = self._session.verify
        proxies = dict(self._proxies)  # likewise: $http_proxy would overrule those of a session
        settings = self._session.merge_environment_settings(url, proxies, True, verify, None)
        return _Usual(request, settings)


class Requested:
    """An answer that requests has brought, with the interface of `answers.Answer`.

    Its body is read from the socket's file into the caller's buffer, one system call at a time;
    what http.client and urllib3 would add is done here.
    """

    def __init__(self, url: str, response: requests.Response) -> None:
        self.url = url
        self.status = response.status_code
        self.reason = response.reason or ""
        self.headers: Mapping[str, str] = response.headers
        self._response = response
        self._raw: Any = response.raw
        # urllib3 keeps the response that it reads from under this name; requests relies on it too.
        source: Any = self._raw._original_response  # noqa: SLF001
        self._source = source
        self._broken = False
        self._chunks = None
        if source.chunked:
            self._chunks = Chunks(self._read_line, source.fp.readinto1)

    @property
    def length(self) -> int | None:
        """Bytes still to come, as far as the server has announced them."""
        return None if self._chunks else self._source.length

    @property
    def until_close(self) -> bool:
        """Whether the body ends with the connection: nobody can tell if it is whole."""
        return self._chunks is None and self._source.length is None

    @property
    def idle_share(self) -> float:
        """The part of the connections to the same site that lie idle: urllib3 does not say."""
        return 0.0

    @property
    def round_trip(self) -> float:
        """urllib3 has one request on a connection at a time."""
        return 0.0

    @property
    def rate(self) -> float:
        """Nobody knows."""
        return 0.0

    def read_into(self, view: memoryview) -> int:
        """Some bytes; 0 at the end of the body. Raises FetchFailure."""
        if self._source.isclosed():
            return 0
        try:
            with translated():
                return self._read_into(view)
        except BaseException:
            self._broken = True  # what comes next on the connection is nobody's guess
            raise

    def _read_into(self, view: memoryview) -> int:
        if self._chunks is not None:
            size = self._chunks.read_into(view)
            if self._chunks.ended:
                self._end()
            return size
        left = self._source.length
        size = int(self._source.fp.readinto1(view if left is None else view[:left]))
        if left is None:
            return size
        if not size:
            raise EOFError("the connection has ended")
        self._source.length -= size
        if not self._source.length:
            self._end()
        return size

    def _read_line(self) -> bytes:
        return bytes(self._source.fp.readline(LONGEST_LINE + 1))

    def _end(self) -> None:
        """Have http.client, past which all was read, see the end of the body."""
        self._source.chunked, self._source.length = False, 0
        self._source.readinto(bytearray(1))

    def release(self) -> None:
        """The body is not read any further: keep the connection if it is fit for another."""
        if self._source.isclosed() and not self._broken:
            self._raw.release_conn()
        else:
            self._response.close()
