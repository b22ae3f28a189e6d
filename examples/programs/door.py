"""Asks over HTTP, by the client that was made of the OpenAPI document, until there is an answer."""

from __future__ import annotations

import asyncio
from types import ModuleType
from typing import Any, Final

import httpx
from orderloom_client import AuthenticatedClient
from orderloom_client.api.orders import get_command
from orderloom_client.models import Command

_ANSWERED_WITHIN_S: Final = 40.0
_PATIENCE_S: Final = 180.0
_PAUSE_S: Final = 0.5
_PAGE: Final = 100
_DECIDED_LATER: Final = 202


class Refused(Exception):
    """A rule says no, or the request was wrong. `code`: which rule."""

    def __init__(self, problem: Any) -> None:
        super().__init__(f"{problem.code}: {problem.detail}")
        self.code: str = problem.code


class Door:
    """The API for one key. An operation is a module of the client, such as `place_order`."""

    def __init__(self, url: str, key: str) -> None:
        self.client: Any = AuthenticatedClient(
            base_url=url, token=key, timeout=httpx.Timeout(_ANSWERED_WITHIN_S)
        )

    async def ask(self, operation: ModuleType, **what: Any) -> Any:
        """The answer of an operation. Raises Refused.

        A request whose answer is lost, or that may succeed later, is repeated with the same key: so
        what it asks for is done once. What is decided later is waited for.
        """
        async with asyncio.timeout(_PATIENCE_S):
            while True:
                try:
                    answer = await operation.asyncio_detailed(client=self.client, **what)
                except httpx.TransportError:
                    await asyncio.sleep(_PAUSE_S)
                    continue
                if answer.status_code < 300:
                    break
                if not answer.parsed.retryable:
                    raise Refused(answer.parsed)
                await asyncio.sleep(_PAUSE_S)
            if answer.status_code == _DECIDED_LATER and isinstance(answer.parsed, Command):
                return await self._decided(answer.parsed)
            return answer.parsed

    async def _decided(self, command: Any) -> Any:
        """The outcome of a request that was answered with 202, as JSON has it."""
        while command.status == "running":
            await asyncio.sleep(_PAUSE_S)
            command = await self.ask(get_command, command_id=command.command_id)
        if command.problem:
            raise Refused(command.problem)
        return command.outcome

    async def all(self, operation: ModuleType, **what: Any) -> list[Any]:
        """All entries of a list, page by page."""
        found: list[Any] = []
        while True:
            page = await self.ask(operation, limit=_PAGE, **what)
            found += page.items
            if not page.has_more:
                return found
            what["cursor"] = page.next_cursor

    async def close(self) -> None:
        """Close its connections."""
        await self.client.get_async_httpx_client().aclose()
