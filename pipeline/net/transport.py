"""Requests over HTTP, with the gaps closed that matter to a downloader.

`direct` does the talking, or `requester` where there is a proxy. Here: redirects are followed one
by one, http(s) only; the user's headers go to the user's own origin; a Range
answer must be the range asked for; a body that ends early is a failure; and bytes are read from the
socket straight into the caller's buffer. Not covered: trying again (`retry`, decided by the
supervisor).
"""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, closing, nullcontext, suppress
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import urljoin, urlsplit

from pipeline.errors import NetworkError
from pipeline.net.answers import Answer, check_status, range_to_skip
from pipeline.net.body import Allowance, Body, Bytes, pieces, read_body
from pipeline.net.connections import Connections
from pipeline.net.continued import ByteRange, Continuations, ContinuedBody, Manner, range_header
from pipeline.net.cookies import Cookies, Tell
from pipeline.net.decoding import ACCEPTED, decoded
from pipeline.net.direct import DirectSender, Met
from pipeline.net.early import EarlyRequest
from pipeline.net.failure import FetchFailure, Patience
from pipeline.net.hosts import may_see_user_headers
from pipeline.net.incoming import Incoming
from pipeline.net.local import FileBody, is_local, open_local, read_local
from pipeline.net.logins import authorization
from pipeline.net.proxies import has_proxy
from pipeline.net.reach import Reach
from pipeline.net.retry import RetryPolicy
from pipeline.net.targets import Target, target_of
from pipeline.net.translation import translated
from pipeline.options import HttpOptions
from pipeline.version import __version__

if TYPE_CHECKING:
    from pipeline.net.requester import Requester

#: As browsers do.
MAX_REDIRECTS = 20

_REDIRECTS = {301, 302, 303, 307, 308}

_COMMON_HEADERS = {"User-Agent": f"hlspipe/{__version__}", "Accept": "*/*"}

#: Compressed media gains nothing, and what arrives compressed cannot be read into a block.
_SEGMENT_HEADERS = {**_COMMON_HEADERS, "Accept-Encoding": "identity"}
_DOCUMENT_HEADERS = {**_COMMON_HEADERS, "Accept-Encoding": ACCEPTED}


#: Whether a part of a URL, or all of it, can be opened next.
Fits = Callable[[str, ByteRange | None], bool]

#: Takes what is opened next, if it fits; says its URL, and which part of it is wanted.
Upcoming = Callable[[Fits], tuple[str, ByteRange | None] | None]


class Notices(NamedTuple):
    """Who hears of what answers bring besides bodies."""

    #: The URL behind the first redirect from https to http, if that is allowed.
    left_tls: Callable[[str], None] | None = None
    cookies: Tell | None = None
    #: Where the first connection leads that a request has had made, and the seconds both ways.
    met: Met | None = None


class Transport:
    """Makes requests for one origin's sake. Its methods may be called from any thread."""

    def __init__(
        self,
        options: HttpOptions,
        origin: str,
        connections: Connections,
        *,
        local: bool = False,
        origin_private: bool | None = None,
        notices: Notices = Notices(),  # noqa: B008  (it is a constant)
    ) -> None:
        """`origin` is the URL that the user gave: `options.headers` are meant for its host.

        With `local`, files on this machine may be read too: the playlist is one of them.
        `origin_private` is what is known of the origin's address (`reach`).
        """
        self.policy = RetryPolicy(options.retries, options.retry_sleep)
        self._options = options
        self._local = local
        self._origin = origin
        self._on_left_tls = notices.left_tls
        self._connections = connections
        self.cookies = Cookies(options.cookies, notices.cookies)
        self.reach = Reach(origin, options.block_private, True if local else origin_private)
        self._direct = DirectSender(options, connections, self.cookies, self.reach, notices.met)

    def open(
        self,
        url: str,
        byte_range: ByteRange | None = None,
        continuations: Continuations | None = None,
        allowance: Allowance | None = None,
        upcoming: Upcoming | None = None,
    ) -> AbstractContextManager[ContinuedBody | FileBody | Bytes]:
        """The body of `url`, or of a part of it. Raises FetchFailure, also while it is read.

        Of nothing there is no need to ask for it, nor is there a Range header for it. Else it is
        read no faster than `allowance` allows, and when it is about to end, `upcoming` may be asked
        what is opened next: that is asked for beforehand.
        """
        if byte_range is not None and not byte_range[1]:
            return nullcontext(Bytes(b""))
        if self._local and is_local(url):
            return open_local(url, byte_range)

        def send(headers: Mapping[str, str]) -> Answer:
            return self._follow(url, {**_SEGMENT_HEADERS, **headers})

        def ask_next(answer: Answer) -> bool:
            if upcoming is None or not isinstance(answer, Incoming):
                return True
            if (found := upcoming(lambda url, part: self._fits(answer, url, part))) is None:
                return False
            self._ask_ahead(answer, *found)
            return True

        timeout, meter = self._options.timeout, self._connections.meter
        manner = Manner(timeout, continuations, allowance, meter, ask_next)
        return closing(ContinuedBody(send, byte_range, manner))

    def _fits(self, answer: Incoming, url: str, byte_range: ByteRange | None) -> bool:
        """Whether to ask for that behind `answer`."""
        try:
            return self._direct.fits_behind(answer, target_of(url), range_header(byte_range))
        except FetchFailure:  # a file, or no valid URL
            return False

    def _ask_ahead(self, answer: Incoming, url: str, byte_range: ByteRange | None) -> None:
        """Nothing is lost if that fails: the request is made in its turn then."""
        if byte_range is not None and not byte_range[1]:
            return
        headers = self._with_own(url, {**_SEGMENT_HEADERS, **range_header(byte_range)})
        with suppress(FetchFailure, OSError):
            self._direct.ask_ahead(answer, target_of(url), headers)

    def round_trip(self, url: str) -> float:
        """Seconds to where `url` leads and back, if a connection there has been kept; else 0."""
        if self._local and is_local(url):
            return 0.0
        return self._direct.round_trip(target_of(url))

    def read(self, url: str, cap: int, byte_range: ByteRange | None = None) -> tuple[bytes, str]:
        """The whole of a small document, decoded, and the URL that it came from in the end.

        Raises FetchFailure; also for more than `cap` bytes, however few were sent (a compressed
        body can be a thousand times larger than it looks).
        """
        if self._local and is_local(url):
            return read_local(url, cap, byte_range), url
        if byte_range is not None:
            with self.open(url, byte_range) as body:
                return read_body(body, cap), url
        answer = self._follow(url, _DOCUMENT_HEADERS)
        try:
            check_status(answer)
            range_to_skip(answer, None)
            document = pieces(Body(answer, 0, None, self._options.timeout))
            encoding = answer.headers.get("content-encoding", "")
            return decoded(document, encoding, cap), answer.url
        finally:
            answer.release()

    def connect_ahead(self, url: str, enough: int) -> None:
        """Make a connection that a request to `url` will want, if it goes there directly.

        None if `enough` of them are idle. Raises FetchFailure.
        """
        if (target := self._direct_target(url)) is not None:
            with translated():
                self._direct.connect_ahead(target, enough)

    def disconnect(self, url: str, but: int) -> None:
        """Connections that were made ahead to where `url` leads are of no use, but for so many."""
        with suppress(FetchFailure):
            self._direct.disconnect(target_of(url), but)

    def close(self) -> None:
        """Nothing more is requested: what was asked beforehand is given up."""
        self._direct.close()

    def early(self, url: str, byte_range: ByteRange | None) -> EarlyRequest | None:
        """The request for what is to be opened soon; None if it does not go there directly.

        Raises FetchFailure.
        """
        if byte_range is not None and not byte_range[1]:
            return None
        if (target := self._direct_target(url)) is None:
            return None
        headers = self._with_own(url, {**_SEGMENT_HEADERS, **range_header(byte_range)})
        return self._direct.early(target, headers)

    def _direct_target(self, url: str) -> Target | None:
        """Where `url` leads, if there is neither a file nor a proxy. Raises FetchFailure."""
        if self._local and is_local(url):
            return None
        target = target_of(url)
        if has_proxy(self._options.proxy) and self._requester.goes_through_proxy(target):
            return None
        return target

    def _follow(self, url: str, headers: Mapping[str, str]) -> Answer:
        for _ in range(MAX_REDIRECTS + 1):
            answer = self._request(url, headers)
            if answer.status not in _REDIRECTS or "location" not in answer.headers:
                return answer
            answer.release()
            url = self._redirected(url, _location(answer))
        raise _never(f"the server redirects more than {MAX_REDIRECTS} times")

    def _redirected(self, url: str, location: str) -> str:
        """Where `url` redirects to. Raises FetchFailure where that may not be."""
        try:
            found = urljoin(url, location)
            scheme = urlsplit(found).scheme
        except ValueError as error:
            raise _never("the server redirects to what is no URL") from error
        if scheme not in ("http", "https"):
            raise _never("the server redirects to something that is not http or https")
        if scheme == "http" and urlsplit(url).scheme == "https":
            self._leave_tls(found)
        return found

    def _leave_tls(self, url: str) -> None:
        if self._options.strict_tls:
            raise _never("the server redirects from https to http: --strict-tls refuses that")
        tell, self._on_left_tls = self._on_left_tls, None
        if tell is not None:
            tell(url)

    def _request(self, url: str, headers: Mapping[str, str]) -> Answer:
        target = target_of(url)
        headers = self._with_own(url, headers)
        if has_proxy(self._options.proxy) and self._requester.goes_through_proxy(target):
            self.reach.examine_url(target.clean)
            return self._requester.send(target, headers)
        with translated():
            return self._direct.send(target, headers)

    def _with_own(self, url: str, headers: Mapping[str, str]) -> Mapping[str, str]:
        """`headers`, and what the user wants `url` to be asked with."""
        options = self._options
        if options.headers and (
            options.header_all_hosts or may_see_user_headers(url, self._origin)
        ):
            headers = _overridden(headers, options.headers)
        if login := authorization(url):
            headers = _overridden({"Authorization": login}, tuple(headers.items()))
        return headers

    @cached_property
    def _requester(self) -> "Requester":
        from pipeline.net.requester import Requester  # noqa: PLC0415  (80 ms that few runs need)

        return Requester(self._options, self._connections.most, self.cookies)


def _overridden(headers: Mapping[str, str], own: tuple[tuple[str, str], ...]) -> dict[str, str]:
    """`headers` with the user's own, which replace those of the same name in any case.

    Several of one name are one with all their values (RFC 9110 section 5.3; RFC 6265 section 5.4
    for cookies).
    """
    joined: dict[str, tuple[str, str]] = {}
    for name, value in own:
        known, values = joined.get(name.lower(), (name, None))
        between = "; " if name.lower() == "cookie" else ", "
        joined[name.lower()] = known, value if values is None else f"{values}{between}{value}"
    kept = {name: value for name, value in headers.items() if name.lower() not in joined}
    return kept | dict(joined.values())


def _never(reason: str) -> FetchFailure:
    return FetchFailure(NetworkError, reason, Patience.NEVER)


def _location(answer: Answer) -> str:
    """The Location header; servers send UTF-8 where http.client reads Latin-1."""
    return answer.headers["location"].encode("latin-1", "replace").decode("utf-8", "replace")
