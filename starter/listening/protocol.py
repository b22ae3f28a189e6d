"""Limits on the head of a request: its bytes, and the time in which it must arrive.

uvicorn limits neither of them, and a client that sends a byte a minute would keep a connection for
ever. Bodies are bounded by the application, which can answer. What uvicorn would answer by itself,
in plain text, is a problem document here.
"""

from __future__ import annotations

import asyncio
from http import HTTPStatus
from typing import Any, Final, cast

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from starter.listening import refusals

HEAD_BYTES_MAX: Final = 64 * 1024
HEAD_SECONDS_MAX: Final = 10.0


class GuardedProtocol(HttpToolsProtocol):
    """A connection that ends where the head of a request is too large, or too slow."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._asked = self.app
        # It would answer in plain text that there are too many.
        self._at_once, self.limit_concurrency = self.limit_concurrency, None
        self._head_bytes = 0
        self._head_due: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A client has connected: it has some seconds to send the head of its first request."""
        super().connection_made(cast("asyncio.Transport", transport))  # of a socket, it is one
        self._await_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """The client has gone."""
        self._head_arrived()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """A part of a request, or several requests."""
        if self._head_due is not None:
            self._head_bytes += len(data)
        super().data_received(data)
        is_unfinished = self._head_due is not None and not self.transport.is_closing()
        if is_unfinished and self._head_bytes > HEAD_BYTES_MAX:
            self._end(
                HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE,
                "too_large",
                f"the head of the request has more than {HEAD_BYTES_MAX:,} bytes",
            )

    def on_message_begin(self) -> None:
        """A request begins."""
        super().on_message_begin()
        if self._head_due is None:
            self._await_head()

    def on_headers_complete(self) -> None:
        """The head of a request is whole."""
        self._head_arrived()
        busy = max(len(self.connections), len(self.tasks))
        is_full = self._at_once is not None and busy >= self._at_once
        self.app = refusals.too_many if is_full else self._asked
        super().on_headers_complete()

    def send_400_response(self, msg: str) -> None:
        """What came is no HTTP; `msg` says so in uvicorn's words."""
        self._end(HTTPStatus.BAD_REQUEST, "not_http", "what came is no request of HTTP/1.1")

    def _end(self, status: HTTPStatus, code: str, detail: str) -> None:
        self.transport.write(refusals.whole(status, code, detail))
        self.transport.close()

    def _await_head(self) -> None:
        self._head_bytes = 0
        self._head_due = self.loop.call_later(HEAD_SECONDS_MAX, self._too_slow)

    def _head_arrived(self) -> None:
        if self._head_due is not None:
            self._head_due.cancel()
            self._head_due = None

    def _too_slow(self) -> None:
        self._head_due = None
        self.transport.close()
