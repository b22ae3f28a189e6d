"""Order holds: what keeps an order's goods here, placed and ended by people."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict
from starlette.responses import Response

from domain.orders.hold_messages import (
    ExtendRequest,
    HoldOutcome,
    HoldRequest,
    RejectOutcome,
    RejectRequest,
    ReleaseRequest,
    StandingHold,
)
from starter.http.asking import DECIDED_LATER, Asking, asks
from starter.http.callers import Caller, may
from starter.http.examples import example
from starter.http.reading import StrictRoute

router = APIRouter(prefix="/v1/orders", tags=["holds"], route_class=StrictRoute)


class StandingHolds(BaseModel):
    """The holds of an order that stand, the oldest first."""

    model_config = ConfigDict(frozen=True)

    order_id: str
    holds: tuple[StandingHold, ...]


@router.get(
    "/{order_id}/holds",
    operation_id="listHolds",
    summary="List the holds of an order that stand",
)
async def list_holds(order_id: str, caller: Annotated[Caller, may("orders:read")]) -> StandingHolds:
    """Each with who sees to it and its deadline. `P1`: for the payment; `H1`: nothing leaves."""
    await caller.check_order(order_id)
    found = await caller.here.holds.standing(order_id)
    return StandingHolds(order_id=order_id, holds=tuple(found))


@router.post(
    "/{order_id}/hold",
    operation_id="holdOrder",
    summary="Keep an order's goods here",
    response_model=HoldOutcome,
    responses=DECIDED_LATER,
)
async def hold(
    content: Annotated[
        HoldRequest,
        example(
            {
                "reason": "fraud_review",
                "note": "the customer asks for another name on the parcel",
                "owner": "risk team",
                "until": "2099-12-01T12:00:00Z",
                "at_end": "reject",
            }
        ),
    ],
    asking: Annotated[Asking, asks("orders:write")],
) -> Response:
    """Nothing of it is picked, labelled or handed over while one stands; several may."""
    return await asking.answer(content, asking.here.holds.hold, HoldOutcome)


@router.post(
    "/{order_id}/release",
    operation_id="releaseOrder",
    summary="End a hold of an order, or all of them",
    response_model=HoldOutcome,
    responses=DECIDED_LATER,
)
async def release(
    content: Annotated[ReleaseRequest, example({"note": "the customer was called"})],
    asking: Annotated[Asking, asks("orders:write")],
) -> Response:
    """A hold for the payment ends when the order is paid, and not by this."""
    return await asking.answer(content, asking.here.holds.release, HoldOutcome)


@router.post(
    "/{order_id}/extend",
    operation_id="extendHold",
    summary="Give a hold another deadline",
    response_model=HoldOutcome,
    responses=DECIDED_LATER,
)
async def extend(
    content: Annotated[
        ExtendRequest, example({"note": "no answer yet", "until": "2099-12-05T12:00:00Z"})
    ],
    asking: Annotated[Asking, asks("orders:write")],
) -> Response:
    """Without a deadline (null), a person ends it."""
    return await asking.answer(content, asking.here.holds.extend, HoldOutcome)


@router.post(
    "/{order_id}/reject",
    operation_id="rejectOrder",
    summary="Reject an order that is held",
    response_model=RejectOutcome,
    responses=DECIDED_LATER,
)
async def reject(
    content: Annotated[RejectRequest, example({"note": "the card was stolen"})],
    asking: Annotated[Asking, asks("orders:write")],
) -> Response:
    """All that has not left is cancelled and paid back, and its holds end."""
    return await asking.answer(content, asking.here.holds.reject, RejectOutcome)
