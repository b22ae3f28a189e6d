"""What is answered before an application is asked: problem documents (RFC 9457), as it makes them.

The connection ends with each of them: nobody knows where the next request would begin.
"""

from __future__ import annotations

import json
import uuid
from http import HTTPStatus
from typing import Final

from starlette.types import Receive, Scope, Send

_REQUEST_ID: Final = "x-request-id"
RETRY_AFTER_S: Final = 2


def body_of(
    status: HTTPStatus,
    code: str,
    detail: str,
    *,
    request_id: str,
    path: str = "",
    retryable: bool = False,
) -> bytes:
    """The document. `path`: empty where nobody knows what was asked for."""
    return json.dumps(
        {
            "type": "about:blank",
            "title": status.phrase,
            "status": status,
            "detail": detail,
            "instance": path,
            "code": code,
            "request_id": request_id,
            "retryable": retryable,
            "errors": [],
        }
    ).encode()


def _headers(body: bytes, request_id: str) -> list[tuple[bytes, bytes]]:
    return [
        (b"content-type", b"application/problem+json"),
        (b"content-length", str(len(body)).encode()),
        (b"cache-control", b"no-store"),
        (b"connection", b"close"),
        (_REQUEST_ID.encode(), request_id.encode()),
    ]


def whole(status: HTTPStatus, code: str, detail: str) -> bytes:
    """An answer as it is written to a connection whose request cannot be read."""
    request_id = _new_id()
    body = body_of(status, code, detail, request_id=request_id)
    lines = [f"HTTP/1.1 {status.value} {status.phrase}".encode()]
    lines += [b": ".join(header) for header in _headers(body, request_id)]
    return b"\r\n".join([*lines, b"", body])


async def too_many(scope: Scope, receive: Receive, send: Send) -> None:
    """The application that answers where there are too many connections."""
    request_id = _new_id()
    body = body_of(
        HTTPStatus.SERVICE_UNAVAILABLE,
        "busy",
        "too many requests are being answered at this moment: ask again later",
        request_id=request_id,
        path=scope["path"],
        retryable=True,
    )
    headers = [*_headers(body, request_id), (b"retry-after", str(RETRY_AFTER_S).encode())]
    await send({"type": "http.response.start", "status": 503, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def _new_id() -> str:
    return f"req_{uuid.uuid4().hex}"
