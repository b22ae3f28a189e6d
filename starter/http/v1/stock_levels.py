"""The levels at which stock is bought, and when units could arrive."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any, Final

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from domain.fields import Country, Document, PostalCode, Service, Sku
from domain.orders.order import QUANTITY_MAX
from domain.stock.promises import PromisedUnits
from domain.stock.stock_levels import StockLevels
from starter.http.callers import Caller, may
from starter.http.examples import example
from starter.http.once import Keyed
from starter.http.paging import Page, Paged
from starter.http.reading import StrictRoute
from starter.http.reports import AT_ONCE_MAX, AtLocation, OfSku
from store.stock.stock_levels import LevelRow

router = APIRouter(prefix="/v1", tags=["stock"], route_class=StrictRoute)

Reads = Annotated[Caller, may("stock:read")]
Writes = Annotated[Caller, may("stock:write")]

LOOKED_AT_WITHIN_S: Final = 25.0
"""All levels. Less than the time in which each request must be answered."""


class Levels(Document):
    """Levels of SKUs at locations. One that is named twice gets the last."""

    levels: Annotated[list[StockLevels], Field(min_length=1, max_length=AT_ONCE_MAX)]


class Reviewed(BaseModel):
    """The purchase orders that were made."""

    model_config = ConfigDict(frozen=True)

    ordered: tuple[str, ...]


class Promises(BaseModel):
    """When units could arrive. `missing`: units that cannot be promised."""

    model_config = ConfigDict(frozen=True)

    sku: str
    promised: tuple[PromisedUnits, ...]
    missing: int


@router.get(
    "/stock-levels",
    operation_id="listStockLevels",
    summary="List the levels at which stock is bought",
)
async def list_levels(
    caller: Reads, paged: Paged, sku: OfSku = None, location: AtLocation = None
) -> Page[LevelRow]:
    """With the position that is compared with them: what is free, and what is on its way."""
    asked: dict[str, Any] = {"sku": sku, "location": location}
    place = paged.after(asked)
    after = None if place is None else (str(place[0]), str(place[1]))
    found = await caller.here.stock.levels(**asked, after=after, at_most=paged.at_most)
    return paged.page(asked, found, place=lambda one: (one.sku, one.location), show=lambda one: one)


@router.put(
    "/stock-levels",
    operation_id="setStockLevels",
    summary="Set the levels at which stock is bought",
    status_code=204,
)
async def set_levels(
    content: Annotated[
        Levels,
        example(
            {
                "levels": [
                    {
                        "sku": "TEA-ASSAM-250",
                        "location": "main",
                        "reorder_point": 10,
                        "order_up_to": 48,
                        "safety": 2,
                    }
                ]
            }
        ),
    ],
    caller: Writes,
) -> None:
    """All of them, or none where one is wrong. SKUs that are low now are bought at once.

    Without levels, service level and safety stock, a SKU is not bought by itself any more.
    """
    await caller.here.stock.set_levels(content.levels)


@router.post(
    "/stock-levels/replenish",
    operation_id="replenish",
    summary="Look at all stock levels now, and buy what is low",
    response_model=Reviewed,
    tags=["purchasing"],
)
async def replenish(caller: Annotated[Caller, may("purchasing:write")], once: Keyed) -> Response:
    """It also happens by itself at intervals, and at once for a level that is crossed.

    It orders nothing twice, however often it is asked for.
    """

    async def work() -> Reviewed:
        ordered = await caller.here.purchasing.replenish(within_s=LOOKED_AT_WITHIN_S)
        return Reviewed(ordered=tuple(ordered))

    return await once.safe_to_repeat(work)


@router.get(
    "/stock/{sku:path}/promise",
    operation_id="promiseUnits",
    summary="Ask when units could arrive if they were ordered now",
)
async def promise(
    sku: Sku,
    caller: Reads,
    quantity: Annotated[int, Query(ge=1, le=QUANTITY_MAX)] = 1,
    country: Annotated[
        Country | None, Query(description="Left out: anywhere, by the lanes to everywhere.")
    ] = None,
    postal_code: PostalCode | None = None,
    service: Annotated[Service, Query(description="The carrier's service.")] = "standard",
) -> Promises:
    """Counts free stock, and supply with a known day. Nothing is reserved by it."""
    found = await caller.here.stock.promise(
        sku,
        quantity,
        country=country,
        postal_code=postal_code,
        service=service,
        now=datetime.now(UTC),
    )
    missing = quantity - sum(one.quantity for one in found)
    return Promises(sku=sku, promised=tuple(found), missing=missing)
