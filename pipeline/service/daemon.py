"""The daemon: puts its parts together, and takes them apart in the right order.

    unix socket, TCP ─▶ web ─▶ api ─▶ service ─▶ keeper's thread: dispatch ─▶ queue
                                         ▲              │    ▲
                         hub ◀───────────┴──────────────┘    │ events
                                                          engine

The main thread runs the event loop. SIGTERM and SIGINT end it: intake stops, downloads are parked
so that they go on later, and within 20 s the process is gone; the second one does not wait for
that. SIGHUP reads the configuration again.
"""

import asyncio
import logging
import os
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from socket import socket

from pipeline.errors import HlspipeError
from pipeline.options import ServiceOptions
from pipeline.service.access import Guard, host_names, read_token
from pipeline.service.api import make_api
from pipeline.service.dispatch import Dispatcher
from pipeline.service.downloadroot import DownloadRoot
from pipeline.service.engine import Engine, Listener
from pipeline.service.hub import Hub
from pipeline.service.intake import Intake
from pipeline.service.keeper import Keeper
from pipeline.service.record import Job
from pipeline.service.service import Service
from pipeline.service.sockets import listen_tcp, listen_unix, lock
from pipeline.service.spool import Spool
from pipeline.service.web import Web
from pipeline.service.work import Work

_log = logging.getLogger("hlspipe.service")

#: What SIGHUP does not change: it would take another lock, another socket, another directory.
_FIXED = ("state_dir", "root", "socket", "listen", "allow_hosts", "spool")

MakeEngine = Callable[[Listener, ServiceOptions], Engine]
Reload = Callable[[], ServiceOptions]


class Daemon:
    """One daemon, from its lock to its end."""

    def __init__(self, options: ServiceOptions, reload: Reload, make_engine: MakeEngine) -> None:
        """`reload` reads the options again; it raises an HlspipeError if they are wrong."""
        self._options = options
        self._reload = reload
        self._make_engine = make_engine

    def run(self) -> None:
        """Serve until a signal says otherwise. Raises HlspipeError if it cannot begin."""
        options = self._options
        with ExitStack() as stack:
            stack.callback(os.close, lock(options.state_dir))
            root = DownloadRoot.at(options.root)
            keeper = Keeper(options.state_dir / "queue.db")
            stack.callback(keeper.close)
            local = stack.enter_context(listen_unix(options.socket))
            stack.callback(options.socket.unlink, missing_ok=True)
            remote = None
            if options.listen is not None:
                remote = stack.enter_context(listen_tcp(*options.listen))
            asyncio.run(self._serve(root, keeper, local, remote))

    async def _serve(
        self, root: DownloadRoot, keeper: Keeper, local: socket, remote: socket | None
    ) -> None:
        loop = asyncio.get_running_loop()
        hub = Hub(boot=f"{time.time_ns():x}")

        def tell(job: Job) -> None:
            loop.call_soon_threadsafe(lambda: hub.publish("job", service.view(job)))

        dispatcher = Dispatcher(keeper, self._engine, root, self._options, tell)
        service = Service(keeper, dispatcher, root, Intake(root, self._options.fetch), hub)
        webs = list(self._webs(service, local, remote))
        spool = Spool(self._options.spool) if self._options.spool is not None else None
        work = Work(service, dispatcher, webs, spool)
        work.take_signals(loop, lambda: self._adopt_new_options(service, dispatcher))
        await service.ask(dispatcher.park)
        await work.until_stopped()

    def _engine(self, listener: Listener) -> Engine:
        return self._make_engine(listener, self._options)

    def _webs(self, service: Service, local: socket, remote: socket | None) -> Iterator[Web]:
        api = make_api(service)
        yield Web(api, local)
        if remote is not None:
            host, port = remote.getsockname()[:2]
            path = self._options.state_dir / "token"
            names = host_names(host, self._options.allow_hosts)
            yield Web(Guard(api, read_token(path), names), remote)
            _log.info("Listening on %s port %d; the token is in %s", host, port, path)

    def _adopt_new_options(self, service: Service, dispatcher: Dispatcher) -> None:
        """What SIGHUP is for. Options that are wrong change nothing."""
        try:
            options = self._reload()
        except HlspipeError as error:
            _log.error("The configuration stays as it was: %s", error)
            return
        kept = {name: getattr(self._options, name) for name in _FIXED}
        changed = [name for name in _FIXED if getattr(options, name) != kept[name]]
        if changed:
            _log.warning("A change of %s takes a restart", ", ".join(changed))
        self._options = replace(options, **kept)
        dispatcher.adopt(self._options)
        service.intake = Intake(service.intake.root, self._options.fetch)
        _log.info("The configuration has been read again")
