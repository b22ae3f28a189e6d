"""What suppliers and the dock report of purchase orders."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Annotated

from fastapi import APIRouter
from pydantic import Field
from starlette.responses import Response

from domain.fields import Day, Document, Id, Reason, Sku
from domain.purchasing.purchase_orders import Acknowledged
from starter.http.callers import Caller, may
from starter.http.examples import example
from starter.http.once import Keyed
from starter.http.reading import StrictRoute
from starter.http.reports import AT_ONCE_MAX, CountedOfSkus, NoneOrMore, Report, UnitsOfSkus
from starter.http.shown_purchases import ShownPurchaseOrder, shown
from starter.service.service import Records

router = APIRouter(prefix="/v1/purchase-orders", tags=["purchasing"], route_class=StrictRoute)

Writes = Annotated[Caller, may("purchasing:write")]


class AcknowledgedLine(Document):
    """Units of a SKU that will arrive in all, and the day on which they do."""

    sku: Sku
    quantity: NoneOrMore
    due_on: Day


class Acknowledgement(Report):
    """What the supplier will send, and when; without lines, everything as it was ordered.

    Units that it will not send are cancelled for good; SKUs that are left out stay as they are. If
    a day slips later, it is acknowledged again.
    """

    lines: Annotated[list[AcknowledgedLine] | None, Field(min_length=1, max_length=AT_ONCE_MAX)] = (
        None
    )


class Agreement(Report):
    """Who agrees, and why."""

    reason: Reason | None = None


class Parcel(Document):
    """Who carries it, and under which number."""

    carrier: Annotated[str, Field(min_length=1, max_length=60)]
    tracking_number: Annotated[str, Field(min_length=1, max_length=100)]

    @property
    def named(self) -> tuple[str, str]:
        return self.carrier, self.tracking_number


class Dispatch(Report):
    """Units (SKU → number) that the supplier has sent; left out: all that are outstanding."""

    units: UnitsOfSkus | None = None
    parcel: Parcel | None = None
    """Of what goes straight to a customer."""


class Delivery(Report):
    """Units (SKU → number) that arrived; left out: all that are outstanding.

    `rest_is_cancelled`: no more will come. Otherwise it may.
    """

    units: CountedOfSkus | None = None
    rest_is_cancelled: bool = False


class PurchaseRefusal(Report):
    """Why the supplier does not serve it."""

    reason: Reason


@router.post(
    "/{po_id}/acknowledge",
    operation_id="acknowledgePurchaseOrder",
    summary="Report what the supplier will send, and when",
    response_model=ShownPurchaseOrder,
)
async def acknowledge(
    po_id: Id,
    content: Annotated[
        Acknowledgement,
        example({"lines": [{"sku": "TEA-ASSAM-250", "quantity": 48, "due_on": "2026-12-08"}]}),
    ],
    caller: Writes,
    once: Keyed,
) -> Response:
    """The days count for what is promised to customers from then on."""
    answer = None
    if content.lines is not None:
        answer = {
            line.sku: Acknowledged(quantity=line.quantity, due_on=line.due_on)
            for line in content.lines
        }
    return await _reported(
        once,
        po_id,
        lambda here: here.purchasing.acknowledge(
            po_id, once.request_id, answer, who=caller.who(content.by)
        ),
    )


@router.post(
    "/{po_id}/agree",
    operation_id="agreeToPurchaseOrder",
    summary="Take what the supplier has answered, although it is not what was ordered",
    response_model=ShownPurchaseOrder,
)
async def agree(
    po_id: Id, content: Annotated[Agreement, example({"by": "kim"})], caller: Writes, once: Keyed
) -> Response:
    """Nobody has to look at that answer any more. It changes no unit and no day."""
    return await _reported(
        once,
        po_id,
        lambda here: here.purchasing.agree(
            po_id, once.request_id, who=caller.who(content.by), why=content.reason or ""
        ),
    )


@router.post(
    "/{po_id}/dispatch",
    operation_id="dispatchPurchaseOrder",
    summary="Report that the supplier has sent units",
    response_model=ShownPurchaseOrder,
)
async def dispatch(
    po_id: Id,
    content: Annotated[Dispatch, example({"units": {"TEA-ASSAM-250": 24}})],
    caller: Writes,
    once: Keyed,
) -> Response:
    """They are on their way, and counted when they arrive.

    What goes straight to a customer is handed over with that.
    """
    return await _reported(
        once,
        po_id,
        lambda here: here.purchasing.ship(
            *(po_id, once.request_id, content.units),
            parcel=None if content.parcel is None else content.parcel.named,
            who=caller.who(content.by),
        ),
    )


@router.post(
    "/{po_id}/receive",
    operation_id="receivePurchaseOrder",
    summary="Report goods that arrived from a supplier",
    response_model=ShownPurchaseOrder,
)
async def receive(
    po_id: Id,
    content: Annotated[Delivery, example({"units": {"TEA-ASSAM-250": 24}})],
    caller: Annotated[Caller, may("stock:write")],
    once: Keyed,
) -> Response:
    """They are on hand from then on, and backorders are served from them.

    It takes `stock:write`: whoever receives goods need not be somebody who buys.
    """
    return await _reported(
        once,
        po_id,
        lambda here: here.purchasing.receive(
            *(po_id, once.request_id, content.units),
            rest_is_cancelled=content.rest_is_cancelled,
            who=caller.who(content.by),
        ),
    )


@router.post(
    "/{po_id}/refuse",
    operation_id="refusePurchaseOrder",
    summary="Report that the supplier will not serve it, or its rest",
    response_model=ShownPurchaseOrder,
)
async def refuse(
    po_id: Id,
    content: Annotated[PurchaseRefusal, example({"reason": "out of production"})],
    caller: Writes,
    once: Keyed,
) -> Response:
    """Another supplier is asked, if there is one."""
    return await _reported(
        once,
        po_id,
        lambda here: here.purchasing.refuse(po_id, content.reason, who=caller.who(content.by)),
    )


async def _reported(
    once: Keyed, po_id: str, report: Callable[[Records], Awaitable[None]]
) -> Response:
    async def work(here: Records) -> ShownPurchaseOrder:
        await report(here)
        return await shown(here, po_id)

    return await once.in_database(work)
