"""What holds stock or is made of it: kits, the baskets of customers, and codes that are sold."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Final

from fastapi import APIRouter
from starlette.responses import Response

from domain.fields import Document, Id, Sku
from domain.orders.order import Quantity
from starter.service.baskets import HOLD_MAX, HOLD_USUALLY
from starter.web.buying import asked
from starter.web.buying.shown import show_stock
from starter.web.screens.forms import NotAsked, Said, met, told_by
from starter.web.screens.visits import ScreenRoute, Visit, may

router = APIRouter(include_in_schema=False, route_class=ScreenRoute)

_PAGE: Final = 50
_MINUTE: Final = timedelta(minutes=1)
_MINUTES_MAX: Final = HOLD_MAX // _MINUTE


class _Held(Document):
    basket: Id
    units: dict[Sku, Quantity]


@router.get("/app/kits")
async def kits(
    visit: Annotated[Visit, may("stock:read", "catalogue:read")], after: str = ""
) -> Response:
    """What is sold as one and kept as its parts. `after`: behind this SKU."""
    found = await visit.here.catalogue.kits(after=after or None, at_most=_PAGE + 1)
    more = found[_PAGE - 1].sku if len(found) > _PAGE else ""
    return show_stock(visit, "buying/kits", kits=found[:_PAGE], more=more)


@router.get("/app/codes")
async def codes(visit: Annotated[Visit, may("stock:read", "catalogue:read")]) -> Response:
    """How many codes there are to sell. The codes themselves are secrets of the customers."""
    return show_stock(visit, "buying/codes", codes=await visit.here.codes.counts())


@router.get("/app/baskets")
async def baskets(visit: Annotated[Visit, may("stock:read")], done: str = "") -> Response:
    """Units that are held for customers at checkout, the next to expire first."""
    return await _baskets(visit, told=told_by(visit, done))


@router.post("/app/baskets")
async def hold(visit: Annotated[Visit, may("stock:read", "stock:write")]) -> Response:
    """Hold units for a basket, or free those that it holds."""

    async def act() -> str:
        basket = visit.field("basket").strip()
        if visit.field("act") == "release":
            await visit.here.baskets.release(basket)
            return "basket_released"
        minutes = asked.number(visit.field("minutes")) or 0
        if not 1 <= minutes <= _MINUTES_MAX:
            raise NotAsked("no_minutes")
        units = {visit.field("sku").strip(): asked.number(visit.field("n"))}
        wanted = _Held.model_validate({"basket": basket, "units": units})
        expires_at = datetime.now(UTC) + minutes * _MINUTE
        await visit.here.baskets.hold(wanted.basket, wanted.units, expires_at=expires_at)
        return "basket_held"

    async def again(status: int, trouble: Sequence[str]) -> Response:
        return await _baskets(visit, status=status, trouble=trouble, sent=visit.sent)

    return await met(visit, act, "app/baskets", again)


@router.post("/app/purchases/replenish")
async def replenish(
    visit: Annotated[Visit, may("purchasing:read", "purchasing:write", "stock:read")],
) -> Response:
    """Look at all levels now, and buy what is low. To ask for it twice buys nothing twice."""

    async def act() -> str:
        if visit.person.locations is not None:
            raise NotAsked("levels_are_of_all")
        await visit.here.purchasing.replenish()
        return "levels_looked_at"

    async def again(status: int, trouble: Sequence[str]) -> Response:
        return visit.show("screens/apart", status=status, trouble=trouble)

    return await met(visit, act, "app/purchases/proposals", again)


async def _baskets(
    visit: Visit,
    *,
    status: int = 200,
    told: str = "",
    trouble: Sequence[str] = (),
    sent: dict[str, list[str]] | None = None,
) -> Response:
    found = await visit.here.baskets.list(at_most=_PAGE + 1)
    usual: dict[str, Any] = {"minutes": [str(HOLD_USUALLY // _MINUTE)]}
    return show_stock(
        visit,
        "buying/baskets",
        status=status,
        told=told,
        trouble=trouble,
        baskets=found[:_PAGE],
        is_part=len(found) > _PAGE,
        said=Said.of(sent or usual),
        is_open=sent is not None,
        minutes_max=_MINUTES_MAX,
        may_write=visit.person.allows("stock:write"),
    )
