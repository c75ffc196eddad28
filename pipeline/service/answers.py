"""Answers in JSON, and requests that have to be JSON."""

import asyncio
import json
from http import HTTPStatus
from typing import Any

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from pipeline.errors import HlspipeError
from pipeline.jobs import strictjson
from pipeline.service.refusals import (
    NotJsonError,
    Refusal,
    TooLargeError,
    TooSlowError,
    UnauthorizedError,
)

#: Bytes of a request's body: thousands of jobs.
MOST_BYTES = 1 << 20

#: Seconds for all of it: 1 MB over the slowest of lines that somebody submits jobs from.
_BODY_SECONDS = 20.0


def json_response(
    value: object, status: int = HTTPStatus.OK, headers: dict[str, str] | None = None
) -> Response:
    """`value` as JSON. It is nobody's to keep: jobs change."""
    return Response(
        json.dumps(value).encode() + b"\n",
        status,
        {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff", **(headers or {})},
        "application/json",
    )


def refusal_response(refusal: Refusal) -> Response:
    """The answer to what will not be done."""
    extra = {"WWW-Authenticate": "Bearer"} if isinstance(refusal, UnauthorizedError) else None
    return json_response({"error": refusal.message}, refusal.status, extra)


def failure_response(error: HlspipeError) -> Response:
    """The answer where something failed that should have worked."""
    return json_response({"error": error.message}, HTTPStatus.SERVICE_UNAVAILABLE)


async def read_json(request: Request) -> Any:
    """The body of the request. Raises a Refusal."""
    declared = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if declared != "application/json":
        raise NotJsonError("The body must be JSON: Content-Type: application/json")
    try:
        async with asyncio.timeout(_BODY_SECONDS):
            body = await _read(request)
    except TimeoutError as error:
        raise TooSlowError("The body did not come in time") from error
    except ClientDisconnect as error:
        raise Refusal("The body did not come whole") from error
    try:
        return strictjson.read_json(body, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise Refusal("The body is no valid JSON") from error


async def refuse_other_bodies(request: Request) -> None:
    """Where no body is needed, one that is there has to be JSON all the same. Raises a Refusal."""
    if request.headers.get("content-length", "0") != "0" or "transfer-encoding" in request.headers:
        await read_json(request)


async def _read(request: Request) -> bytes:
    announced = request.headers.get("content-length", "0")
    body = bytearray()
    if announced.isdecimal() and int(announced) <= MOST_BYTES:
        async for piece in request.stream():
            body += piece
            if len(body) > MOST_BYTES:
                break
        else:
            return bytes(body)
    raise TooLargeError(f"A request has at most {MOST_BYTES} bytes: submit jobs in parts")


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")
