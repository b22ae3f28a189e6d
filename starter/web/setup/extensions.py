"""What is installed beside the engine, as the program knows it that serves these pages."""

from __future__ import annotations

import asyncio
from typing import Annotated

from fastapi import APIRouter
from starlette.responses import Response

from runtime.extensions import installed
from starter.web.screens.visits import ScreenRoute, Visit, may
from starter.web.setup.parts import show

router = APIRouter(include_in_schema=False, route_class=ScreenRoute)


@router.get("/app/setup/extensions")
async def extensions(visit: Annotated[Visit, may("operations:read")]) -> Response:
    """Where each comes from, what it brings, and why one cannot be used."""
    return show(visit, "extensions", found=await asyncio.to_thread(installed))
