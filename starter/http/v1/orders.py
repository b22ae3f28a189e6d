"""Orders: placed, read and listed."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, ConfigDict
from starlette.responses import Response

from domain.fields import Instant
from domain.money import to_decimal
from domain.orders.messages import AttentionAnswer
from domain.views.order_snapshot import (
    AmountText,
    FulfilmentStatus,
    OrderSnapshot,
    OrderState,
    PaymentStatus,
)
from starter.http.asking import CHANGED, Command, IfMatch, command, decide
from starter.http.callers import Caller, may
from starter.http.examples import example
from starter.http.once import Keyed
from starter.http.paging import Page, Paged
from starter.http.reading import StrictRoute
from starter.http.shown_orders import Expand, ExpandedOrder, expanded, mine
from starter.http.versions import is_known, tag
from store.views.reads import EventRow, OrderSummary

router = APIRouter(prefix="/v1", tags=["orders"], route_class=StrictRoute)


class ListedOrder(BaseModel):
    """An order on one line. Units are those of all its lines together.

    `order`: the order itself, where it was asked for.
    """

    model_config = ConfigDict(frozen=True)

    order_id: str
    channel: str
    channel_order_id: str
    seller: str
    customer_id: str
    state: OrderState
    fulfilment_status: FulfilmentStatus
    payment_status: PaymentStatus
    reason: str
    held: str | None
    needs_attention: bool
    currency: str
    total: AmountText
    placed_at: datetime
    received_at: datetime
    ordered: int
    shipped: int
    delivered: int
    cancelled: int
    returned: int
    order: OrderSnapshot | None = None


class OrderStory(BaseModel):
    """All that happened to an order, oldest first, with who and why."""

    model_config = ConfigDict(frozen=True)

    order_id: str
    events: tuple[EventRow, ...]


@router.get("/orders", operation_id="listOrders", summary="List orders, newest first")
async def list_orders(
    caller: Annotated[Caller, may("orders:read")],
    paged: Paged,
    channel: Annotated[str | None, Query(max_length=16)] = None,
    seller: Annotated[str | None, Query(max_length=64)] = None,
    state: OrderState | None = None,
    customer_id: Annotated[str | None, Query(max_length=200)] = None,
    needs_attention: bool | None = None,
    placed_from: Annotated[Instant | None, Query(description="Then or later.")] = None,
    placed_to: Annotated[Instant | None, Query(description="Before then.")] = None,
    expand: Annotated[
        Literal["order"] | None, Query(description="Show each order whole, too.")
    ] = None,
) -> Page[ListedOrder]:
    """Those of the key's channels and sellers that match every filter."""
    asked: dict[str, Any] = {
        "channel": channel,
        "seller": seller,
        "state": state,
        "customer_id": customer_id,
        "attention": needs_attention,
        "placed_from": placed_from,
        "placed_to": placed_to,
        "channels": caller.channels,
        "sellers": caller.sellers,
    }
    place = paged.after(asked)
    after = None if place is None else (datetime.fromisoformat(place[0]), str(place[1]))
    found = await caller.here.orders.list(**asked, after=after, at_most=paged.at_most)
    page = paged.page(
        asked, found, place=lambda one: (one.received_at.isoformat(), one.order_id), show=listed
    )
    if expand is None:
        return page
    whole = await caller.here.orders.snapshots([one.order_id for one in page.items])
    items = (one.model_copy(update={"order": whole.get(one.order_id)}) for one in page.items)
    return page.model_copy(update={"items": tuple(items)})


@router.get(
    "/orders/{order_id}",
    operation_id="getOrder",
    summary="Read an order",
    response_model=ExpandedOrder,
    responses={304: {"description": "The version that If-None-Match names is the newest."}},
)
async def get_order(
    request: Request,
    order_id: str,
    caller: Annotated[Caller, may("orders:read")],
    expand: Expand = (),
) -> Response:
    """All of it, but the person: what was promised, what has happened, what was adjusted.

    With `expand` it is always sent whole: its version says nothing of what stands beside it.
    """
    shown = await mine(caller, order_id)
    headers = {"ETag": tag(shown), "Cache-Control": "private, no-cache"}
    if not expand and is_known(request, shown):
        return Response(status_code=304, headers=headers)
    answer = await expanded(caller, shown, expand)
    return Response(answer, media_type="application/json", headers=headers)


@router.post(
    "/orders/{order_id}/resolve",
    operation_id="resolveStep",
    summary="Decide about a step that waits for a person",
    status_code=204,
    responses=CHANGED,
)
async def resolve(
    request: Request,
    order_id: str,
    answer: Annotated[
        AttentionAnswer,
        example({"step": "label web-1001:1", "action": "retry", "note": "the carrier is back"}),
    ],
    caller: Annotated[Caller, may("orders:write")],
    once: Keyed,
    _: IfMatch = None,
) -> Response:
    """`tasks` of the order names the steps, and the answers that each of them takes.

    A step that was resolved takes no second answer, under another key.
    """
    return await once.safe_to_repeat(
        lambda: decide(caller, request, order_id, answer, once), status=204
    )


@router.get(
    "/commands/{command_id}",
    operation_id="getCommand",
    summary="Ask what became of a request that was answered with 202",
)
async def get_command(
    request: Request, command_id: str, caller: Annotated[Caller, may("orders:read")]
) -> Command:
    """Ask again until it is done: the order will meet it, whatever happens here meanwhile."""
    return await command(request, caller, command_id)


@router.get(
    "/orders/{order_id}/document",
    operation_id="getOrderDocument",
    summary="Read an order as it was placed",
)
async def get_document(
    order_id: str,
    caller: Annotated[Caller, may("orders:read")],
    _: Annotated[Caller, may("customers:read")],
) -> dict[str, Any]:
    """With who ordered and where it goes, or what is left of that after it was erased."""
    await caller.check_order(order_id)
    return (await caller.here.orders.get(order_id)).document


@router.get(
    "/orders/{order_id}/story",
    operation_id="getOrderStory",
    summary="Read what happened to an order, by whom and why",
)
async def get_story(order_id: str, caller: Annotated[Caller, may("orders:read")]) -> OrderStory:
    """Every line that the order's steps and people have written, which is never changed."""
    await caller.check_order(order_id)
    return OrderStory(order_id=order_id, events=tuple(await caller.here.orders.events(order_id)))


def listed(order: OrderSummary) -> ListedOrder:
    """An order of a list."""
    return ListedOrder(
        **order.model_dump(include=set(ListedOrder.model_fields) - {"total", "needs_attention"}),
        total=str(to_decimal(order.total_minor, order.currency)),
        needs_attention=order.attention,
    )
