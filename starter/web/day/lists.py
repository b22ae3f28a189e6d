"""The lists behind the day's numbers: parcels, payments, and orders that lost money."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Annotated, Final, get_args

from fastapi import APIRouter
from starlette.responses import Response

from domain.errors import NotFound
from starter.web.day.asked import Asked, asked, day_in
from starter.web.day.tiles import MONEY
from starter.web.desk.moments import moment_in
from starter.web.screens.visits import ScreenRoute, Visit, apart, may
from store.days.figures import DayParcel, DayPayment, Late, Moved, Paid

router = APIRouter(include_in_schema=False, route_class=ScreenRoute)

_PAGE: Final = 50
_LATE: Final[tuple[Late, ...]] = get_args(Late)
_MOVED: Final[tuple[Moved, ...]] = get_args(Moved)
_PAID: Final[dict[str, Paid]] = {
    "authorized": "authorize",
    "charged": "capture",
    "refunded": "refund",
}


@router.get("/app/day/parcels")
async def parcels(
    visit: Annotated[Visit, may("orders:read")],
    what: str = "leave_late",
    after: str = "",
) -> Response:
    """Parcels that are late now, the longest first; or those that left or arrived on a day."""
    wanted = await asked(visit)
    days = visit.here.days
    late = next((one for one in _LATE if one == what), None)
    moved = next((one for one in _MOVED if one == what), None)
    behind, _, part = after.partition("~")
    found: Sequence[DayParcel] = []
    if late is not None:
        since = day_in(behind)
        place = None if since is None else (since, part)
        found = await days.late(late, **wanted.whose, after=place, at_most=_PAGE + 1)
    elif moved is not None:
        moment = moment_in(behind)
        at = None if moment is None else (moment, part)
        day = await _day(visit, wanted)
        found = await days.parcels(moved, day, **wanted.whose, after=at, at_most=_PAGE + 1)
    else:
        raise NotFound("there is no such list", reason="no_list")
    more = ""
    if len(found) > _PAGE:
        last = found[_PAGE - 1]
        place_of = last.promised_leave if last.at is None else last.at
        assert place_of is not None, "what is late was promised"
        behind = f"{place_of.isoformat()}~{last.fulfilment_id}"
        more = wanted.address("app/day/parcels", what=what, after=behind)
    return visit.show(
        "day/parcels",
        what=what,
        day="" if late else visit.words.day(await _day(visit, wanted)),
        parcels=found[:_PAGE],
        more=more,
    )


@router.get("/app/day/payments")
async def payments(
    visit: Annotated[Visit, may("orders:read")], what: str = "charged", after: str = ""
) -> Response:
    """What was authorized, charged or refunded on a day, in one currency or in all."""
    if not any(visit.person.allows(scope) for scope in MONEY):
        why = visit.words("may_not", scopes=MONEY[0])
        return apart(visit.request, 403, why)
    wanted = await asked(visit)
    if what not in _PAID:
        raise NotFound("there is no such list", reason="no_list")
    day = await _day(visit, wanted)
    at, _, key = after.partition("~")
    moment = moment_in(at)
    found: Sequence[DayPayment] = await visit.here.days.payments(
        _PAID[what],
        wanted.currency or None,
        day,
        **wanted.whose,
        after=None if moment is None else (moment, key),
        at_most=_PAGE + 1,
    )
    more = ""
    if len(found) > _PAGE:
        last = found[_PAGE - 1]
        behind = f"{last.settled_at.isoformat()}~{last.payment_key}"
        more = wanted.address("app/day/payments", what=what, currency=wanted.currency, after=behind)
    return visit.show(
        "day/payments",
        what=what,
        day=visit.words.day(day),
        payments=found[:_PAGE],
        more=more,
    )


@router.get("/app/day/losses")
async def losses(visit: Annotated[Visit, may("orders:read", "accounting:read")]) -> Response:
    """Orders that lost money on a day, the worst first, and why."""
    wanted = await asked(visit)
    day = await _day(visit, wanted)
    found = await visit.here.days.losses(day, **wanted.whose)
    return visit.show(
        "day/losses",
        day=visit.words.day(day),
        losses=found,
    )


async def _day(visit: Visit, wanted: Asked) -> date:
    """The day that is asked for, or today."""
    if wanted.day is not None:
        return wanted.day
    todays = await visit.here.days.todays(wanted.whose["sellers"])
    if not todays:
        raise NotFound("there is no such seller", reason="not_theirs")
    return min(one.today for one in todays)
