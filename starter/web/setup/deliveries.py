"""What became of a subscription's messages: tried out, sent again, replayed."""

from __future__ import annotations

from datetime import datetime, time
from typing import Annotated

from fastapi import APIRouter
from starlette.responses import Response

from starter.web.screens.addresses import PAGE, day_in
from starter.web.screens.forms import NotAsked, told_by, whole
from starter.web.screens.visits import ScreenRoute, Visit, may
from starter.web.setup.parts import show
from starter.web.setup.subscriptions import done_or_again, mine, one_page

router = APIRouter(include_in_schema=False, route_class=ScreenRoute)

Reads = Annotated[Visit, may("events:read")]
Writes = Annotated[Visit, may("events:read", "events:write")]


@router.get("/app/setup/events/{subscription_id}")
async def subscription(visit: Reads, subscription_id: str, done: str = "") -> Response:
    """One of them, with its latest attempts and what waits."""
    return await one_page(visit, subscription_id, told=told_by(visit, done))


@router.get("/app/setup/events/{subscription_id}/attempts")
async def attempts(visit: Reads, subscription_id: str, before: str = "") -> Response:
    """All attempts to deliver, the latest first."""
    one = await mine(visit, subscription_id)
    found = await visit.here.subscriptions.deliveries(
        subscription_id, before=whole(before) or None, at_most=PAGE + 1
    )
    return show(
        visit,
        "attempts",
        one=one,
        attempts=found[:PAGE],
        more=f"before={found[PAGE - 1].attempt_id}" if len(found) > PAGE else "",
    )


@router.post("/app/setup/events/{subscription_id}/test")
async def test(visit: Writes, subscription_id: str) -> Response:
    """Have a worker send a test, once, also where it is paused. Its attempt stands below then."""

    async def act() -> str:
        await visit.here.subscriptions.test(subscription_id)
        return "test_sent"

    return await done_or_again(visit, subscription_id, act)


@router.post("/app/setup/events/{subscription_id}/resend")
async def resend(visit: Writes, subscription_id: str) -> Response:
    """Send dead letters again: those that are ticked, or all."""

    async def act() -> str:
        positions = [whole(text) for text in visit.sent.get("position", [])]
        if not positions and visit.field("which") != "all":
            raise NotAsked("none_ticked")
        await visit.here.subscriptions.resend(subscription_id, positions or None)
        return "sent_again"

    return await done_or_again(visit, subscription_id, act)


@router.post("/app/setup/events/{subscription_id}/replay")
async def replay(visit: Writes, subscription_id: str) -> Response:
    """Send everything again from a day on, where its reader is, under the same ids."""

    async def act() -> str:
        day = day_in(visit.field("since"))
        if day is None:
            raise NotAsked("which_day")
        since = datetime.combine(day, time(), visit.words.zone)
        await visit.here.subscriptions.replay(subscription_id, since=since)
        return "sent_again"

    return await done_or_again(visit, subscription_id, act)
