"""A request that is sent before its answer is wanted: a segment's, while its key is on its way.

From the moment at which this is made, whoever wants the answer waits for the request to be sent,
instead of making it once more. Not covered: when that pays (`processes.dispatch`).
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
        """Send it, on a connection that nothing has been asked on. Raises FetchFailure."""
        try:
            with translated():
                self._connections.ask_early(self._site, self._what, self._request, self._connect)
        finally:
            self.drop()

    def drop(self) -> None:
        """Nobody waits for it any longer."""
        self._connections.due.settle((self._site, self._what))
