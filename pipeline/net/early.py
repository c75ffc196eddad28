"""A request that is sent before its answer is wanted: a segment's, while its key is on its way.

It is made once: whoever wants the answer before it was sent makes it instead. Not covered: when it
pays (`processes.foresight`), and where the answer is kept (`due`).
"""

from collections.abc import Callable

from pipeline.net.connection import Connection
from pipeline.net.connections import Connections, Site
from pipeline.net.translation import translated


class EarlyRequest:
    """One such request. Either `send` or `drop` must follow."""

    def __init__(
        self,
        connections: Connections,
        site: Site,
        what: str,
        request: bytes,
        connect: Callable[[Site], Connection],
    ) -> None:
        """`connections.ask` for `what` at `site` finds the answer to `request`."""
        self._connections = connections
        self._site = site
        self._what = what
        self._request = request
        self._connect = connect
        connections.due.announce((site, what))

    def send(self) -> None:
        """Send it, if nobody has made it meanwhile. Raises FetchFailure."""
        try:
            with translated():
                self._connections.ask_early(self._site, self._what, self._request, self._connect)
        finally:
            self.drop()

    def drop(self) -> None:
        """It is not sent any more, if it was not."""
        self._connections.due.settle((self._site, self._what))
