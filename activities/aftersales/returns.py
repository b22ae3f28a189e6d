"""Returns: approve one, then wait for its parcel."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict
from temporalio import activity

from activities.waiting import wait_for_report
from domain import ids
from domain.orders.quantities import LineUnits
from domain.orders.refund_rules import Granted
from store.aftersales import returns
from store.database import Pool
from store.locks import lock_order
from store.orders import effects, events, orders


class ApproveReturn(BaseModel):
    """The units that the customer may send back, by line id.

    One request gets one return. An undeliverable parcel has its fulfilment's id for a request.
    """

    model_config = ConfigDict(frozen=True)

    order_id: str
    request_id: str
    kind: Literal["customer", "undeliverable"] = "customer"
    fulfilment_id: str | None = None
    units: LineUnits
    reason: str
    who: str


class Approved(BaseModel):
    """The return that was approved."""

    model_config = ConfigDict(frozen=True)

    return_id: str


class ReturnPart(BaseModel):
    """Names one return."""

    model_config = ConfigDict(frozen=True)

    return_id: str


class ReceivedReturn(BaseModel):
    """The warehouse's count of a return parcel. `refund`: what it grants; None: nothing."""

    model_config = ConfigDict(frozen=True)

    received: LineUnits
    missing: LineUnits = {}
    refund: Granted | None = None


class Returns:
    """Activities for goods on their way back, with the database pool injected."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    @activity.defn
    async def approve_return(self, ask: ApproveReturn) -> Approved:
        """Record that these units may come back, and expect them at the warehouse."""
        order_id, effect = ask.order_id, f"approve_return:{ask.request_id}"
        async with self._pool.acquire() as conn, conn.transaction():
            await lock_order(conn, order_id)
            done = await effects.find(conn, order_id, effect)
            if done is not None:
                return Approved.model_validate(done)
            number = await returns.next_number(conn, order_id)
            approved = Approved(return_id=ids.return_id(order_id, number))
            await returns.create(
                conn,
                approved.return_id,
                kind=ask.kind,
                fulfilment_id=ask.fulfilment_id,
                units=ask.units,
                skus=await orders.skus(conn, order_id),
                reason=ask.reason,
            )
            if ask.kind == "customer":
                moves = {k: {"return_requested": units} for k, units in ask.units.items()}
                await orders.move_lines(conn, order_id, moves)
            await events.tell(
                conn,
                order_id,
                effect,
                "return approved" if ask.kind == "customer" else "coming back",
                who=ask.who,
                why=ask.reason,
                data={"return_id": approved.return_id, "units": ask.units},
                answer=approved.model_dump(),
            )
            return approved

    @activity.defn
    async def receive_return(self, part: ReturnPart) -> ReceivedReturn:
        """Wait until the warehouse has the return parcel and has counted it."""
        await wait_for_report(self._pool, "receive_return", part.return_id)
