"""Orderloom as it ships: its worker with the relay, its client, its desk."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import timedelta

from activities.providers.sandbox.carrier import SandboxCarrier
from activities.providers.sandbox.payment import SandboxPayment
from activities.relay import Relay
from benchmarks.contestants.outside import JOURNEY, label_of, required
from benchmarks.contestants.protocol import ClientSide, WorkerSide
from benchmarks.goods import an_order
from domain import ids
from domain.errors import Refused
from domain.orders.policy import Policy
from runtime.settings import load_settings
from runtime.worker_options import tuning
from starter.service.service import Service
from worker import build_worker, duties

_ANSWER_WITHIN = timedelta(seconds=60)


class Orderloom:
    """The product."""

    name = "orderloom"
    has_effects = True
    queries_per_order = 0

    @asynccontextmanager
    async def working(self, side: WorkerSide) -> AsyncIterator[None]:
        """A running worker."""
        pool = required(side.pool)
        relay = asyncio.create_task(
            Relay(pool, duties(side.client, pool, task_queue=side.task_queue)).run()
        )
        try:
            async with build_worker(
                side.client,
                pool,
                task_queue=side.task_queue,
                providers={"sandbox": SandboxPayment(pool, random=random.SystemRandom())},
                carrier=SandboxCarrier(pool, random=random.SystemRandom()),
                **tuning(load_settings()) | side.options,
            ):
                yield
        finally:
            relay.cancel()
            with suppress(asyncio.CancelledError):
                await relay

    def player(self, side: ClientSide) -> OrderloomPlayer:
        return OrderloomPlayer(side)


class OrderloomPlayer:
    """A channel, a warehouse and a carrier, all of them at Orderloom's own doors."""

    def __init__(self, side: ClientSide) -> None:
        pool = required(side.pool)
        self._side = side
        self._watch = required(side.watch)
        self._service = Service(
            pool,
            side.client,
            task_queue=side.task_queue,
            policy=Policy(return_window=side.pace.return_window),
        )

    async def place(self, number: int) -> str:
        """Place the order with this number."""
        order = an_order("orderloom", number)
        placement = await self._service.orders.place(order, answer_within=_ANSWER_WITHIN)
        if placement.outcome != "confirmed":
            raise Refused(f"{order.order_id} is {placement.outcome}: {placement.reason}")
        return ids.workflow_id(order.order_id)

    async def finish(self, workflow_id: str) -> None:
        """Take it to its end."""
        pause, service = self._side.pace.think_s, self._service
        order_id = workflow_id.removeprefix(ids.WORKFLOW_PREFIX)
        parcel = ids.fulfilment_id(order_id, 1)
        await asyncio.sleep(pause)
        await service.warehouse.pick(parcel, who="picker")
        await asyncio.sleep(pause)
        await service.warehouse.pack(parcel, who="packer")
        await asyncio.sleep(pause)
        label = await label_of(self._watch, parcel)
        await service.warehouse.hand_over(parcel, who="packer")
        await self._service.orders.get(order_id)
        for status in JOURNEY:
            await asyncio.sleep(pause)
            await service.carriers.event(
                carrier=label.carrier,
                tracking_number=label.tracking_number,
                event_id=status,
                status=status,
            )
        await self._side.client.get_workflow_handle(workflow_id).result()
