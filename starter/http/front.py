"""What every request goes through: an id, bounds of size and time, a line in the log, figures.

It stands in front of the framework, so that it also holds for paths that nobody answers.
"""

from __future__ import annotations

import asyncio
import logging
import re
import time
import traceback
import uuid
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final

import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from starter.http import problems
from starter.http.metrics import Metrics
from starter.http.problems import DEFECT, ProblemError
from starter.web.customer.faults import fault_page

logger = logging.getLogger("orderloom.http")

_DISCARD_SECONDS: Final = 1.0
_STREAM: Final = b"text/event-stream"
_UNREAD: Final = ("too_slow", "too_large", "busy")
"""Problems that tell of a body of which a part was not read."""
REQUEST_ID: Final = "X-Request-Id"
_OWN_ID: Final = re.compile(r"[A-Za-z0-9._-]{1,100}")
# A made-up method would be a label of its own in the figures.
_METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_ALWAYS: Final = {
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}


@dataclass(frozen=True)
class Limits:
    """Of one request: the bytes of its body, the time until that is here, and until the answer.

    `bodies_bytes`: of all requests together, because anybody may send a body, without a key. Bodies
    of `small_bytes` are taken all the same: large ones keep no order out.

    `ending_seconds`: the part of `answer_seconds` that is kept for breaking work off. A server that
    stalls has 2 s to confirm that it has stopped a statement, and 2 s to close its connection.
    """

    body_bytes: int = 8 * 2**20
    bodies_bytes: int = 128 * 2**20
    small_bytes: int = 64 * 2**10
    body_seconds: float = 15.0
    answer_seconds: float = 30.0
    ending_seconds: float = 5.0

    @property
    def work_seconds(self) -> float:
        """After so long, what a request began is broken off."""
        return self.answer_seconds - self.ending_seconds


class Front:
    """An ASGI application around another one."""

    def __init__(self, app: ASGIApp, *, limits: Limits, metrics: Metrics) -> None:
        self._app = app
        self._limits = limits
        self._metrics = metrics
        self._bodies_bytes = 0  # of the requests that are under way

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = _request_id(Headers(scope=scope))
        state = scope.setdefault("state", {})
        state["request_id"] = request_id
        state["body_bytes"] = 0
        asked = _asked(scope)
        answer = _Answer(send, request_id, state)
        began = time.perf_counter()
        with (
            structlog.contextvars.bound_contextvars(request_id=request_id),
            self._metrics.under_way.track_inprogress(),
        ):
            try:
                await self._answered(scope, asked, receive, answer)
            finally:
                self._bodies_bytes -= state["body_bytes"]
                self._tell(scope, asked, answer, time.perf_counter() - began)

    async def _answered(
        self, scope: Scope, asked: Scope, receive: Receive, answer: _Answer
    ) -> None:
        """`asked`: the request as the application sees it."""
        try:
            body = await self._body(scope, receive)
            async with asyncio.timeout(self._limits.work_seconds) as within:
                # A stream says so once it has begun: it has no end of its own.
                scope["state"]["flows"] = lambda: within.reschedule(None)
                await self._app(asked, body, answer.send)
            return
        except _Gone:
            answer.status = 499  # as it is written where a client has left
            return
        except ProblemError as refused:
            problem = refused
        except TimeoutError:
            problem = ProblemError(
                503,
                "timed_out",
                f"no answer within {self._limits.work_seconds:.0f} s. What was asked for may "
                "still be done: ask again with the same key",
                retryable=True,
            )
        except Exception as defect:  # noqa: BLE001 - a defect ends its request, not the others
            # Its message may quote what a customer wrote: the log gets its type and its place.
            where = "".join(traceback.format_tb(defect.__traceback__))
            logger.error("a request has failed: %s\n%s", type(defect).__name__, where)  # noqa: TRY400 - no message
            problem = ProblemError(500, "defect", DEFECT)
        if not answer.has_begun:
            # The rest of a body that was not read would be taken for the next request.
            headers = {"Connection": "close"} if problem.code in _UNREAD else {}
            page = fault_page(scope, problem.status_code, headers)
            response = page or problems.answer(
                status=problem.status_code,
                code=problem.code,
                detail=problem.detail,
                instance=scope["path"],
                request_id=answer.request_id,
                retryable=problem.retryable,
                headers=headers,
            )
            await response(scope, receive, answer.send)

    async def _body(self, scope: Scope, receive: Receive) -> Receive:
        """The whole body, read before anything is begun. Raises ProblemError."""
        most = self._limits.body_bytes
        told = Headers(scope=scope).get("content-length", "0")
        too_large = ProblemError(
            413, "too_large", f"the body has more than {most:,} bytes: send it in several requests"
        )
        if not told.isdecimal() or int(told) > most:
            await self._discard(receive)
            raise too_large
        chunks = []
        size, more = 0, True
        try:
            async with asyncio.timeout(self._limits.body_seconds):
                while more:
                    message = await receive()
                    if message["type"] == "http.disconnect":
                        raise _Gone
                    chunks.append(message.get("body", b""))
                    size, more = size + len(chunks[-1]), message.get("more_body", False)
                    if size > most:
                        await self._discard(receive)
                        raise too_large
                    scope["state"]["body_bytes"] = size
                    self._bodies_bytes += len(chunks[-1])
                    is_full = self._bodies_bytes > self._limits.bodies_bytes
                    if is_full and size > self._limits.small_bytes:
                        raise ProblemError(
                            503,
                            "busy",
                            "too many large bodies come at this moment: send it again later",
                            retryable=True,
                        )
        except TimeoutError:
            raise ProblemError(
                408,
                "too_slow",
                f"the body was not here within {self._limits.body_seconds:.0f} s",
                retryable=True,
            ) from None
        whole: Message = {"type": "http.request", "body": b"".join(chunks), "more_body": False}

        async def once() -> Message:
            nonlocal whole
            if whole["type"] == "http.request":
                message, whole = whole, {"type": "http.disconnect"}
                return message
            return await receive()

        return once

    async def _discard(self, receive: Receive) -> None:
        """Read on for a while: a client that is still sending would not read the refusal."""
        left = self._limits.body_bytes
        with suppress(TimeoutError):
            async with asyncio.timeout(_DISCARD_SECONDS):
                while left > 0:
                    message = await receive()
                    if not message.get("more_body", False):
                        return
                    left -= len(message.get("body", b""))

    def _tell(self, scope: Scope, asked: Scope, answer: _Answer, seconds: float) -> None:
        method = scope["method"] if scope["method"] in _METHODS else "OTHER"
        route = getattr(asked.get("route"), "path", "none")
        self._metrics.answered(method, route, answer.status, seconds)
        # The route, not the path or the query: those may name a person.
        told: dict[str, Any] = {
            "method": method,
            "route": route,
            "status": answer.status,
            "ms": round(1000 * seconds, 1),
        }
        if (key_id := scope["state"].get("key_id")) is not None:
            told["key"] = key_id
        logger.info("%s %s", method, route, extra=told)


def _asked(scope: Scope) -> Scope:
    """The request as the application answers it: HEAD as GET, whose body the server leaves out.

    A stream has no end, and nobody who asks by HEAD wants one.
    """
    if scope["method"] != "HEAD":
        return scope
    headers = [(k, v) for k, v in scope["headers"] if k != b"accept" or _STREAM not in v]
    return {**scope, "method": "GET", "headers": headers}


class _Gone(Exception):
    """The client has left before its request was whole."""


class _Answer:
    """What is sent, with the headers of every answer; and what it was."""

    def __init__(self, send: Send, request_id: str, state: Mapping[str, Any]) -> None:
        self._send = send
        self._state = state
        self.request_id = request_id
        self.status = 500
        self.has_begun = False

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status, self.has_begun = message["status"], True
            headers = MutableHeaders(scope=message)
            headers[REQUEST_ID] = self.request_id
            for name, value in {**_ALWAYS, **self._state.get("headers", {})}.items():
                headers.setdefault(name, value)
        await self._send(message)


def _request_id(headers: Headers) -> str:
    """The caller's own id, where it is one that can stand in a log; otherwise a new one."""
    own = headers.get(REQUEST_ID, "")
    return own if _OWN_ID.fullmatch(own) else f"req_{uuid.uuid4().hex}"
