"""Suppliers, and the terms on which they sell."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import Field

from domain.fields import Document, Id
from domain.purchasing.purchase_orders import SupplierItem
from starter.http.callers import Caller, may
from starter.http.examples import example
from starter.http.paging import Page, Paged
from starter.http.reading import StrictRoute
from starter.http.reports import AT_ONCE_MAX, OfSku
from store.purchasing.suppliers import Supplier

router = APIRouter(prefix="/v1", tags=["purchasing"], route_class=StrictRoute)

Reads = Annotated[Caller, may("purchasing:read")]
Writes = Annotated[Caller, may("purchasing:write")]


class Terms(Document):
    """Suppliers' terms for SKUs. Of a supplier and SKU that are named twice, the last count."""

    terms: Annotated[list[SupplierItem], Field(min_length=1, max_length=AT_ONCE_MAX)]


@router.get("/suppliers", operation_id="listSuppliers", summary="List suppliers")
async def list_suppliers(caller: Reads, paged: Paged) -> Page[Supplier]:
    """With the numbers of the SKUs that they sell, and of their open purchase orders."""
    asked: dict[str, Any] = {}
    place = paged.after(asked)
    after = None if place is None else str(place[0])
    found = await caller.here.purchasing.suppliers(after=after, at_most=paged.at_most)
    return paged.page(asked, found, place=lambda one: (one.supplier,), show=lambda one: one)


@router.get("/suppliers/{supplier}", operation_id="getSupplier", summary="Read a supplier")
async def get_supplier(supplier: Id, caller: Reads) -> Supplier:
    """`listSupplierTerms` tells what it sells."""
    (found,) = await caller.here.purchasing.suppliers(supplier)
    return found


@router.get(
    "/supplier-terms", operation_id="listSupplierTerms", summary="List the terms of suppliers"
)
async def list_terms(
    caller: Reads,
    paged: Paged,
    supplier: Annotated[Id | None, Query(description="Only of this supplier.")] = None,
    sku: OfSku = None,
) -> Page[SupplierItem]:
    """By supplier and SKU: price, lead time, and the numbers in which they sell."""
    asked: dict[str, Any] = {"supplier": supplier, "sku": sku}
    place = paged.after(asked)
    found = await caller.here.purchasing.terms(
        supplier=supplier,
        skus=None if sku is None else [sku],
        after=None if place is None else (str(place[0]), str(place[1])),
        at_most=paged.at_most,
    )
    return paged.page(asked, found, place=lambda one: (one.supplier, one.sku), show=lambda one: one)


@router.put(
    "/supplier-terms",
    operation_id="setSupplierTerms",
    summary="Set on which terms suppliers sell SKUs",
    status_code=204,
)
async def set_terms(
    content: Annotated[
        Terms,
        example(
            {
                "terms": [
                    {
                        "supplier": "assam-gardens",
                        "name": "Assam Gardens Ltd",
                        "sku": "TEA-ASSAM-250",
                        "lead_time_days": 7,
                        "unit_price": "2.50",
                        "currency": "EUR",
                        "minimum": 24,
                        "multiple": 12,
                    }
                ]
            }
        ),
    ],
    caller: Writes,
) -> None:
    """All of them, or none where one is wrong; other terms stay. New suppliers are made."""
    await caller.here.purchasing.set_terms(content.terms)
