"""Where somebody arrives who has signed in."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter
from starlette.responses import Response

from starter.web.screens.visits import ScreenRoute, Visit, may

router = APIRouter(include_in_schema=False, route_class=ScreenRoute)


@router.get("/app")
async def home(visit: Annotated[Visit, may()]) -> Response:
    """The places that are their business."""
    return visit.show("screens/home")
