"""Requests, read strictly: no NUL in an address; bodies by the parser that reads order files."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import Request, Response
from fastapi.routing import APIRoute
from pydantic_core import from_json

from starter.http.problems import ProblemError


class _StrictRequest(Request):
    async def json(self) -> Any:
        """Neither NaN nor nesting without end, which Python's own parser takes, or dies of."""
        try:
            return from_json(await self.body(), allow_inf_nan=False)
        except ValueError as error:
            raise ProblemError(400, "not_json", f"the body is no JSON: {error}") from None


class StrictRoute(APIRoute):
    """A route whose body is read so."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Answers a request as the framework does, but for how its body is read."""
        answer = super().get_route_handler()

        async def strictly(request: Request) -> Response:
            # No text that is kept has one, and PostgreSQL takes none.
            if "\0" in request.scope["path"] or b"%00" in request.scope["query_string"]:
                raise ProblemError(422, "invalid_input", "the address holds a NUL character")
            return await answer(_StrictRequest(request.scope, request.receive))

        return strictly
