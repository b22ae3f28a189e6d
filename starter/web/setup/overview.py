"""Everything that is set once and looked at seldom."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter
from starlette.responses import Response

from domain.access.keys import SCOPES
from domain.staff.roles import MAY, ROLES
from starter.web.screens.visits import LetsIn, ScreenRoute, Visit, may
from starter.web.setup.parts import show

router = APIRouter(include_in_schema=False, route_class=ScreenRoute)


@router.get("/app/setup")
async def overview(visit: Annotated[Visit, may("sellers:read")]) -> Response:
    """The way to each part of it."""
    return show(visit, "overview")


@router.get("/app/setup/roles")
async def roles(visit: LetsIn) -> Response:
    """What each role may: they are made of scopes, and come with Orderloom."""
    return show(visit, "roles", roles=ROLES, scopes=SCOPES, grants=MAY)
