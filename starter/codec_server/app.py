"""Temporal's protocol for remote codecs: POST …/decode and …/encode, each with payloads as JSON.

Browsers ask for pages of the allowed origins alone, and everybody shows a token: in the header
`Authorization: Bearer …`, or as the first part of the path, for a UI that sends no such header.
"""

from __future__ import annotations

import hmac
import logging
from collections.abc import Collection, Mapping
from typing import Final, NamedTuple

from google.protobuf import json_format
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.types import Receive, Scope, Send
from temporalio.api.common.v1 import Payloads
from temporalio.converter import PayloadCodec

from domain.errors import CannotDecrypt

logger = logging.getLogger("orderloom.codec_server")

BODY_BYTES_MAX: Final = 16 * 2**20
"""Of a request. Temporal takes no payload of more than 2 MiB; the UI asks for several at once."""

_ALLOWED_HEADERS: Final = "authorization, content-type, x-namespace"
_PREFLIGHT_KEPT_S: Final = 600


class _Refusal(Exception):
    def __init__(self, status: int, code: str, title: str, detail: str) -> None:
        super().__init__(title)
        self.status = status
        self.document = {
            "type": "about:blank",
            "title": title,
            "status": status,
            "detail": detail,
            "code": code,
        }


class _Path(NamedTuple):
    first: str
    last: str

    @classmethod
    def of(cls, path: str) -> _Path:
        parts = [part for part in path.split("/") if part] or [""]
        return cls(parts[0], parts[-1])


class CodecApp:
    """The protocol as an ASGI application. No value that is decrypted, and no path, is logged."""

    def __init__(self, codec: PayloadCodec, *, token: str, origins: Collection[str]) -> None:
        """`origins`: of the pages that may ask, as `https://host:port`."""
        self._codec = codec
        self._token = token.encode()
        self._origins = frozenset(origins)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        request = Request(scope, receive)
        origin = request.headers.get("origin")
        try:
            answer = await self._answer(request, origin)
        except ClientDisconnect:
            return
        except _Refusal as refusal:
            logger.warning(
                "refused with %d, %s; origin %.200r", refusal.status, refusal, origin or "none"
            )
            answer = JSONResponse(
                refusal.document,
                status_code=refusal.status,
                media_type="application/problem+json",
                headers=_extra(refusal.status),
            )
        answer.headers["Cache-Control"] = "no-store"
        answer.headers["Vary"] = "Origin"
        if origin in self._origins:
            answer.headers["Access-Control-Allow-Origin"] = origin or ""
        await answer(scope, receive, send)

    async def _answer(self, request: Request, origin: str | None) -> Response:
        if origin is not None and origin not in self._origins:
            raise _Refusal(
                403,
                "origin_not_allowed",
                "Pages of this origin may not ask",
                "Start the codec server with --origin and the address of the Temporal UI, as the "
                "browser shows it: scheme, host and port.",
            )
        if request.method == "OPTIONS":  # a browser asks beforehand, and cannot show a token yet
            return Response(
                status_code=204,
                headers={
                    "Access-Control-Allow-Methods": "POST",
                    "Access-Control-Allow-Headers": _ALLOWED_HEADERS,
                    "Access-Control-Max-Age": str(_PREFLIGHT_KEPT_S),
                },
            )
        path = _Path.of(request.url.path)
        if not self._is_known(request.headers, path.first):
            raise _Refusal(
                401,
                "no_token",
                "The access token is missing or wrong",
                "Send it as 'Authorization: Bearer TOKEN', or put it before the path: "
                "/TOKEN/decode.",
            )
        if path.last not in ("decode", "encode"):
            raise _Refusal(404, "not_found", "There is no such path", "Ask for decode or encode.")
        if request.method != "POST":
            raise _Refusal(405, "method_not_allowed", "Only POST is taken", "Send a POST.")
        payloads = _payloads(await _body(request))
        try:
            if path.last == "decode":
                done = await self._codec.decode(payloads.payloads)
            else:
                done = await self._codec.encode(payloads.payloads)
        except CannotDecrypt as error:
            raise _Refusal(
                422, error.kind, "A payload cannot be decrypted", f"Of one payload: {error}."
            ) from None
        return Response(
            json_format.MessageToJson(Payloads(payloads=done), indent=None),
            media_type="application/json",
        )

    def _is_known(self, headers: Mapping[str, str], first: str) -> bool:
        scheme, _, shown = headers.get("authorization", "").partition(" ")
        by_header = scheme.lower() == "bearer" and hmac.compare_digest(
            shown.strip().encode(), self._token
        )
        by_path = hmac.compare_digest(first.encode("utf-8", "replace"), self._token)
        return by_header or by_path


async def _body(request: Request) -> bytes:
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > BODY_BYTES_MAX:
            raise _Refusal(
                413,
                "too_large",
                "The request is too large",
                f"{BODY_BYTES_MAX} bytes are taken at most: ask for fewer payloads at once.",
            )
    return bytes(body)


def _payloads(body: bytes) -> Payloads:
    try:
        return json_format.Parse(body, Payloads(), ignore_unknown_fields=True)
    except (json_format.ParseError, ValueError, RecursionError):
        # What it says may quote the body.
        raise _Refusal(
            400,
            "not_payloads",
            "The body is not understood",
            'It must be JSON as in {"payloads": [{"metadata": {"encoding": "…"}, "data": "…"}]}, '
            "with bytes in base64.",
        ) from None


def _extra(status: int) -> dict[str, str]:
    return {401: {"WWW-Authenticate": "Bearer"}, 405: {"Allow": "POST, OPTIONS"}}.get(status, {})
