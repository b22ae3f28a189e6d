"""Requests, read strictly: no NUL in an address; bodies by the parser that reads order files."""

from __future__ import annotations

import re
from collections.abc import Callable, Coroutine
from typing import Any, Final

from fastapi import Request, Response
from fastapi.routing import APIRoute
from pydantic_core import from_json

from starter.http.problems import ProblemError

FILES: Final = (
    *("application/json", "application/jsonl", "application/x-ndjson", "text/csv"),
    *("text/tab-separated-values", "text/plain", "application/octet-stream"),
)
"""The types of files that can be sent. What is in one is told by its content."""

_JSON: Final = re.compile(r"application/([^;\s]+\+)?json(\s*;.*)?", re.IGNORECASE)


def json_of(body: bytes) -> Any:
    """The content of a body; None: it is empty. Raises ProblemError where it is no JSON.

    It takes neither NaN nor nesting without end. Python's own parser takes the first, and dies of
    the second.
    """
    try:
        return from_json(body, allow_inf_nan=False) if body else None
    except ValueError as error:
        raise ProblemError(400, "not_json", f"the body is no JSON: {error}") from None


class _StrictRequest(Request):
    async def json(self) -> Any:
        return json_of(await self.body())


async def _check_json(request: Request) -> None:
    """Raises ProblemError for a body that does not say that it is JSON, or is compressed."""
    if not await request.body():
        return
    if not _JSON.fullmatch(request.headers.get("content-type", "").strip()):
        raise ProblemError(415, "not_json", "say Content-Type: application/json, and send JSON")
    if request.headers.get("content-encoding", "identity") != "identity":
        raise ProblemError(415, "not_json", "send the JSON as it is, without Content-Encoding")


async def _check_file(request: Request) -> None:
    """Raises ProblemError for a file of a type that none is read of, or that is compressed."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind not in FILES:
        raise ProblemError(
            415, "no_file", f"send the file as it is, with one of Content-Type: {', '.join(FILES)}"
        )
    if request.headers.get("content-encoding", "identity") != "identity":
        raise ProblemError(415, "no_file", "send the file as it is, without Content-Encoding")


class StrictRoute(APIRoute):
    """A route whose body is read so."""

    check_kind = staticmethod(_check_json)

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Answers a request as the framework does, but for how its body is read."""
        answer = super().get_route_handler()

        async def strictly(request: Request) -> Response:
            # No text that is kept has one, and PostgreSQL takes none.
            if "\0" in request.scope["path"] or b"%00" in request.scope["query_string"]:
                raise ProblemError(422, "invalid_input", "the address holds a NUL character")
            strict = _StrictRequest(request.scope, request.receive)
            await self.check_kind(strict)
            return await answer(strict)

        return strictly


class FileRoute(StrictRoute):
    """A route whose body is a file."""

    check_kind = staticmethod(_check_file)
