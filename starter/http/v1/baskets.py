"""Baskets: units that are soft-reserved for customers at checkout."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Final

from fastapi import APIRouter
from pydantic import Field

from domain.fields import Document, Id, Sku
from domain.orders.order import LINES_MAX, Quantity
from starter.http.callers import Caller, may
from starter.http.examples import example
from starter.http.paging import Page, Paged
from starter.http.reading import StrictRoute
from starter.service.baskets import HOLD_MAX, HOLD_USUALLY
from store.stock.baskets import Basket

router = APIRouter(prefix="/v1/baskets", tags=["baskets"], route_class=StrictRoute)

Reads = Annotated[Caller, may("stock:read")]
Writes = Annotated[Caller, may("stock:write")]

_MINUTE: Final = timedelta(minutes=1)


class Held(Document):
    """All units (SKU → number) that a basket holds, and for how many minutes from now."""

    units: Annotated[dict[Sku, Quantity], Field(min_length=1, max_length=LINES_MAX)]
    minutes: Annotated[int, Field(strict=True, ge=1, le=HOLD_MAX // _MINUTE)] = (
        HOLD_USUALLY // _MINUTE
    )


@router.get("", operation_id="listBaskets", summary="List baskets that hold units")
async def list_baskets(caller: Reads, paged: Paged) -> Page[Basket]:
    """The first to expire comes first."""
    asked: dict[str, Any] = {}
    place = paged.after(asked)
    after = None if place is None else (datetime.fromisoformat(place[0]), str(place[1]))
    found = await caller.here.baskets.list(after=after, at_most=paged.at_most)
    return paged.page(
        asked,
        found,
        place=lambda one: (one.expires_at.isoformat(), one.basket),
        show=lambda one: one,
    )


@router.get("/{basket}", operation_id="getBasket", summary="Read what a basket holds")
async def get_basket(basket: Id, caller: Reads) -> Basket:
    """Not found: it holds nothing, or its time is over."""
    return await caller.here.baskets.get(basket)


@router.put("/{basket}", operation_id="holdBasket", summary="Soft-reserve units for a basket")
async def hold(
    basket: Id,
    content: Annotated[Held, example({"units": {"TEA-ASSAM-250": 2}, "minutes": 15})],
    caller: Writes,
) -> Basket:
    """All of them or none, in place of what it held before. A repeat prolongs it.

    An order that names the basket gets the units. When the time is over, they are free by
    themselves.
    """
    expires_at = datetime.now(UTC) + timedelta(minutes=content.minutes)
    return await caller.here.baskets.hold(basket, content.units, expires_at=expires_at)


@router.delete(
    "/{basket}", operation_id="releaseBasket", summary="Free a basket's units", status_code=204
)
async def release(basket: Id, caller: Writes) -> None:
    """It is no error if the basket has none."""
    await caller.here.baskets.release(basket)
