"""Differences between payment companies' records and ours: side by side, and seen to."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Annotated, Final

from fastapi import APIRouter
from starlette.responses import Response

from domain.errors import NotFound, Refused
from domain.fields import Document, Reason
from starter.web.money.parts import own_sellers, show
from starter.web.screens.addresses import PAGE, day_in, onward, place_in
from starter.web.screens.forms import NotAsked, met, told_by
from starter.web.screens.visits import Number, ScreenRoute, Visit, may
from store.payments.reconciliation import KeptDifference

router = APIRouter(include_in_schema=False, route_class=ScreenRoute)

Reads = Annotated[Visit, may("reconciliation:read")]
Writes = Annotated[Visit, may("reconciliation:read", "reconciliation:write")]
_AT: Final = "app/money/differences"
_DAYS: Final = 14
_PATIENCE: Final = timedelta(seconds=20)
"""How long a page waits for a comparison. It goes on, and the page tells so."""


class _Seen(Document):
    """How a difference was seen to."""

    note: Reason


@router.get("/app/money/differences")
async def differences(
    visit: Reads,
    day: str = "",
    provider: str = "",
    all: str = "",
    after: str = "",
    done: str = "",
) -> Response:
    """Open ones, the newest day first. `all`: closed ones, too."""
    filters = {
        "day": day if day_in(day) else "",
        "provider": provider.strip()[:PAGE],
        "all": "1" if all else "",
    }
    return await _list(visit, filters, after=after, told=told_by(visit, done))


@router.post("/app/money/differences/compare")
async def compare(visit: Writes) -> Response:
    """Compare a day (UTC) now, and mend what a rule can."""
    day = day_in(visit.field("day"))
    provider = visit.field("provider")

    async def act() -> str:
        if day is None:
            raise NotAsked("which_day")
        if visit.person.grant.is_restricted:
            raise Refused("a company's day is of all sellers", reason="day_of_all")
        await visit.here.reconciliation.compare(day, provider=provider or None, patience=_PATIENCE)
        return "compared"

    async def again(status: int, trouble: Sequence[str]) -> Response:
        filters = {"day": visit.field("day"), "provider": provider, "all": ""}
        return await _list(visit, filters, status=status, trouble=trouble)

    return await met(visit, act, f"{_AT}?day={visit.field('day')}&all=1", again)


@router.get("/app/money/differences/{number}")
async def difference(visit: Reads, number: Number, done: str = "") -> Response:
    """Both sides of one, what to do, and what became of it."""
    return _one(visit, await _mine(visit, number), told=told_by(visit, done))


@router.post("/app/money/differences/{number}/resolve")
async def resolve(visit: Writes, number: Number) -> Response:
    """Close one that a person has seen to."""
    await _mine(visit, number)

    async def act() -> str:
        seen = _Seen.model_validate({"note": visit.field("note")})
        done = await visit.here.reconciliation.resolve(
            number,
            note=seen.note,
            who=visit.person.who,
            was_by_hand=bool(visit.field("by_hand")),
        )
        return "difference_resolved" if done.recorded is None else "difference_recorded"

    async def again(status: int, trouble: Sequence[str]) -> Response:
        found = await _mine(visit, number)
        return _one(visit, found, status=status, trouble=trouble)

    return await met(visit, act, f"{_AT}/{number}", again)


async def _mine(visit: Visit, number: int) -> KeptDifference:
    """Raises NotFound, alike for one of another seller's order."""
    found = await visit.here.reconciliation.difference(number)
    mine = visit.person.grant.sellers
    if mine is not None:
        whose = await visit.here.orders.whose(found.order_id) if found.order_id else None
        if whose is None or whose[1] not in mine:
            raise NotFound(f"there is no difference {number}")
    return found


def _one(
    visit: Visit,
    found: KeptDifference,
    *,
    status: int = 200,
    told: str = "",
    trouble: Sequence[str] = (),
) -> Response:
    theirs = found.theirs
    return show(
        visit,
        "difference",
        status=status,
        told=told,
        trouble=trouble,
        one=found,
        note=visit.field("note"),
        is_refund=theirs is not None and theirs.kind == "refund",
        may_write=visit.person.allows("reconciliation:write") and found.resolution == "open",
    )


async def _list(
    visit: Visit,
    filters: dict[str, str],
    *,
    after: str = "",
    status: int = 200,
    told: str = "",
    trouble: Sequence[str] = (),
) -> Response:
    place = place_in(after, date, str, str, str)
    door = visit.here.reconciliation
    found = await door.differences(
        day=day_in(filters["day"]),
        provider=filters["provider"] or None,
        only_open=not filters["all"],
        sellers=own_sellers(visit),
        after=None if place is None else (place[0], place[1], place[2], place[3]),
        at_most=PAGE + 1,
    )
    rows, more = onward(found, filters, lambda x: (x.day, x.provider, x.subject, x.what.value))
    sees_days = not visit.person.grant.is_restricted
    yesterday = datetime.now(UTC).date() - timedelta(days=1)
    return show(
        visit,
        "differences",
        status=status,
        told=told,
        trouble=trouble,
        differences=rows,
        more=more,
        filters=filters,
        days=await door.days(at_most=_DAYS) if sees_days else [],
        may_compare=sees_days and visit.person.allows("reconciliation:write"),
        day=filters["day"] or yesterday.isoformat(),
    )
