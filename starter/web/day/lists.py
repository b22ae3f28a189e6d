"""The lists behind the day's numbers: parcels, payments, and orders that lost money."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Annotated, Final, get_args

from fastapi import APIRouter
from starlette.responses import Response

from domain.errors import NotFound
from starter.web.day.asked import Asked, asked
from starter.web.day.tiles import MONEY
from starter.web.desk.reasons import IN_TEMPLATES
from starter.web.screens.addresses import PAGE, onward, place_in
from starter.web.screens.visits import ScreenRoute, Visit, apart, may
from store.days.figures import DayParcel, Late, Moved, Paid

router = APIRouter(include_in_schema=False, route_class=ScreenRoute)

_LATE: Final[tuple[Late, ...]] = get_args(Late)
_MOVED: Final[tuple[Moved, ...]] = get_args(Moved)
_PAID: Final[dict[str, Paid]] = {
    "authorized": "authorize",
    "charged": "capture",
    "refunded": "refund",
}


@router.get("/app/day/parcels")
async def parcels(
    visit: Annotated[Visit, may("orders:read")], what: str = "leave_late", after: str = ""
) -> Response:
    """Parcels that are late now, the longest first; or those that left or arrived on a day."""
    wanted = await asked(visit)
    late = next((one for one in _LATE if one == what), None)
    moved = next((one for one in _MOVED if one == what), None)
    if late is not None:
        since = place_in(after, date, str)
        found: Sequence[DayParcel] = await visit.here.days.late(
            late,
            **wanted.whose,
            after=None if since is None else (since[0], since[1]),
            at_most=PAGE + 1,
        )
    elif moved is not None:
        place = place_in(after, datetime, str)
        found = await visit.here.days.parcels(
            moved,
            await _day(visit, wanted),
            **wanted.whose,
            after=None if place is None else (place[0], place[1]),
            at_most=PAGE + 1,
        )
    else:
        raise NotFound("there is no such list", reason="no_list")
    filters = wanted.filters(what=what)
    rows, more = onward(
        found, filters, lambda one: (one.at or one.promised_leave, one.fulfilment_id)
    )
    day = "" if late else visit.words.day(await _day(visit, wanted))
    return visit.show("day/parcels", what=what, day=day, parcels=rows, more=more)


@router.get("/app/day/payments")
async def payments(
    visit: Annotated[Visit, may("orders:read")], what: str = "charged", after: str = ""
) -> Response:
    """What was authorized, charged or refunded on a day, in one currency or in all."""
    if not any(visit.person.allows(scope) for scope in MONEY):
        return apart(visit.request, 403, visit.words("may_not", scopes=MONEY[0]))
    wanted = await asked(visit)
    if what not in _PAID:
        raise NotFound("there is no such list", reason="no_list")
    day = await _day(visit, wanted)
    place = place_in(after, datetime, str)
    found = await visit.here.days.payments(
        _PAID[what],
        wanted.currency or None,
        day,
        **wanted.whose,
        after=None if place is None else (place[0], place[1]),
        at_most=PAGE + 1,
    )
    filters = wanted.filters(what=what, currency=wanted.currency)
    rows, more = onward(found, filters, lambda one: (one.settled_at, one.payment_key))
    return visit.show("day/payments", what=what, day=visit.words.day(day), payments=rows, more=more)


@router.get("/app/day/losses")
async def losses(visit: Annotated[Visit, may("orders:read", "accounting:read")]) -> Response:
    """Orders that lost money on a day, in one currency or in all: the worst first, and why."""
    wanted = await asked(visit)
    day = await _day(visit, wanted)
    found = await visit.here.days.losses(day, **wanted.whose, currency=wanted.currency or None)
    return visit.show(
        "day/losses",
        day=visit.words.day(day),
        currency=wanted.currency,
        losses=found,
        **IN_TEMPLATES,
    )


async def _day(visit: Visit, wanted: Asked) -> date:
    """The day that is asked for, or today."""
    if wanted.day is not None:
        return wanted.day
    todays = await visit.here.days.todays(wanted.whose["sellers"])
    if not todays:
        raise NotFound("there is no such seller", reason="not_theirs")
    return min(one.today for one in todays)
