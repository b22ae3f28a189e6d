"""Disputes: what a customer's bank takes back or asks about, and until when we can answer."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter
from starlette.responses import Response

from domain.payments.disputes import CLOSED
from starter.web.money.parts import show, whose
from starter.web.screens.addresses import PAGE, onward, place_in
from starter.web.screens.visits import ScreenRoute, Visit, may
from starter.web.words import Words

router = APIRouter(include_in_schema=False, route_class=ScreenRoute)


@router.get("/app/money/disputes")
async def disputes(
    visit: Annotated[Visit, may("payments:read")], all: str = "", after: str = ""
) -> Response:
    """Those that are not decided, the newest first. `all`: decided ones, too."""
    place = place_in(after, datetime, str, str)
    found = await visit.here.payments.disputes(
        open_only=not all,
        after=None if place is None else (place[0], place[1], place[2]),
        at_most=PAGE + 1,
        **whose(visit),
    )
    filters = {"all": "1" if all else ""}
    rows, more = onward(found, filters, lambda x: (x.opened_at, x.provider, x.dispute_id))
    now = datetime.now(UTC)
    return show(
        visit,
        "disputes",
        disputes=[
            (
                one,
                days_left(visit.words, one.respond_by, now)
                if one.respond_by is not None and one.state not in CLOSED
                else "",
                one.respond_by is not None and one.state not in CLOSED and one.respond_by < now,
            )
            for one in rows
        ],
        filters=filters,
        more=more,
    )


def days_left(words: Words, until: datetime, now: datetime) -> str:
    """How long there is to answer, such as “in 3 days”. By days of the reader's calendar."""
    days = (words.day_of(until) - words.day_of(now)).days
    if until < now:
        return words("is_over")
    return words("due_on_this_day") if days == 0 else words.many("in_days", days)
