"""How far a playlist may lead: to public addresses only, where that is asked for (`block_private`).

The user's own URL sets what is allowed: if it leads to a private address, so may what is behind it.
Judged are the addresses that are connected to, each before the first packet goes there: whatever a
name stood for a moment earlier, however an address is spelt, and without a word about who listens
there. Behind a proxy there is no such address, and only what URLs say themselves is looked at:
names are the proxy's to resolve, and it knows what it may reach.
"""

import socket
from urllib.parse import urlsplit

from pipeline.errors import NetworkError
from pipeline.net.addresses import is_private
from pipeline.net.failure import FetchFailure, Patience
from pipeline.net.hosts import origin_of

_LOCAL_NAMES = ("localhost", ".localhost")


class Reach:
    """Where the requests of one transport may lead."""

    def __init__(self, origin: str, block_private: bool, origin_private: bool | None) -> None:
        """`origin` is the user's own URL; `origin_private` is what is known of it already."""
        self._origin = origin_of(origin)
        self._blocks = block_private
        #: Whether the user's own URL leads to a private address; None if it is not known yet.
        self.origin_private = origin_private

    @property
    def public_only(self) -> bool:
        """Whether nothing but public addresses may be connected to."""
        return self._blocks and not self.origin_private

    def examine(self, url: str, address: str) -> None:
        """`address` is to be connected to, for a request to `url`. Raises FetchFailure.

        The first address that the origin's name stands for decides what the origin is.
        """
        if not self._blocks:
            return
        private = is_private(address)
        if self.origin_private is None and origin_of(url) == self._origin:
            self.origin_private = private
        if private and self.public_only:
            raise _refused()

    def examine_url(self, url: str) -> None:
        """A proxy is to be asked for `url`, which is fit for the wire. Raises FetchFailure."""
        if not self._blocks:
            return
        if (address := _literal(urlsplit(url).hostname or "")) is not None:
            self.examine(url, address)


def _refused() -> FetchFailure:
    reason = "it leads to a private address (--allow-private permits that)"
    return FetchFailure(NetworkError, reason, Patience.NEVER)


def _literal(host: str) -> str | None:
    """The address that `host` is, or None for a name."""
    name = host.rstrip(".").lower()
    if name.endswith(_LOCAL_NAMES) or not name:
        return "127.0.0.1"
    if ":" in name:
        return name
    try:
        return socket.inet_ntoa(socket.inet_aton(name))  # as lenient as what connects
    except OSError:
        return None
