"""Places orders, and reads about them.

    async with service() as here:  # starter.service.connection
        placement = await here.orders.place(order)

Placing writes the order down, which answers repeats and conflicts, and then starts its workflow.
All reads come from PostgreSQL, and so does the decision on an order that was just placed.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Final

from temporalio.client import Client, WorkflowExecutionStatus
from temporalio.service import RPCError, RPCStatusCode

from domain import ids
from domain.errors import InvalidInput, OrderloomError, Unreachable
from domain.orders.messages import (
    AttentionAnswer,
    Placement,
)
from domain.orders.order import Order
from domain.orders.policy import Policy
from domain.orders.starts import OrderStart
from domain.orders.taxing import TaxRates, lacks_tax
from runtime.order_starts import start_order
from starter.service.decisions import Decisions
from starter.service.order_records import OrderRecords
from starter.service.order_requests import OrderRequests
from starter.service.resuming import SETTLE, LostOrders, Resumption
from starter.service.taking_in import Asked, Taken, TakingIn
from starter.service.taxing import taxed_by
from starter.service.updates import UnderWay
from store.database import Pool

_A_DAY = timedelta(days=1)

ANSWER_WITHIN = timedelta(seconds=10)
"""Placing waits this long for the decision; then the order goes on by itself, in progress."""

ASK_WITHIN: Final = timedelta(seconds=10)
"""Temporal is given this long to say whether an order's workflow runs."""

AWAY_SECONDS: Final = 5.0
"""After a start that Temporal did not take, the next orders are left to the relay for so long."""


@dataclass(frozen=True)
class Placed:
    """The answer to placing an order. `new`: it was not on record before.

    `repeated`: a request with the same key was answered before.
    """

    placement: Placement
    new: bool
    repeated: bool


class Orders(OrderRecords):
    """Orders, with placing them and answering their steps. Safe to share between tasks.

    Every method may raise Unreachable when a server does not answer; nothing is lost by that, and
    the same call may be made again. Placing needs the database alone.
    """

    def __init__(
        self,
        pool: Pool,
        temporal: Client,
        requests: OrderRequests,
        *,
        task_queue: str,
        policy: Policy | None = None,
        taxes: TaxRates | None = None,
    ) -> None:
        super().__init__(pool)
        self._taxes = taxes
        self._temporal = temporal
        self._requests = requests
        self._task_queue = task_queue
        self._decisions = Decisions(pool)
        self._lost = LostOrders(pool, temporal, task_queue)
        self._away: Unreachable | None = None
        self._away_until = 0.0
        self._intake = TakingIn(pool, policy or Policy())

    async def place(
        self,
        order: Order,
        *,
        policy: Policy | None = None,
        answer_within: timedelta = ANSWER_WITHIN,
        bulk: bool = False,
    ) -> Placement:
        """Place an order, once however often it is placed.

        `policy`: what is set in it differs for this order from its channel's. `bulk`: it is one of
        many, and lets others pass while work is waiting for workers.
        Answers confirmed, rejected or held with the reason, or in_progress when the decision takes
        longer than `answer_within`, or Temporal is away: the order is safe then, and a worker
        starts it. Raises Conflict when the id was used for other content, and InvalidInput when its
        channel does not take it. An order without a word of tax gets the rates that are due where
        an extension knows them. Raises Unreachable where that one does not answer.
        """
        asked = Asked(order, policy, bulk)
        return (await self.place_by_key(asked, answer_within=answer_within)).placement

    async def place_by_key(
        self, asked: Asked, *, answer_within: timedelta = ANSWER_WITHIN
    ) -> Placed:
        """Place an order as `place` does, and say whether it or its request was known before.

        Its request's key is kept together with the order. Raises KeyReused, too, where that key had
        other content.
        """
        order = asked.as_sent or asked.order
        taxed = await self._with_tax(asked.order)
        try:
            taken = await self._intake.take_in(replace(asked, order=taxed, as_sent=order))
        except InvalidInput:
            # What was taken in before its channel changed is answered as it was.
            if (known := await self._decisions.on_record(order)) is not None:
                return Placed(known, new=False, repeated=False)
            raise
        placement = await self._placement(order, taxed, taken, asked.bulk, answer_within)
        return Placed(placement, new=taken.new, repeated=taken.repeated)

    async def _placement(
        self, order: Order, taxed: Order, taken: Taken, bulk: bool, answer_within: timedelta
    ) -> Placement:
        if not taken.new and (known := await self._decisions.on_record(order)) is not None:
            return known
        try:
            # One that was on record may have other rates: it is started by its rows.
            as_recorded = taken.new or taxed is order
            start = OrderStart.of(taxed, taken.policy, bulk=bulk)
            runs = await self._start(start) if as_recorded else True
        except Unreachable as error:
            return _in_progress(order, f"accepted, and will be started; {error}")
        if not runs:
            return await self._ended_as(order)  # meanwhile, or long ago
        try:
            return await asyncio.wait_for(self._decisions.of(order), answer_within.total_seconds())
        except TimeoutError:
            return await self._undecided(order)

    async def _with_tax(self, order: Order) -> Order:
        """The order with the rates that are due, where it is new and its channel says nothing."""
        if self._taxes is None or not lacks_tax(order):
            return order
        if await self._decisions.on_record(order) is not None:
            return order
        return await taxed_by(self._taxes, order)

    async def _start(self, start: OrderStart) -> bool:
        """Start the order's workflow. False: it had one. Raises Unreachable, in bounded time.

        While Temporal is away, one order in some seconds finds out whether it still is.
        """
        clock = asyncio.get_running_loop().time
        if self._away is not None and clock() < self._away_until:
            raise self._away
        try:
            runs = await start_order(self._temporal, self._task_queue, start)
        except Unreachable as error:
            self._away, self._away_until = error, clock() + AWAY_SECONDS
            raise
        self._away = None
        return runs

    async def _undecided(self, order: Order) -> Placement:
        handle = self._temporal.get_workflow_handle(ids.workflow_id(order.order_id))
        try:
            description = await handle.describe(rpc_timeout=ASK_WITHIN)
        except RPCError as error:
            return _in_progress(order, f"accepted; Temporal does not answer ({error.message})")
        if description.status != WorkflowExecutionStatus.RUNNING:
            return await self._ended_as(order)
        return _in_progress(order, "accepted; no decision yet")

    async def _ended_as(self, order: Order) -> Placement:
        """The recorded decision on an order whose workflow is closed."""
        known = await self._decisions.on_record(order)
        if known is None:
            raise Unreachable(
                f"order {order.order_id} ended without a record; see its workflow "
                f"{ids.workflow_id(order.order_id)} in Temporal"
            )
        return known

    async def refusal_of(self, order_id: str, request: UnderWay) -> OrderloomError | None:
        """Why an order has refused a request that it had; None: it did not, or not yet."""
        return await self._requests.refusal_of(order_id, request)

    async def resolve_attention(
        self, order_id: str, answer: AttentionAnswer, *, request_id: str | None = None
    ) -> None:
        """Tell a step that needs attention what to do. Raises Refused."""
        await self._requests.send(order_id, answer, type(None), update_id=request_id)

    async def resume(self, order_id: str, *, settle: timedelta = SETTLE) -> Resumption:
        """Have an open order that Temporal has lost go on from its rows. Nothing is done twice.

        Answers resumed, or running where it has a workflow. `settle`: steps of the lost run may be
        under way for so long; the new one begins after them. Raises NotFound, Refused where it has
        ended, and Unreachable.
        """
        return await self._lost.take_up(order_id, settle)

    def resume_lost(self, *, settle: timedelta = SETTLE) -> AsyncIterator[Resumption]:
        """The same for all open orders, the oldest first: `async for done in orders.resume_lost()`.

        Says of each open order what it did. Orders that were placed a moment ago are left to the
        worker that starts them. Safe to repeat, and to run from two places at once. Raises
        Unreachable, after it has told of all that it did: run it again.
        """
        return self._lost.take_up_all(settle)

    async def run_of(self, order_id: str) -> str | None:
        """The latest run of the order's workflow; None: Temporal knows none (any more)."""
        handle = self._temporal.get_workflow_handle(ids.workflow_id(order_id))
        try:
            return (await handle.describe(rpc_timeout=ASK_WITHIN)).run_id
        except RPCError as error:
            if error.status is RPCStatusCode.NOT_FOUND:
                return None
            raise Unreachable(f"Temporal does not answer ({error})") from error


def _in_progress(order: Order, why: str) -> Placement:
    return Placement(order_id=order.order_id, outcome="in_progress", reason=why)
