"""Addresses below the screens' own at which there is no page."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter
from starlette.responses import Response

from starter.web.screens.visits import ScreenRoute, Visit, apart, may

router = APIRouter(include_in_schema=False, route_class=ScreenRoute)
"""Comes behind the routes of all rooms."""


@router.get("/app/{path:path}")
async def nowhere(visit: Annotated[Visit, may()]) -> Response:
    """A page with all places, from which somebody can go on."""
    return apart(visit.request, 404, visit.words("nothing_here"))
