"""Orders: placed, one or many."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated, Any, Final, Literal

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic_core import to_jsonable_python
from starlette.responses import JSONResponse, Response

from domain.errors import NotFound, OrderloomError
from domain.orders.messages import Placement
from domain.orders.order import Order
from domain.views.order_snapshot import OrderSnapshot
from starter.http import problems
from starter.http.callers import Caller, may
from starter.http.examples import ORDER, example
from starter.http.once import REPLAYED, Keyed
from starter.http.problems import Problem
from starter.http.reading import StrictRoute
from starter.http.shown_orders import mine
from starter.http.waiting import Waits
from starter.service.taking_in import Asked

router = APIRouter(prefix="/v1", tags=["orders"], route_class=StrictRoute)

TOGETHER_MAX: Final = 100


class PlacedOrder(Placement):
    """The answer to placing an order. `order`: the order itself, where it was asked for."""

    order: OrderSnapshot | None = None


class ManyOrders(BaseModel):
    """Up to a hundred orders, each answered for itself."""

    model_config = ConfigDict(extra="forbid")

    orders: Annotated[list[dict[str, Any]], Field(min_length=1, max_length=TOGETHER_MAX)]


class ManyPlaced(BaseModel):
    """What became of each order, in the sequence in which they came: an answer or a problem."""

    model_config = ConfigDict(frozen=True)

    results: tuple[Placement | Problem, ...]


@router.post(
    "/orders",
    operation_id="placeOrder",
    summary="Place an order",
    status_code=201,
    response_model=PlacedOrder,
    responses={
        200: {"model": PlacedOrder, "description": "The order was on record before."},
        202: {"model": PlacedOrder, "description": "Taken in; the decision comes later."},
    },
)
async def place(
    request: Request,
    order: Annotated[Order, example(ORDER)],
    caller: Annotated[Caller, may("orders:write")],
    once: Keyed,
    waits: Waits,
    expand: Annotated[Literal["order"] | None, Query(description="Show the order, too.")] = None,
) -> Response:
    """The order is safe as soon as this is answered, whatever happens next.

    It is one order however often it is placed: its channel and its number name it. Other content
    under the same name is a conflict. 201 and 200 tell the decision, in `outcome`; 202 tells that
    it takes longer than `Prefer: wait=n` says, and the order is asked for it then.
    """
    await check_channel(caller, order.channel)
    with once.alone():
        asked = Asked(order, key=once.key)
        placed = await caller.here.orders.place_by_key(asked, answer_within=waits.long)
    answer = PlacedOrder(**placed.placement.model_dump())
    if expand is not None:
        answer = answer.model_copy(update={"order": await mine(caller, order.order_id)})
    status = 202 if placed.placement.outcome == "in_progress" else 201 if placed.new else 200
    headers = {"Location": str(request.app.url_path_for("get_order", order_id=order.order_id))}
    headers |= waits.applied()
    if placed.repeated:
        headers |= REPLAYED
    return JSONResponse(to_jsonable_python(answer), status_code=status, headers=headers)


@router.post(
    "/orders/many",
    operation_id="placeOrders",
    summary="Place up to a hundred orders",
    response_model=ManyPlaced,
)
async def place_many(
    request: Request,
    many: Annotated[ManyOrders, example({"orders": [ORDER]})],
    caller: Annotated[Caller, may("orders:write")],
    once: Keyed,
    waits: Waits,
) -> Response:
    """Each order is placed and answered for itself, as if it had come alone.

    All are decided within the time that `Prefer: wait=n` says, or are in progress then. A repeat
    places nothing twice, and tells what became of each order by then. Files of more orders are
    imported as a job.
    """

    async def placed() -> ManyPlaced:
        # Together, so that the time of an answer does not grow with their number. They are written
        # down in the sequence in which they came.
        results = await asyncio.gather(
            *(_one_of_many(request, caller, one, waits.long) for one in many.orders)
        )
        return ManyPlaced(results=tuple(results))

    return await once.once_by_name(placed)


async def _one_of_many(
    request: Request, caller: Caller, document: Mapping[str, Any], within: timedelta
) -> Placement | Problem:
    told: dict[str, Any] = {
        "instance": request.url.path,
        "request_id": request.state.request_id,
    }
    try:
        order = Order.model_validate(document)
        await check_channel(caller, order.channel)
        return await caller.here.orders.place(order, answer_within=within, bulk=True)
    except ValidationError as error:
        return problems.of_faults(error.errors(), **told)
    except OrderloomError as error:
        return problems.problem_of(error, **told)


async def check_channel(caller: Caller, code: str) -> None:
    """Raises NotFound where the caller may place nothing for this channel."""
    grant = caller.grant
    if grant.channels is not None and code not in grant.channels:
        raise NotFound(f"there is no channel {code}")
    if grant.sellers is not None:
        known = {one.channel: one.seller for one in await caller.here.channels.list()}
        if known.get(code) not in grant.sellers:
            raise NotFound(f"there is no channel {code}")
