"""Where money waits for somebody, and the way to all that is known of it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Final

from fastapi import APIRouter
from starlette.responses import Response

from starter.web.money.disputes import days_left, due_of
from starter.web.money.parts import own_sellers, show, whose
from starter.web.screens.visits import ScreenRoute, Visit, may

router = APIRouter(include_in_schema=False, route_class=ScreenRoute)

_COUNTED_MOST: Final = 50
"""More are not counted: nobody does other things with 3,000 than with 50."""


@router.get("/app/money")
async def overview(visit: Annotated[Visit, may("accounting:read")]) -> Response:
    """Each part of it, with how much waits there."""
    here, limits, most = visit.here, whose(visit), _COUNTED_MOST + 1
    counts: dict[str, int] = {}
    next_due = ""
    if visit.person.allows("reconciliation:read"):
        found = await here.reconciliation.differences(sellers=own_sellers(visit), at_most=most)
        counts["differences"] = len(found)
    if visit.person.allows("payments:read"):
        disputes = await here.payments.due_disputes(at_most=most, **limits)
        counts["disputes"] = len(disputes)
        due = [by for one in disputes if (by := due_of(one)) is not None]
        if due:
            next_due = days_left(visit.words, due[0], datetime.now(UTC))
        unsettled = await here.payments.unsettled(at_most=most, **limits)
        owed = await here.payments.owed(at_most=most, **limits)
        counts["open_payments"] = len(unsettled) + len(owed)
    if visit.person.allows("carriers:read"):
        claims = await here.carrier_claims.list(state="due", at_most=most, **limits)
        counts["carrier_claims"] = len(claims)
    return show(visit, "overview", counts=counts, most=_COUNTED_MOST, next_due=next_due)
