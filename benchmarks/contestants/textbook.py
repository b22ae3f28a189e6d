"""The same order life, written as tutorials write it: what Orderloom is measured against.

One regular activity per step with default options, one signal for each thing that the warehouse or
the carrier does, one query for each look at the status, a worker with the SDK's own defaults (its
sandbox, its pollers, its cache), the workflow's imports passed through as the SDK's guide says. A
database with a table for each thing, a pool with the driver's own defaults, a transaction for each
fact, `SELECT … FOR UPDATE` before what must not happen twice, and a statement for each row.

It does the same business: it reserves all of an order or nothing and never sells what is not there,
authorizes, records picks, packs, hand-overs and scans, buys a label, captures, writes an invoice
with its items, the ledger's entries, the movements of stock and the order's story; companies are
called with keys, so that a step may be repeated. It is neither crippled nor tuned, and nothing in
it is Orderloom's: what Orderloom saves, this does not. It is left as it is.
It cannot do what it does not need here: cancel, return, undo, replace, ask a person.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from typing import Any, Final

import asyncpg
from temporalio.client import Client, WorkflowHandle
from temporalio.worker import Worker

from benchmarks.contestants.looks import Looks
from benchmarks.contestants.outside import JOURNEY, required
from benchmarks.contestants.protocol import ClientSide, WorkerSide
from benchmarks.contestants.textbook_activities import OrderActivities
from benchmarks.contestants.textbook_books import decided, faults, furnish, labelled
from benchmarks.contestants.textbook_companies import Bank, Carrier
from benchmarks.contestants.textbook_models import Label, Order, Start
from benchmarks.contestants.textbook_payments import PaymentActivities
from benchmarks.contestants.textbook_shipments import ShipmentActivities
from benchmarks.contestants.textbook_workflow import TextbookWorkflow
from benchmarks.goods import SKUS, UNITS, a_document
from domain.errors import Refused

_DECISION_TICK_S: Final = 0.05
_DRIVERS_OWN_SIZE: Final = 10


class Textbook:
    """The same life with the same effects, as tutorials do it."""

    name = "textbook"
    has_effects = True
    queries_per_order = 1

    async def furnish(self, database_url: str) -> None:
        """Tables and full shelves."""
        await furnish(database_url, SKUS, UNITS)

    async def audit(self, database_url: str, client: Client, task_queue: str) -> list[str]:
        """What its own books contradict."""
        return await faults(database_url)

    @asynccontextmanager
    async def working(self, side: WorkerSide) -> AsyncIterator[None]:
        """A running worker."""
        size = side.connections or _DRIVERS_OWN_SIZE
        async with asyncpg.create_pool(
            required(side.database_url), min_size=size, max_size=size
        ) as pool:
            orders = OrderActivities(pool)
            payments = PaymentActivities(pool, Bank(pool))
            shipments = ShipmentActivities(pool, Carrier(pool))
            async with Worker(
                side.client,
                task_queue=side.task_queue,
                workflows=[TextbookWorkflow],
                activities=[
                    orders.reserve_stock,
                    payments.authorize_payment,
                    shipments.record_pick,
                    shipments.record_pack,
                    shipments.buy_label,
                    shipments.record_hand_over,
                    payments.capture_payment,
                    shipments.record_scan,
                    orders.close_order,
                ],
                **side.options,
            ):
                yield

    @asynccontextmanager
    async def playing(self, side: ClientSide) -> AsyncIterator[TextbookPlayer]:
        """A player with connections of its own."""
        async with (
            asyncpg.create_pool(required(side.database_url), min_size=1) as pool,
            asyncpg.create_pool(required(side.watch_url), min_size=1) as watch,
        ):
            yield TextbookPlayer(
                side,
                decisions=Looks(partial(decided, pool), _DECISION_TICK_S),
                labels=Looks(partial(labelled, watch)),
            )


class TextbookPlayer:
    """A shop, a warehouse and a carrier that send signals."""

    def __init__(self, side: ClientSide, decisions: Looks[str], labels: Looks[Label]) -> None:
        self._side = side
        self._decisions = decisions
        self._labels = labels

    async def place(self, number: int) -> str:
        """Place the order with this number."""
        order = Order.of(a_document("textbook", number))
        handle = await self._side.client.start_workflow(
            TextbookWorkflow.run,
            Start(order=order, return_window=self._side.pace.return_window),
            id=order.order_id,
            task_queue=self._side.task_queue,
        )
        # A shop answers its customer with the decision.
        outcome = await self._decisions.of(order.order_id)
        if outcome == "rejected":
            raise Refused(f"{order.order_id} is rejected")
        return handle.id

    async def finish(self, workflow_id: str) -> None:
        """Take it to its end."""
        pause = self._side.pace.think_s
        order: WorkflowHandle[Any, Any] = self._side.client.get_workflow_handle(workflow_id)
        await asyncio.sleep(pause)
        await order.signal(TextbookWorkflow.picked)
        await asyncio.sleep(pause)
        await order.signal(TextbookWorkflow.packed)
        await asyncio.sleep(pause)
        await self._labels.of(f"{workflow_id}:1")
        await order.signal(TextbookWorkflow.handed_over)
        await order.query(TextbookWorkflow.order_status)
        for status in JOURNEY:
            await asyncio.sleep(pause)
            await order.signal(TextbookWorkflow.scanned, status)
        await self._side.ends.of(workflow_id)
