"""The same order life, written as tutorials write it: what Orderloom is measured against.

One regular activity per step with default options, one signal for each thing that the warehouse or
the carrier does, one query for each look at the status, a worker with the SDK's own defaults (its
sandbox, its pollers, its cache), the workflow's imports passed through as the SDK's guide says.

Why that is fair: it has the same effects. Reserving, authorizing, capturing and closing are
Orderloom's own activities; picks, packs, labels, hand-overs and deliveries call the same functions
of `store/` in the same transactions, and the same sandbox companies with the same keys. So the
database does the same statements with the same durability, the story of each order is the same, and
the same audit passes. Idle steps that some tutorials have (a status update, a mail) are left out.
What they do beyond that is to leave a wait report for Orderloom's relay with each of four facts: 8
short statements of some 140.
It cannot do what it does not need here: cancel, return, undo, replace, ask a person.
"""

from __future__ import annotations

import asyncio
import random
from typing import Any

from temporalio.client import WorkflowHandle
from temporalio.worker import Worker

from activities.orders.order_records import OrderRecords
from activities.payments.authorizations import Authorizations
from activities.payments.payments import Payments
from activities.providers.sandbox.carrier import SandboxCarrier
from activities.providers.sandbox.payment import SandboxPayment
from activities.stock.inventory import Inventory
from benchmarks.contestants.outside import JOURNEY, label_of, required
from benchmarks.contestants.protocol import ClientSide, WorkerSide
from benchmarks.contestants.textbook_activities import Warehouse
from benchmarks.contestants.textbook_workflow import TextbookInput, TextbookWorkflow
from benchmarks.goods import an_order
from domain import ids
from domain.errors import Refused
from starter.service.decisions import Decisions


class Textbook:
    """The same life with the same effects, as tutorials do it."""

    name = "textbook"
    has_effects = True
    queries_per_order = 1

    def working(self, side: WorkerSide) -> Worker:
        """A running worker."""
        pool = required(side.pool)
        warehouse = Warehouse(pool, SandboxCarrier(pool, random=random.SystemRandom()))
        inventory, records = Inventory(pool), OrderRecords(pool)
        companies = {"sandbox": SandboxPayment(pool, random=random.SystemRandom())}
        authorizations, payments = Authorizations(pool, companies), Payments(pool, companies)
        return Worker(
            side.client,
            task_queue=side.task_queue,
            workflows=[TextbookWorkflow],
            activities=[
                inventory.reserve_stock,
                authorizations.authorize_payment,
                warehouse.record_pick,
                warehouse.record_pack,
                warehouse.buy_label,
                warehouse.record_hand_over,
                payments.capture_payment,
                warehouse.record_scan,
                records.close_order,
            ],
            **side.options,
        )

    def player(self, side: ClientSide) -> TextbookPlayer:
        return TextbookPlayer(side)


class TextbookPlayer:
    """A shop, a warehouse and a carrier that send signals."""

    def __init__(self, side: ClientSide) -> None:
        self._side = side
        self._watch = required(side.watch)
        # A shop has to know what was decided: it looks where Orderloom's client looks.
        self._decisions = Decisions(required(side.pool))

    async def place(self, number: int) -> str:
        """Place the order with this number."""
        order = an_order("textbook", number)
        handle = await self._side.client.start_workflow(
            TextbookWorkflow.run,
            TextbookInput(order=order, return_window=self._side.pace.return_window),
            id=ids.workflow_id(order.order_id),
            task_queue=self._side.task_queue,
        )
        placement = await self._decisions.of(order)
        if placement.outcome != "confirmed":
            raise Refused(f"{order.order_id} is {placement.outcome}: {placement.reason}")
        return handle.id

    async def finish(self, workflow_id: str) -> None:
        """Take it to its end."""
        pause = self._side.pace.think_s
        order: WorkflowHandle[Any, Any] = self._side.client.get_workflow_handle(workflow_id)
        order_id = workflow_id.removeprefix(ids.WORKFLOW_PREFIX)
        await asyncio.sleep(pause)
        await order.signal(TextbookWorkflow.picked)
        await asyncio.sleep(pause)
        await order.signal(TextbookWorkflow.packed)
        await asyncio.sleep(pause)
        await label_of(self._watch, ids.fulfilment_id(order_id, 1))
        await order.signal(TextbookWorkflow.handed_over)
        await order.query(TextbookWorkflow.order_status)
        for status in JOURNEY:
            await asyncio.sleep(pause)
            await order.signal(TextbookWorkflow.scanned, status)
        await order.result()
