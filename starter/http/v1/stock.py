"""Stock: what there is, every change of it, the levels at which it is bought, and promises."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Annotated, Any, TypeAlias

from fastapi import APIRouter, Depends
from pydantic import Field
from starlette.responses import Response

from domain.accounting.costs import Priced
from domain.fields import Id, Reason, Sku
from domain.stock.stock_levels import UNITS_MAX
from starter.http.callers import Caller, may
from starter.http.examples import example
from starter.http.once import Keyed
from starter.http.paging import Page, Paged
from starter.http.reading import StrictRoute
from starter.http.reports import AtLocation, NoneOrMore, OfSku, OneOrMore, Report
from starter.service.stock import Stock
from store.stock.movements import Movement
from store.stock.stock import StockLevel

router = APIRouter(prefix="/v1", tags=["stock"], route_class=StrictRoute)

Reads = Annotated[Caller, may("stock:read")]
Writes = Annotated[Caller, may("stock:write")]


class Change(Report):
    """What all changes of stock say: of what, where, and why."""

    sku: Sku
    location: Id
    reason: Reason


class Receipt(Priced, Change):
    """Goods that arrived without a purchase order.

    `unit_cost`: what each has cost; left out: the average cost of the units in stock.
    """

    quantity: OneOrMore
    reason: Reason = "received"


class Adjustment(Change):
    """Units to add to those on hand, or, with a minus, to take off, and why."""

    change: Annotated[int, Field(strict=True, ge=-UNITS_MAX, le=UNITS_MAX)]


class Count(Change):
    """The units that a count found on the shelf."""

    counted: NoneOrMore
    reason: Reason = "cycle count"


class WriteOff(Change):
    """Units that cannot be sold any more: damaged, expired, stolen."""

    quantity: OneOrMore


Book: TypeAlias = Callable[..., Awaitable[StockLevel]]


class Booking:
    """One change of stock: booked once, in its caller's name."""

    def __init__(self, caller: Writes, once: Keyed) -> None:
        self._caller = caller
        self._once = once

    async def answer(
        self, content: Change, units: int, book: Callable[[Stock], Book], **more: Any
    ) -> Response:
        """Book it by a door of the stock's; `more` is for that one alone."""
        return await self._once.in_database(
            lambda here: book(here.stock)(
                *(self._once.request_id, content.sku, content.location, units),
                who=self._caller.who(content.by),
                why=content.reason,
                **more,
            ),
            status=201,
        )


Books = Annotated[Booking, Depends()]


@router.get("/stock", operation_id="listStock", summary="List stock by SKU and location")
async def list_stock(
    caller: Reads, paged: Paged, sku: OfSku = None, location: AtLocation = None
) -> Page[StockLevel]:
    """available = on_hand - allocated - safety - soft_reserved; `incoming` is on its way there."""
    asked: dict[str, Any] = {"sku": sku, "location": location}
    place = paged.after(asked)
    after = None if place is None else (str(place[0]), str(place[1]))
    found = await caller.here.stock.list(**asked, after=after, at_most=paged.at_most)
    return paged.page(asked, found, place=lambda one: (one.sku, one.location), show=lambda one: one)


@router.get(
    "/stock/{sku:path}/movements",
    operation_id="listMovements",
    summary="List every change of a SKU's stock, newest first",
)
async def list_movements(
    sku: Sku, caller: Reads, paged: Paged, location: AtLocation = None
) -> Page[Movement]:
    """Who moved what and why, with the counts after it; nothing of it is ever changed.

    For a key that is restricted, order, who and why are left out of movements for the orders of
    others.
    """
    asked: dict[str, Any] = {
        "sku": sku,
        "location": location,
        "channels": caller.channels,
        "sellers": caller.sellers,
    }
    place = paged.after(asked)
    before = None if place is None else int(place[0])
    found = await caller.here.stock.history(**asked, before=before, at_most=paged.at_most)
    return paged.page(
        asked, found[::-1], place=lambda one: (one.movement_id,), show=lambda one: one
    )


@router.post(
    "/stock/receipts",
    operation_id="receiveStock",
    summary="Book goods that arrived without a purchase order",
    status_code=201,
    response_model=StockLevel,
)
async def receive(
    content: Annotated[
        Receipt,
        example(
            {
                "sku": "TEA-ASSAM-250",
                "location": "main",
                "quantity": 40,
                "unit_cost": "6.20",
                "currency": "EUR",
                "by": "anna",
            }
        ),
    ],
    booking: Books,
) -> Response:
    """Backorders of the SKU are served from them, in the sequence in which they came."""
    return await booking.answer(
        content, content.quantity, lambda stock: stock.receive, unit_cost=content.cost
    )


@router.post(
    "/stock/adjustments",
    operation_id="adjustStock",
    summary="Correct the units on hand by a number",
    status_code=201,
    response_model=StockLevel,
)
async def adjust(
    content: Annotated[
        Adjustment,
        example(
            {
                "sku": "TEA-ASSAM-250",
                "location": "main",
                "change": -3,
                "reason": "water damage",
            }
        ),
    ],
    booking: Books,
) -> Response:
    """If fewer are left than orders hold, the newest orders that nobody has picked wait again.

    Units that have left the shelf for an order cannot be taken off.
    """
    return await booking.answer(content, content.change, lambda stock: stock.adjust)


@router.post(
    "/stock/counts",
    operation_id="countStock",
    summary="Enter a count: the units on hand become the number found",
    status_code=201,
    response_model=StockLevel,
)
async def count(
    content: Annotated[Count, example({"sku": "TEA-ASSAM-250", "location": "main", "counted": 37})],
    booking: Books,
) -> Response:
    """If that is less than orders hold, the newest of them wait again, as with an adjustment."""
    return await booking.answer(content, content.counted, lambda stock: stock.count)


@router.post(
    "/stock/write-offs",
    operation_id="writeOffStock",
    summary="Write off units that cannot be sold any more",
    status_code=201,
    response_model=StockLevel,
)
async def write_off(
    content: Annotated[
        WriteOff,
        example(
            {
                "sku": "TEA-ASSAM-250",
                "location": "main",
                "quantity": 2,
                "reason": "torn bags",
            }
        ),
    ],
    booking: Books,
) -> Response:
    """If fewer are left than orders hold, the newest of them wait again, as with an adjustment."""
    return await booking.answer(content, content.quantity, lambda stock: stock.write_off)
