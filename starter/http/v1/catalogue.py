"""Items, which are the shop's settings for SKUs, and kits."""

from __future__ import annotations

from typing import Annotated, Any, Final

from fastapi import APIRouter
from pydantic import Field

from domain.fields import Document, Sku
from domain.stock.items import Item
from domain.stock.kits import UNITS_MAX, Kit
from starter.http.callers import Caller, may
from starter.http.examples import example
from starter.http.paging import Page, Paged
from starter.http.reading import StrictRoute
from starter.http.reports import AT_ONCE_MAX, OfSku
from store.stock.promises import KitStock

router = APIRouter(prefix="/v1", tags=["catalogue"], route_class=StrictRoute)

Reads = Annotated[Caller, may("catalogue:read")]
Writes = Annotated[Caller, may("catalogue:write")]

PARTS_MAX: Final = 100
"""Different parts of one kit."""


class Items(Document):
    """SKUs, each once, with all there is to know about them."""

    items: Annotated[list[Item], Field(min_length=1, max_length=AT_ONCE_MAX)]


class MadeOf(Document):
    """The parts of one kit: SKU → units."""

    parts: Annotated[
        dict[Sku, Annotated[int, Field(strict=True, ge=1, le=UNITS_MAX)]],
        Field(min_length=1, max_length=PARTS_MAX),
    ]


@router.get("/items", operation_id="listItems", summary="List SKUs that have settings")
async def list_items(caller: Reads, paged: Paged, sku: OfSku = None) -> Page[Item]:
    """All others may not be backordered, are on sale, and are not discontinued."""
    asked: dict[str, Any] = {"sku": sku}
    place = paged.after(asked)
    after = None if place is None else str(place[0])
    found = await caller.here.catalogue.items(sku=sku, after=after, at_most=paged.at_most)
    return paged.page(asked, found, place=lambda one: (one.sku,), show=lambda one: one)


@router.put("/items", operation_id="setItems", summary="Set SKUs", status_code=204)
async def set_items(
    content: Annotated[
        Items,
        example(
            {
                "items": [
                    {
                        "sku": "TEA-ASSAM-250",
                        "name": "Assam, 250 g",
                        "backorder": True,
                    }
                ]
            }
        ),
    ],
    caller: Writes,
) -> None:
    """All of them, or none where one is wrong; other SKUs stay as they are.

    What is left out of an item gets its default. A change counts from the next order on.
    """
    await caller.here.catalogue.set_items(content.items)


@router.get("/kits", operation_id="listKits", summary="List kits, and how many could be made up")
async def list_kits(caller: Reads, paged: Paged, sku: OfSku = None) -> Page[KitStock]:
    """A kit is sold as one, and kept in stock as its parts."""
    asked: dict[str, Any] = {"sku": sku}
    place = paged.after(asked)
    after = None if place is None else str(place[0])
    found = await caller.here.catalogue.kits(sku, after=after, at_most=paged.at_most)
    return paged.page(asked, found, place=lambda one: (one.sku,), show=lambda one: one)


@router.put(
    "/kits/{sku:path}",
    operation_id="setKit",
    summary="Say what a kit is made of",
    status_code=204,
)
async def set_kit(
    sku: Sku,
    content: Annotated[MadeOf, example({"parts": {"TEA-ASSAM-250": 1, "CUP-PORCELAIN": 2}})],
    caller: Writes,
) -> None:
    """From the next order on; orders that have claimed the kit keep the parts that it had.

    A part is a SKU that is known, and no kit. A kit has no stock of its own.
    """
    await caller.here.catalogue.define_kit(Kit(sku=sku, parts=content.parts))


@router.delete(
    "/kits/{sku:path}",
    operation_id="removeKit",
    summary="Make a kit a plain SKU",
    status_code=204,
)
async def remove_kit(sku: Sku, caller: Writes) -> None:
    """From the next order on. Kits that orders have claimed stay kits."""
    await caller.here.catalogue.remove_kit(sku)
