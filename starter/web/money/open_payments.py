"""Money that is under way: calls without an outcome, refunds that are owed, companies' events."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter
from starlette.responses import Response

from starter.web.money.parts import show, whose
from starter.web.screens.addresses import PAGE, onward, place_in
from starter.web.screens.visits import ScreenRoute, Visit, may

router = APIRouter(include_in_schema=False, route_class=ScreenRoute)

Reads = Annotated[Visit, may("payments:read")]


@router.get("/app/money/open")
async def unsettled(visit: Reads, after: str = "") -> Response:
    """Calls of payment companies whose outcome nobody knows yet, the oldest first."""
    place = place_in(after, datetime, str)
    found = await visit.here.payments.unsettled(
        after=None if place is None else (place[0], place[1]), at_most=PAGE + 1, **whose(visit)
    )
    rows, more = onward(found, {}, lambda one: (one.requested_at, one.payment_key))
    return show(visit, "unsettled", payments=rows, more=more)


@router.get("/app/money/open/refunds")
async def owed(visit: Reads, after: str = "") -> Response:
    """Refunds that were granted and are not paid, or that a bank sent back; the oldest first."""
    place = place_in(after, datetime, str)
    found = await visit.here.payments.owed(
        after=None if place is None else (place[0], place[1]), at_most=PAGE + 1, **whose(visit)
    )
    rows, more = onward(found, {}, lambda one: (one.granted_at, one.refund_id))
    return show(visit, "owed", refunds=rows, more=more)


@router.get("/app/money/open/events")
async def events(visit: Reads, all: str = "", after: str = "") -> Response:
    """What companies told us and could not be applied, the newest first. `all`: everything.

    They are of no channel or seller: who is for some of these sees none.
    """
    if visit.person.grant.is_restricted:
        return show(
            visit, "provider_events", events=[], more="", filters={"all": ""}, is_limited=True
        )
    place = place_in(after, datetime, str, str)
    found = await visit.here.payments.provider_events(
        failed=not all,
        after=None if place is None else (place[0], place[1], place[2]),
        at_most=PAGE + 1,
    )
    filters = {"all": "1" if all else ""}
    rows, more = onward(found, filters, lambda x: (x.received_at, x.provider, x.event_id))
    return show(visit, "provider_events", events=rows, more=more, filters=filters, is_limited=False)
