"""Purchase orders: made, decided about, and what suppliers and the dock report of them."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import Field
from starlette.responses import Response

from domain.access.keys import LEADS
from domain.fields import Id, Reason
from starter.http.callers import Caller, may
from starter.http.examples import example
from starter.http.once import Keyed
from starter.http.paging import Page, Paged
from starter.http.reading import StrictRoute
from starter.http.reports import (
    OfSku,
    Report,
    UnitsOfSkus,
)
from starter.http.shown_purchases import (
    ListedPurchaseOrder,
    ShownPurchaseOrder,
    listed,
    shown,
)
from starter.service.service import Records

router = APIRouter(prefix="/v1/purchase-orders", tags=["purchasing"], route_class=StrictRoute)

Reads = Annotated[Caller, may("purchasing:read")]
Writes = Annotated[Caller, may("purchasing:write")]


class Proposal(Report):
    """Units (SKU → number) to buy from a supplier for a location.

    `po_id` names the purchase order; left out: an id that is made of the Idempotency-Key.
    """

    supplier: Id
    location: Id
    po_id: Annotated[Id, Field(max_length=22)] | None = None
    units: UnitsOfSkus
    reason: Reason = "by hand"


class Approval(Report):
    """Who approves it, and why."""

    reason: Reason | None = None


class Cancellation(Report):
    """Why it is not wanted any more."""

    reason: Reason


@router.get("", operation_id="listPurchaseOrders", summary="List purchase orders, the newest first")
async def list_orders(
    caller: Reads,
    paged: Paged,
    only_open: Annotated[
        bool, Query(alias="open", description="Only those that have not ended.")
    ] = False,
    sku: OfSku = None,
    supplier: Annotated[Id | None, Query(description="Only from this supplier.")] = None,
) -> Page[ListedPurchaseOrder]:
    """Those that are proposed wait for somebody who approves them."""
    asked: dict[str, Any] = {"only_open": only_open, "sku": sku, "supplier": supplier}
    place = paged.after(asked)
    before = None if place is None else int(place[0])
    found = await caller.here.purchasing.orders(**asked, before=before, at_most=paged.at_most)
    return paged.page(asked, found, place=lambda one: (one.number,), show=listed)


@router.get("/{po_id}", operation_id="getPurchaseOrder", summary="Read a purchase order")
async def get_order(po_id: Id, caller: Reads) -> ShownPurchaseOrder:
    """Its lines, and its story with who and why."""
    return await shown(caller.here, po_id)


@router.post(
    "",
    operation_id="proposePurchaseOrder",
    summary="Buy by hand",
    status_code=201,
    response_model=ShownPurchaseOrder,
)
async def propose(
    content: Annotated[
        Proposal,
        example(
            {
                "supplier": "assam-gardens",
                "location": "main",
                "units": {"TEA-ASSAM-250": 48},
                "reason": "for Christmas",
            }
        ),
    ],
    caller: Writes,
    once: Keyed,
) -> Response:
    """Up to its limit it needs no approval, and is sent at once.

    Units on order that the supplier has not acknowledged are not ordered a second time (409).
    """
    po_id = content.po_id or f"PO-{once.request_id.removeprefix('api-')[:12]}"

    async def work(here: Records) -> ShownPurchaseOrder:
        await here.purchasing.propose(
            content.supplier,
            content.location,
            content.units,
            po_id=po_id,
            who=caller.who(content.by),
            why=content.reason,
        )
        return await shown(here, po_id)

    return await once.in_database(work, status=201, location=f"{router.prefix}/{po_id}")


@router.post(
    "/{po_id}/approve",
    operation_id="approvePurchaseOrder",
    summary="Approve a purchase order that is above the limit",
    response_model=ShownPurchaseOrder,
)
async def approve(
    po_id: Id, content: Annotated[Approval, example({"by": "kim"})], caller: Writes, once: Keyed
) -> Response:
    """It is sent then. To approve it again changes nothing.

    Above the limit that the policy has for buyers (`buyers_up_to`) it takes a key with the role
    `lead` or `admin`.
    """

    async def work() -> ShownPurchaseOrder:
        who, why = caller.who(content.by), content.reason or ""
        as_buyer = caller.grant.role not in LEADS
        await caller.here.purchasing.approve(po_id, by=who, reason=why, as_buyer=as_buyer)
        return await shown(caller.here, po_id)

    return await once.safe_to_repeat(work)


@router.post(
    "/{po_id}/cancel",
    operation_id="cancelPurchaseOrder",
    summary="Cancel the outstanding units of a purchase order",
    response_model=ShownPurchaseOrder,
)
async def cancel(
    po_id: Id,
    content: Annotated[Cancellation, example({"reason": "ordered by mistake"})],
    caller: Writes,
    once: Keyed,
) -> Response:
    """Refused where the supplier does not agree."""

    async def work() -> ShownPurchaseOrder:
        who = caller.who(content.by)
        await caller.here.purchasing.cancel(po_id, by=who, reason=content.reason)
        return await shown(caller.here, po_id)

    return await once.safe_to_repeat(work)
