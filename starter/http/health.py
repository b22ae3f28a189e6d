"""Whether this program lives, and whether the servers behind it answer."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Annotated, Final, Literal

from fastapi import APIRouter, Depends, Request, Response
from pydantic import BaseModel, ConfigDict

from domain.errors import OrderloomError, Unreachable

logger = logging.getLogger(__name__)

WITHIN_S: Final = 3.0
"""A server that has not answered by then counts as away."""

Look = Callable[[], Awaitable[object]]
"""Asks a server for anything at all. Raises where it does not answer."""


class Alive(BaseModel):
    """This program answers."""

    model_config = ConfigDict(frozen=True)

    status: Literal["ok"] = "ok"


class ServerState(BaseModel):
    """One of the servers behind this program. `reason`: why it counts as away.

    Anybody may ask, so it tells no addresses and no versions: the log does.
    """

    model_config = ConfigDict(frozen=True)

    server: str
    answers: bool
    reason: str | None = None


class Readiness(BaseModel):
    """Whether requests can be taken.

    `ready`: every server answers. `degraded`: Temporal is away; orders are taken, and decided when
    it is back, and only requests to running orders wait. `away`: nothing can be done.
    """

    model_config = ConfigDict(frozen=True)

    status: Literal["ready", "degraded", "away"]
    servers: tuple[ServerState, ...]


class Health:
    """Looks at the servers, each by its name. Without a needed one nothing can be done."""

    def __init__(self, needed: dict[str, Look], others: dict[str, Look]) -> None:
        self._needed = needed
        self._others = others

    async def look(self) -> Readiness:
        """Ask all of them at once."""
        looks = self._needed | self._others
        states = await asyncio.gather(*(_look(name, ask) for name, ask in looks.items()))
        away = {state.server for state in states if not state.answers}
        status: Literal["ready", "degraded", "away"] = "ready"
        if away:
            status = "away" if away & self._needed.keys() else "degraded"
        return Readiness(status=status, servers=tuple(states))


async def _look(name: str, ask: Look) -> ServerState:
    try:
        async with asyncio.timeout(WITHIN_S):
            await ask()
    except TimeoutError:
        return ServerState(server=name, answers=False, reason=f"no answer within {WITHIN_S:.0f} s")
    except OrderloomError as error:
        logger.warning("%s counts as away: %s", name, error)
        is_silent = isinstance(error, Unreachable)
        reason = "it does not answer" if is_silent else "it answers, and cannot be used"
        return ServerState(server=name, answers=False, reason=reason)
    return ServerState(server=name, answers=True)


async def _health(request: Request) -> Health:
    health: Health = request.app.state.health
    return health


_LOOKED_AT_BY: Final = ["GET", "HEAD"]  # what stands in front of a server often asks by HEAD

router = APIRouter(include_in_schema=False)


@router.api_route(
    "/livez",
    methods=_LOOKED_AT_BY,
    operation_id="livez",
    summary="Is this program alive?",
)
async def livez() -> Alive:
    """It looks at nothing else: a program whose servers are away is not helped by a new start."""
    return Alive()


@router.api_route(
    "/readyz",
    methods=_LOOKED_AT_BY,
    operation_id="readyz",
    summary="Can requests be taken, and which server is away?",
    responses={503: {"model": Readiness, "description": "Nothing can be done."}},
)
async def readyz(health: Annotated[Health, Depends(_health)], response: Response) -> Readiness:
    """503 only where nothing can be done. Where Temporal is away, orders are still taken."""
    found = await health.look()
    response.status_code = 503 if found.status == "away" else 200
    return found
