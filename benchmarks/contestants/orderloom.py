"""Orderloom as it ships: its worker with the relay, its client, its desk."""

from __future__ import annotations

import asyncio
import random
import uuid
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Final

from temporalio.client import Client

from activities.duties import duties
from activities.providers.sandbox.carrier import SandboxCarrier
from activities.providers.sandbox.payment import SandboxPayment
from activities.providers.sandbox.supplier import SandboxSupplier
from activities.relay import Relay
from activities.steps import steps
from benchmarks.contestants.looks import Looks
from benchmarks.contestants.outside import JOURNEY, required
from benchmarks.contestants.protocol import ClientSide, WorkerSide
from benchmarks.goods import SKUS, UNITS, an_order
from domain import ids
from domain.errors import Refused
from domain.orders.policy import Policy
from runtime.settings import load_settings
from runtime.worker_options import tuning
from starter.service.audit import audit
from starter.service.service import Service
from store.database import Pool, open_pool
from store.migrate import migrate
from store.stock import receipts
from worker import build_worker

_ANSWER_WITHIN: Final = timedelta(seconds=60)
_CONNECTIONS: Final = 20
_RECEIVED_AT_ONCE: Final = 4

_LABELS: Final = """
SELECT fulfilment_id, carrier, tracking_number FROM shipment
WHERE fulfilment_id = ANY($1) AND tracking_number IS NOT NULL
"""


@dataclass(frozen=True)
class Label:
    """What is on the parcel."""

    carrier: str
    tracking_number: str


class Orderloom:
    """The product."""

    name = "orderloom"
    has_effects = True
    queries_per_order = 0

    async def furnish(self, database_url: str) -> None:
        """Tables and full shelves."""
        if await migrate(database_url, sandbox=True):
            async with _connections(database_url) as pool:
                await _fill_shelves(pool)

    async def audit(self, database_url: str, client: Client, task_queue: str) -> list[str]:
        """What `orderloom audit` finds."""
        async with _connections(database_url) as pool:
            report = await audit(pool, client, task_queue=task_queue)
        return [f"{item.rule}: {item.subject}: {item.message}" for item in report.violations]

    @asynccontextmanager
    async def working(self, side: WorkerSide) -> AsyncIterator[None]:
        """A running worker."""
        connections = side.connections or load_settings().database_pool_size
        async with (
            _connections(required(side.database_url), connections) as pool,
            self._working(side, pool),
        ):
            yield

    @asynccontextmanager
    async def _working(self, side: WorkerSide, pool: Pool) -> AsyncIterator[None]:
        relay = asyncio.create_task(
            Relay(pool, duties(side.client, pool, task_queue=side.task_queue, readers={})).run()
        )
        try:
            activities = steps(
                side.client,
                pool,
                providers={"sandbox": SandboxPayment(pool, random=random.SystemRandom())},
                carrier=SandboxCarrier(pool, random=random.SystemRandom()),
                supplier=SandboxSupplier(pool, random=random.SystemRandom()),
            )
            async with build_worker(
                side.client,
                activities,
                task_queue=side.task_queue,
                **tuning(load_settings()) | side.options,
            ):
                yield
        finally:
            relay.cancel()
            with suppress(asyncio.CancelledError):
                await relay

    @asynccontextmanager
    async def playing(self, side: ClientSide) -> AsyncIterator[OrderloomPlayer]:
        """A player at Orderloom's doors."""
        async with AsyncExitStack() as stack:
            pool, watch = [
                await stack.enter_async_context(_connections(required(url)))
                for url in (side.database_url, side.watch_url)
            ]
            yield OrderloomPlayer(side, pool, Looks(partial(_labels, watch)))


@asynccontextmanager
async def _connections(url: str, most: int = _CONNECTIONS) -> AsyncIterator[Pool]:
    pool = await open_pool(url, size_max=most)
    try:
        yield pool
    finally:
        await pool.close()


async def _fill_shelves(pool: Pool) -> None:
    few_at_once = asyncio.Semaphore(_RECEIVED_AT_ONCE)

    async def receive(sku: str) -> None:
        async with few_at_once, pool.acquire() as conn:
            await receipts.receive(
                conn, uuid.uuid4().hex, sku, "main", UNITS, who="benchmark", why="stock"
            )

    await asyncio.gather(*map(receive, SKUS))


async def _labels(watch: Pool, parcels: Sequence[str]) -> dict[str, Label]:
    rows = await watch.fetch(_LABELS, parcels)
    return {row["fulfilment_id"]: Label(row["carrier"], row["tracking_number"]) for row in rows}


class OrderloomPlayer:
    """A channel, a warehouse and a carrier, all of them at Orderloom's own doors."""

    def __init__(self, side: ClientSide, pool: Pool, labels: Looks[Label]) -> None:
        self._side = side
        self._labels = labels
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
        label = await self._labels.of(parcel)
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
        await self._side.ends.of(workflow_id)
