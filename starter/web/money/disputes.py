"""Disputes: what a customer's bank takes back or asks about, and until when we can answer."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter
from starlette.responses import Response

from domain.payments.disputes import AWAITED
from starter.web.money.parts import show, whose
from starter.web.screens.addresses import PAGE, moment_in, onward, place_in
from starter.web.screens.visits import ScreenRoute, Visit, may
from starter.web.words import Words
from store.payments.provider_reads import DisputeRow

router = APIRouter(include_in_schema=False, route_class=ScreenRoute)


@router.get("/app/money/disputes")
async def disputes(
    visit: Annotated[Visit, may("payments:read")], all: str = "", after: str = ""
) -> Response:
    """Those that are not decided, what is to be answered next first. `all`: each, newest first."""
    door, limits = visit.here.payments, whose(visit)
    filters = {"all": "1" if all else ""}
    if all:
        place = place_in(after, datetime, str, str)
        found = await door.disputes(
            after=None if place is None else (place[0], place[1], place[2]),
            at_most=PAGE + 1,
            **limits,
        )
        rows, more = onward(found, filters, lambda x: (x.opened_at, x.provider, x.dispute_id))
    else:
        place = place_in(after, str, str, str)
        found = await door.due_disputes(
            after=None if place is None else (moment_in(place[0]), place[1], place[2]),
            at_most=PAGE + 1,
            **limits,
        )
        rows, more = onward(found, filters, lambda x: (due_of(x) or "", x.provider, x.dispute_id))
    now = datetime.now(UTC)
    return show(
        visit,
        "disputes",
        disputes=[
            (
                one,
                "" if due is None else days_left(visit.words, due, now),
                due is not None and due < now,
            )
            for one in rows
            for due in (due_of(one),)
        ],
        filters=filters,
        more=more,
    )


def due_of(one: DisputeRow) -> datetime | None:
    """Until when the bank waits for our answer; None: it does not."""
    return one.respond_by if one.state in AWAITED else None


def days_left(words: Words, until: datetime, now: datetime) -> str:
    """How long there is to answer, such as “in 3 days”. By days of the reader's calendar."""
    days = (words.day_of(until) - words.day_of(now)).days
    if until < now:
        return words("is_over")
    return words("due_on_this_day") if days == 0 else words.many("in_days", days)
