"""Changes of placed orders: what a change would do, the change, and the versions it left."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict
from starlette.responses import Response

from domain.orders.edit_messages import EditOutcome, EditPreview, OrderEdit
from domain.orders.versions import OrderVersion
from starter.http.asking import DECIDED_LATER, Asking, asks
from starter.http.callers import Caller, may
from starter.http.examples import example
from starter.http.once import Keyed
from starter.http.reading import StrictRoute
from starter.http.shown_orders import mine

router = APIRouter(prefix="/v1/orders", tags=["aftersales"], route_class=StrictRoute)

EXAMPLE = example(
    {
        "reason": "the customer wants one more",
        "version": 1,
        "total": "30.00",
        "lines": [{"line_id": "1", "quantity": 3}],
    }
)


class OrderVersions(BaseModel):
    """All versions of an order's document, oldest first; the last one is the present."""

    model_config = ConfigDict(frozen=True)

    order_id: str
    versions: tuple[OrderVersion, ...]


@router.post(
    "/{order_id}/edit/preview",
    operation_id="previewEdit",
    summary="See what a change of an order would do",
    response_model=EditPreview,
)
async def preview(
    order_id: str,
    content: Annotated[OrderEdit, EXAMPLE],
    caller: Annotated[Caller, may("aftersales:write")],
    once: Keyed,
) -> Response:
    """The new total and tax, what is charged more or less, and what cannot be changed and why.

    Nothing is written. Apply it by the `version` of the answer, and the amount of its `total`.
    """
    await mine(caller, order_id)
    return await once.safe_to_repeat(lambda: caller.here.edits.preview(order_id, content))


@router.post(
    "/{order_id}/edit",
    operation_id="editOrder",
    summary="Change a placed order: all of it, or nothing",
    response_model=EditOutcome,
    responses=DECIDED_LATER,
)
async def edit(
    content: Annotated[OrderEdit, EXAMPLE],
    asking: Annotated[Asking, asks("aftersales:write")],
) -> Response:
    """More is authorized first. Where that fails, or a rule says no, the order is as it was."""
    return await asking.answer(content, asking.here.edits.edit, EditOutcome)


@router.get(
    "/{order_id}/versions",
    operation_id="listVersions",
    summary="Read all versions of an order's document",
)
async def list_versions(
    order_id: str,
    caller: Annotated[Caller, may("orders:read")],
    _: Annotated[Caller, may("customers:read")],
) -> OrderVersions:
    """With the person of each, as far as it is not erased, and the edit that ended it."""
    await mine(caller, order_id)
    return OrderVersions(
        order_id=order_id, versions=tuple(await caller.here.edits.versions(order_id))
    )
