"""The policy: what happens with orders of which nothing else is said. Read alone."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter
from starlette.responses import Response

from starter.web.screens.visits import ScreenRoute, Visit, may
from starter.web.setup.channel_pages import CHANNELS
from starter.web.setup.parts import show
from starter.web.setup.policy_rows import rows_of

router = APIRouter(include_in_schema=False, route_class=ScreenRoute)


@router.get("/app/setup/policy")
async def policy(visit: Annotated[Visit, may("sellers:read")]) -> Response:
    """What this program was started with, beside what is usual; and which channels differ."""
    usual = visit.here.channels.usual_policy
    channels = await CHANNELS.theirs(visit)
    return show(
        visit,
        "policy",
        rows=rows_of(usual),
        channels=[
            (one.channel, differing)
            for one in channels
            if (differing := rows_of(one.policy, only_set=True))
        ],
    )
