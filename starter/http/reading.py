"""Requests, read strictly: a stranger's body is not looked at, no NUL stands in an address.

Bodies are read by the parser that reads order files.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Coroutine
from typing import Any, Final

from fastapi import Request, Response
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute
from pydantic_core import from_json
from starlette.routing import Match
from starlette.types import Scope

from starter.http.callers import authenticated, caller_of
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


_LITERAL: Final[set[str]] = set()
"""Paths without a name in them: they belong to no route that has one there."""


class StrictRoute(APIRoute):
    """A route whose requests are read so."""

    check_kind = staticmethod(_check_json)

    def __init__(self, path: str, *args: Any, **options: Any) -> None:
        super().__init__(path, *args, **options)
        if "{" not in path:
            _LITERAL.add(path)

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """`/v1/orders/many` is no order that is called many."""
        if scope["type"] == "http" and "{" in self.path and scope["path"] in _LITERAL:
            return Match.NONE, {}
        return super().matches(scope)

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Answers a request as the framework does, but for how its body is read."""
        answer = super().get_route_handler()
        takes_keys = _takes_keys(self.dependant)

        async def strictly(request: Request) -> Response:
            # No text that is kept has one, and PostgreSQL takes none.
            if "\0" in request.scope["path"] or b"%00" in request.scope["query_string"]:
                raise ProblemError(422, "invalid_input", "the address holds a NUL character")
            if takes_keys:
                await authenticated(request)
            strict = _StrictRequest(request.scope, request.receive)
            await self.check_kind(strict)
            return await answer(strict)

        return strictly


def _takes_keys(dependant: Dependant) -> bool:
    """Whether a route is for callers with a key."""
    return any(one.call is caller_of or _takes_keys(one) for one in dependant.dependencies)


class FileRoute(StrictRoute):
    """A route whose body is a file."""

    check_kind = staticmethod(_check_file)
