"""Requests over HTTP, with the gaps closed that matter to a downloader.

requests does the talking (connections, TLS, proxies, cookies). Here: redirects are followed one
by one, http(s) only; the user's headers go to the user's own origin; a Range answer must be the
range asked for; a body that ends early is a failure; and bytes are read from the socket straight
into the caller's buffer. Not covered: trying again (`retry`, decided by the supervisor).
"""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from urllib.parse import urljoin, urlsplit

import requests
from requests.adapters import HTTPAdapter

from pipeline.errors import NetworkError
from pipeline.net.answers import check_status, range_to_skip
from pipeline.net.body import Body, read_body
from pipeline.net.cookies import load_cookies
from pipeline.net.failure import FetchFailure, Patience
from pipeline.net.hosts import may_see_user_headers
from pipeline.net.local import FileBody, is_local, open_local, read_local
from pipeline.net.requester import Requester
from pipeline.net.translation import translated
from pipeline.options import HttpOptions
from pipeline.version import __version__

#: As browsers do.
MAX_REDIRECTS = 20

_REDIRECTS = {301, 302, 303, 307, 308}

#: Compressed media gains nothing, and what arrives compressed cannot be read into a block.
_SEGMENT_HEADERS = {"Accept-Encoding": "identity"}

ByteRange = tuple[int, int]  # (offset, length)


class ConnectionPool:
    """Kept-alive connections, shared by all that this process fetches."""

    def __init__(self, connections: int) -> None:
        """Room for `connections` idle ones to each host."""
        self.adapter = HTTPAdapter(pool_maxsize=connections)


class Transport:
    """Makes requests for one origin's sake. Its methods may be called from any thread."""

    def __init__(
        self, options: HttpOptions, origin: str, pool: ConnectionPool, local: bool = False
    ) -> None:
        """`origin` is the URL that the user gave: `options.headers` are meant for its host.

        With `local`, files on this machine may be read too: the playlist is one of them.
        """
        self._options = options
        self._local = local
        self._origin = origin
        self._session = requests.Session()
        self._session.verify = options.verify
        self._session.headers["User-Agent"] = f"hlspipe/{__version__}"
        if options.cookies is not None:
            for cookie in load_cookies(options.cookies):
                self._session.cookies.set_cookie(cookie)
        if options.proxy is not None:
            self._session.proxies = {"http": options.proxy, "https": options.proxy}
        self._requester = Requester(self._session, pool.adapter, options.timeout)

    def open(
        self, url: str, byte_range: ByteRange | None = None
    ) -> AbstractContextManager[Body | FileBody]:
        """The body of `url`, or of a part of it. Raises FetchFailure, also while it is read."""
        if self._local and is_local(url):
            return open_local(url, byte_range)
        return self._open(url, byte_range)

    @contextmanager
    def _open(self, url: str, byte_range: ByteRange | None) -> Iterator[Body]:
        response = self._follow(url, {**_SEGMENT_HEADERS, **_range_header(byte_range)})
        body = None
        try:
            check_status(response)
            skip = range_to_skip(response, byte_range)
            body = Body(response, skip, byte_range, self._options.timeout)
            yield body
        finally:
            if body is None or not body.give_back():
                response.close()

    def read(self, url: str, cap: int, byte_range: ByteRange | None = None) -> tuple[bytes, str]:
        """The whole of a small document, decoded, and the URL that it came from in the end.

        Raises FetchFailure; also for more than `cap` bytes, however few were sent (a compressed
        body can be a thousand times larger than it looks).
        """
        if self._local and is_local(url):
            return read_local(url, cap, byte_range), url
        if byte_range is not None:
            with self._open(url, byte_range) as body:
                return read_body(body, cap), url
        response = self._follow(url, {})
        try:
            check_status(response)
            with translated():
                return _read_capped(response, cap), response.url
        finally:
            response.close()

    def _follow(self, url: str, headers: dict[str, str]) -> requests.Response:
        for _ in range(MAX_REDIRECTS + 1):
            response = self._request(url, headers)
            if response.status_code not in _REDIRECTS or "location" not in response.headers:
                return response
            url = _checked(urljoin(url, _location(response)))
            response.close()
        reason = f"the server redirects more than {MAX_REDIRECTS} times"
        raise FetchFailure(NetworkError, reason, Patience.NEVER)

    def _request(self, url: str, headers: dict[str, str]) -> requests.Response:
        options = self._options
        if options.header_all_hosts or may_see_user_headers(url, self._origin):
            headers = {**headers, **dict(options.headers)}
        with translated():
            return self._requester.send(url, headers)


def _range_header(byte_range: ByteRange | None) -> dict[str, str]:
    if byte_range is None:
        return {}
    offset, length = byte_range
    return {"Range": f"bytes={offset}-{offset + length - 1}"}


def _checked(url: str) -> str:
    if urlsplit(url).scheme not in ("http", "https"):
        reason = "the server redirects to something that is not http or https"
        raise FetchFailure(NetworkError, reason, Patience.NEVER)
    return url


def _location(response: requests.Response) -> str:
    """The Location header; servers send UTF-8 where http.client reads Latin-1."""
    return response.headers["location"].encode("latin-1", "replace").decode("utf-8", "replace")


def _read_capped(response: requests.Response, cap: int) -> bytes:
    data = bytearray()
    for piece in response.iter_content(64 * 1024):
        data += piece
        if len(data) > cap:
            reason = f"the document is larger than {cap} bytes"
            raise FetchFailure(NetworkError, reason, Patience.NEVER)
    return bytes(data)
