"""What the service answers to what it will not do: one class for each HTTP status."""

from http import HTTPStatus

from pipeline.errors import UsageError


class Refusal(UsageError):
    """The request cannot be carried out; the message says why, in one sentence."""

    status = HTTPStatus.BAD_REQUEST


class UnauthorizedError(Refusal):
    """No token, or a wrong one."""

    status = HTTPStatus.UNAUTHORIZED


class NoSuchJobError(Refusal):
    """No job has this id (any more)."""

    status = HTTPStatus.NOT_FOUND


class ConflictError(Refusal):
    """The job's state, or another job, stands against it."""

    status = HTTPStatus.CONFLICT


class TooLargeError(Refusal):
    """More bytes than a request may have."""

    status = HTTPStatus.REQUEST_ENTITY_TOO_LARGE


class NotJsonError(Refusal):
    """The body is declared as something else than JSON."""

    status = HTTPStatus.UNSUPPORTED_MEDIA_TYPE


class TooSlowError(Refusal):
    """The body did not come in time."""

    status = HTTPStatus.REQUEST_TIMEOUT


class MisdirectedError(Refusal):
    """The Host header names somebody else: a page that rebinds its name to this address."""

    status = HTTPStatus.MISDIRECTED_REQUEST


class UnacceptableError(Refusal):
    """The JSON is well-formed, and says what cannot be done."""

    status = HTTPStatus.UNPROCESSABLE_ENTITY


class UnavailableError(Refusal):
    """Not now: the service is stopping, is drained, or serves too many."""

    status = HTTPStatus.SERVICE_UNAVAILABLE
