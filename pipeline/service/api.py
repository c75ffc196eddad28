"""The REST API: what clients may ask, and what they are answered.

    GET  /api/v1/jobs?state=queued,running&after=17&limit=100    POST /api/v1/jobs
    GET  /api/v1/jobs/17                                         POST /api/v1/jobs/17/cancel
    GET  /api/v1/service                                         POST /api/v1/service/drain
    GET  /events    GET  /healthz    GET  /metrics

Not covered: who may ask at all (`access`), connections that dawdle (`connections`), what a job may
be (`intake`), what becomes of it (`dispatch`).
"""

from http import HTTPStatus
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from pipeline.errors import HlspipeError
from pipeline.service.answers import (
    failure_response,
    json_response,
    read_json,
    refusal_response,
    refuse_other_bodies,
)
from pipeline.service.hub import Client, Hub
from pipeline.service.metrics import CONTENT_TYPE, metrics
from pipeline.service.refusals import NoSuchJobError, Refusal, UnacceptableError
from pipeline.service.service import Service
from pipeline.service.states import Order, State
from pipeline.version import __version__

#: Jobs in one answer.
_MOST_LISTED = 1000

#: The largest id that SQLite can hold.
_LARGEST_ID = 2**63 - 1


def make_api(service: Service) -> Starlette:
    """The API of `service`, for whoever has been let in."""
    api = _Api(service)
    return Starlette(
        routes=[
            Route("/api/v1/jobs", api.list_jobs, methods=["GET"]),
            Route("/api/v1/jobs", api.submit, methods=["POST"]),
            Route("/api/v1/jobs/{number}", api.show_job, methods=["GET"]),
            *(
                Route(f"/api/v1/jobs/{{number}}/{order}", api.order(order), methods=["POST"])
                for order in Order
            ),
            Route("/api/v1/service", api.show_service, methods=["GET"]),
            Route("/api/v1/service/drain", api.drain(wanted=True), methods=["POST"]),
            Route("/api/v1/service/fill", api.drain(wanted=False), methods=["POST"]),
            Route("/events", api.events, methods=["GET"]),
            Route("/healthz", api.health, methods=["GET"]),
            Route("/metrics", api.metrics, methods=["GET"]),
        ],
        exception_handlers={
            HlspipeError: _explain,
            HTTPException: _explain_status,
            Exception: _apologize,
        },
    )


class _Api:
    """The endpoints."""

    def __init__(self, service: Service) -> None:
        self._service = service

    async def list_jobs(self, request: Request) -> Response:
        """Jobs by their ids, a page at a time."""
        query = request.query_params
        _refuse_unknown(query, {"state", "after", "limit"})
        states = _states(query.get("state"))
        after = _number(query.get("after", "0"), _LARGEST_ID)
        limit = _number(query.get("limit", "100"), _MOST_LISTED)
        jobs, counts = await self._service.ask(
            lambda queue: (queue.jobs(states, after, limit), queue.counts())
        )
        return json_response(
            {
                "jobs": [self._service.view(job) for job in jobs],
                "next": jobs[-1].id if limit and len(jobs) == limit else None,
                "counts": counts,
            }
        )

    async def submit(self, request: Request) -> Response:
        """One job, or an object with several."""
        body = await read_json(request)
        several = isinstance(body, dict) and "jobs" in body
        entries = _entries(body) if several else [body]
        entered = await self._service.submit(entries)
        views = [self._service.view(job) for job, _ in entered]
        status = HTTPStatus.CREATED if any(new for _, new in entered) else HTTPStatus.OK
        return json_response({"jobs": views} if several else views[0], status)

    async def show_job(self, request: Request) -> Response:
        """Everything about one job."""
        number = _id(request)
        job = await self._service.ask(lambda queue: queue.job(number))
        return json_response(self._service.view(job))

    def order(self, order: Order) -> Any:
        """The endpoint for orders of this kind."""

        async def carry_out(request: Request) -> Response:
            await refuse_other_bodies(request)
            job = await self._service.order(_id(request), order)
            return json_response(self._service.view(job))

        return carry_out

    async def show_service(self, request: Request) -> Response:
        """How the service is."""
        _refuse_unknown(request.query_params, set())
        counts = await self._service.ask(lambda queue: queue.counts())
        return json_response(
            {"version": __version__, "draining": self._service.draining, "counts": counts}
        )

    def drain(self, *, wanted: bool) -> Any:
        """The endpoint that stops intake, or takes it up again."""

        async def carry_out(request: Request) -> Response:
            await refuse_other_bodies(request)
            await self._service.drain(wanted=wanted)
            return await self.show_service(request)

        return carry_out

    async def events(self, request: Request) -> Response:
        """What happens from now on, or from the event on that the client had last."""
        hub = self._service.hub
        client = hub.connect(request.headers.get("last-event-id"))
        return _EventResponse(hub, client)

    async def health(self, _request: Request) -> Response:
        """Whether queue and engine answer."""
        await self._service.check()
        return json_response({"status": "ok"})

    async def metrics(self, _request: Request) -> Response:
        """For Prometheus."""
        counts = await self._service.ask(lambda queue: queue.counts())
        service = self._service
        page = metrics(counts, service.figures, service.hub.clients)
        return Response(page, media_type=CONTENT_TYPE)


class _EventResponse(StreamingResponse):
    """Sends events to one client, for as long as it is there."""

    def __init__(self, hub: Hub, client: Client) -> None:
        super().__init__(
            hub.messages(client),
            headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
            media_type="text/event-stream",
        )
        self._hub = hub
        self._client = client

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve, and note the end, however it comes."""
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._hub.disconnect(self._client)


async def _explain(_request: Request, error: Exception) -> Response:
    if isinstance(error, Refusal):
        return refusal_response(error)
    return failure_response(error) if isinstance(error, HlspipeError) else await _apologize()


async def _explain_status(_request: Request, error: Exception) -> Response:
    status = HTTPStatus(getattr(error, "status_code", HTTPStatus.BAD_REQUEST))
    headers = getattr(error, "headers", None)
    return json_response({"error": status.phrase}, status, headers)


async def _apologize(_request: Request | None = None, _error: Exception | None = None) -> Response:
    words = "Internal error: the daemon's log has the details"
    return json_response({"error": words}, HTTPStatus.INTERNAL_SERVER_ERROR)


def _id(request: Request) -> int:
    text = request.path_params["number"]
    if not (text.isascii() and text.isdecimal()) or len(text) > 18:
        raise NoSuchJobError("A job is known by its number")
    return int(text)


def _entries(body: dict[str, Any]) -> list[object]:
    entries = body["jobs"]
    if not isinstance(entries, list) or len(body) > 1:
        raise UnacceptableError('Several jobs are given as {"jobs": [...]}, and nothing beside it')
    return entries


def _states(text: str | None) -> list[State]:
    if text is None:
        return list(State)
    known = set(State)
    names = text.split(",")
    if not set(names) <= known:
        raise UnacceptableError(f"state: there are {', '.join(State)}")
    return [State(name) for name in names]


def _number(text: str, most: int) -> int:
    if not (text.isascii() and text.isdecimal()) or len(text) > 19 or int(text) > most:
        raise UnacceptableError(
            f"after and limit are whole numbers, limit of {_MOST_LISTED} at most"
        )
    return int(text)


def _refuse_unknown(query: Any, known: set[str]) -> None:
    if set(query) - known:
        raise UnacceptableError(f"The query may have {', '.join(sorted(known)) or 'nothing'}")
