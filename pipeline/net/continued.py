"""A body that goes on where it broke off or lags: the rest of the same entity, by a Range request.

Whoever reads it notices nothing: neither what was decrypted nor what was handed on is lost. The
supervisor has said beforehand how often that may be tried, and after which pauses, and hears of
each time. Not covered: starting over, when nothing can be continued (`processes.dispatch`).
"""

import time
from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple

from pipeline.errors import NetworkError
from pipeline.net.ahead import Ahead
from pipeline.net.answers import (
    Answer,
    check_status,
    range_to_skip,
    refuse_encoded,
    retry_after,
)
from pipeline.net.body import Allowance, Body, refuse_immense
from pipeline.net.entity import Entity, entity_of
from pipeline.net.failure import FetchFailure, Patience
from pipeline.net.lag import Lag
from pipeline.net.meter import Meter
from pipeline.units import KIB

#: Bytes that must be there for a continuation to be worth it. What is less is soon fetched again,
#: and to start over is the more robust way: it wants nothing of the server but the same once more.
_WORTH_KEEPING = 256 * KIB

ByteRange = tuple[int, int]  # (offset, length)
Send = Callable[[Mapping[str, str]], Answer]


class Continuations:
    """How often one try may be continued, and after which pauses."""

    def __init__(
        self,
        pauses: Iterable[float],
        tell: Callable[[FetchFailure, float], None],
        sleep: Callable[[float], None] = time.sleep,
        changed_over: Callable[[], None] = lambda: None,
    ) -> None:
        """`tell` hears of each continuation before its pause: what broke, and how long it is.

        `changed_over` hears of each body that lags, when its rest is asked for elsewhere.
        """
        self._pauses = iter(pauses)
        self._tell = tell
        self._sleep = sleep
        self.changed_over = changed_over

    def wait(self, failure: FetchFailure) -> None:
        """Wait for the next continuation. Raises `failure` if there may be none."""
        pause = next(self._pauses, None)
        if failure.patience is not Patience.FULL or pause is None:
            raise failure
        self._tell(failure, pause)
        self._sleep(pause)


class Manner(NamedTuple):
    """How a body is read."""

    timeout: float  # seconds for each wait for the server
    continuations: Continuations | None = None  # None: the rest is not asked for
    allowance: Allowance | None = None  # None: as fast as it comes
    meter: Meter | None = None
    #: Called with an answer whose body is about to end (`ahead`), until that has had an effect.
    ask_next: Callable[[Answer], bool] | None = None


class ContinuedBody:
    """A body with the interface of `Body`, made of as many responses as it takes."""

    def __init__(self, send: Send, byte_range: ByteRange | None, manner: Manner) -> None:
        """`send` makes a request with these headers. Raises FetchFailure."""
        self._send = send
        self._manner = manner
        self._continuations = manner.continuations
        self._byte_range = byte_range
        self._answer = send(range_header(byte_range))
        self._begun = time.time()
        self._body = self._taken(self._answer, byte_range)
        self._entity: Entity | None = None  # looked at when something has broken off
        self._offset, self._left = byte_range or (0, 0)
        self._received = 0  # bytes of the bodies before this one

    def _taken(self, answer: Answer, byte_range: ByteRange | None) -> Body:
        """The body of an answer to what was asked for. Raises FetchFailure."""
        try:
            check_status(answer)
            refuse_encoded(answer)
            skip = range_to_skip(answer, byte_range)
            refuse_immense(byte_range[1] if byte_range else answer.length)
            manner = self._manner
            lag = self._lag_of(answer)
            body = Body(answer, skip, byte_range, manner.timeout, manner.allowance, lag)
        except BaseException:
            answer.release()
            raise
        if (ask_next := manner.ask_next) is not None:
            body.look_ahead(Ahead(answer, lambda: ask_next(answer)))
        return body

    def _lag_of(self, answer: Answer) -> Lag | None:
        if self._manner.meter is None:
            return None
        lag = Lag(lambda: answer.idle_share, self._manner.meter)
        if self._continuations is None or self._manner.allowance is not None:
            lag.stay()  # the rest may not be asked for, or it is we who are slow
        return lag

    def close(self) -> None:
        """Nothing more is read."""
        self._answer.release()

    @property
    def ended(self) -> bool:
        """Whether all bytes that were announced have been read."""
        return self._body.ended

    @property
    def until_close(self) -> bool:
        """Whether it ends with the connection: nobody can tell whether it is whole."""
        return self._body.until_close

    def readinto(self, view: memoryview) -> int:
        """Fill `view`; fewer bytes than fit mean the end of the body. Raises FetchFailure."""
        size = 0
        while True:
            before = self._body.received
            try:
                size += self._body.readinto(view[size:])
            except FetchFailure as failure:
                size += self._body.received - before
                self._go_on(failure)
            else:
                if not self._body.lags:
                    return size
                self._change_over()

    def _go_on(self, failure: FetchFailure) -> None:
        """Ask for the rest. Raises FetchFailure, that of the body or that of its continuation.

        A response that brought nothing is not continued: it may have been our Range that the
        server cannot bear. That nobody answers says nothing, and is tried again.
        """
        brought = self._body.received
        self._answer.release()
        self._look_at_entity()
        self._advance(brought)
        if self._entity is None or self._continuations is None or not self._is_worth_it(brought):
            raise failure
        self._answer = self._rest_of(self._entity, self._continuations, failure)
        self._body = self._taken(self._answer, (self._offset, self._left))

    def _look_at_entity(self) -> None:
        if self._entity is None:
            self._entity = entity_of(self._answer, self._byte_range is not None, self._begun)
            if self._entity is not None and self._byte_range is None:
                self._left = self._entity.size

    def _advance(self, brought: int) -> None:
        self._received += brought
        self._offset, self._left = self._offset + brought, self._left - brought

    def _change_over(self) -> None:
        """Have the rest come through a connection that lies idle, or else stay with this one."""
        self._look_at_entity()
        brought = self._body.received
        rest = self._offset + brought, self._left - brought
        try:
            answer = self._rest_beside(rest)
            body = self._taken(answer, rest)
        except FetchFailure:
            self._body.stay()
            return
        self._answer.release()
        self._advance(brought)
        self._answer, self._body = answer, body

    def _rest_beside(self, rest: ByteRange) -> Answer:
        """The rest, while the answer that lags is still there. Raises FetchFailure."""
        entity = self._entity
        if entity is None or self._continuations is None:
            raise FetchFailure(NetworkError, "the rest cannot be asked for", Patience.NEVER)
        self._continuations.changed_over()
        answer = self._send({**range_header(rest), "If-Range": entity.validator})
        _require_rest(answer, entity)
        return answer

    def _is_worth_it(self, brought: int) -> bool:
        return brought > 0 and self._left > 0 and self._received >= _WORTH_KEEPING

    def _rest_of(
        self, entity: Entity, continuations: Continuations, failure: FetchFailure
    ) -> Answer:
        rest = range_header((self._offset, self._left))
        while True:
            continuations.wait(failure)
            try:
                answer = self._send({**rest, "If-Range": entity.validator})
            except FetchFailure as unanswered:
                failure = unanswered
            else:
                _require_rest(answer, entity)
                return answer


def _require_rest(answer: Answer, entity: Entity) -> None:
    """Refuse what is not a part of `entity`. Raises FetchFailure.

    Starting over will show whether the segment itself is gone: here, no status means that.
    """
    if answer.status == 206 and entity_of(answer, True, time.time()) == entity:
        return
    answer.release()
    reason = f"it broke off, and the server does not go on with it (HTTP {answer.status})"
    raise FetchFailure(NetworkError, reason, Patience.FULL, retry_after(answer))


def range_header(byte_range: ByteRange | None) -> dict[str, str]:
    """What asks for a part, or for the whole."""
    if byte_range is None:
        return {}
    offset, length = byte_range
    return {"Range": f"bytes={offset}-{offset + length - 1}"}
