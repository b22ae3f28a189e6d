"""Closing days of the books: first it is shown what that closes, then it is for ever."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Annotated, Final

from fastapi import APIRouter
from starlette.responses import Response

from starter.web.money.parts import names_of, one_of, sellers_of, show
from starter.web.screens.addresses import day_in
from starter.web.screens.forms import NotAsked, met, told_by
from starter.web.screens.visits import ScreenRoute, Visit, may

router = APIRouter(include_in_schema=False, route_class=ScreenRoute)

Closes = Annotated[Visit, may("accounting:read", "accounting:write")]
_AT: Final = "app/money/closing"


@router.get("/app/money/closing")
async def preview(visit: Closes, seller: str = "", through: str = "", done: str = "") -> Response:
    """What closing days would close: those through the last month, if no day is named."""
    return await _show(visit, seller, day_in(through), told=told_by(visit, done))


@router.post("/app/money/closing")
async def close(visit: Closes) -> Response:
    """Close them. Whoever does it says that they have seen that it is for ever."""
    seller, through = visit.field("seller"), day_in(visit.field("through"))

    async def act() -> str:
        if through is None:
            raise NotAsked("which_day")
        if not visit.field("for_ever"):
            raise NotAsked("not_for_ever")
        whose = one_of(await sellers_of(visit), seller)
        await visit.here.accounting.close(whose.seller, through, who=visit.person.who)
        return "closed"

    async def again(status: int, trouble: Sequence[str]) -> Response:
        return await _show(visit, seller, through, status=status, trouble=trouble)

    return await met(visit, act, f"{_AT}?seller={seller}", again)


async def _show(
    visit: Visit,
    seller: str,
    through: date | None,
    *,
    status: int = 200,
    told: str = "",
    trouble: Sequence[str] = (),
) -> Response:
    known = await sellers_of(visit)
    whose = one_of(known, seller)
    door = visit.here.accounting
    today = await door.today(whose.seller)
    wanted = through or today.replace(day=1) - timedelta(days=1)
    return show(
        visit,
        "closing",
        status=status,
        told=told,
        trouble=trouble,
        seller=whose.seller,
        sellers=names_of(known),
        through=wanted,
        latest=today - timedelta(days=1),
        can_close=wanted < today,
        preview=await door.to_close(whose.seller, wanted),
    )
