"""Temporal and PostgreSQL together, for commands that speak to orders."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final, TypeVar

from temporalio.client import Client

from domain.errors import Unreachable
from runtime.discovery import connect_settings
from runtime.settings import Settings, channel_policies, load_settings
from runtime.temporal import connect_temporal
from starter.service.connection import WRITE_SECONDS_MAX, database
from starter.service.orders import OrderClient
from starter.service.purchasing import PurchaseClient
from starter.service.warehouse import Desk
from store.database import Pool

T = TypeVar("T")

ANSWER_SECONDS_MAX: Final = 30.0


@dataclass(frozen=True)
class Service:
    """Everything a command may speak to."""

    settings: Settings
    temporal: Client
    pool: Pool
    orders: OrderClient
    desk: Desk
    purchases: PurchaseClient


@asynccontextmanager
async def service(
    *, connections: int = 4, statement_seconds_max: float = WRITE_SECONDS_MAX
) -> AsyncIterator[Service]:
    """Connections to both servers. Raises Unreachable that says which one does not answer."""
    settings = load_settings()
    place = connect_settings(settings.home)
    temporal = await connect_temporal(place)
    async with database(
        settings=settings, connections=connections, statement_seconds_max=statement_seconds_max
    ) as pool:
        yield Service(
            settings=settings,
            temporal=temporal,
            pool=pool,
            orders=OrderClient(
                temporal,
                pool,
                task_queue=settings.task_queue,
                policy=settings.policy,
                channel_policies=channel_policies(settings),
            ),
            desk=Desk(pool, settings.purchasing),
            purchases=PurchaseClient(temporal, pool, task_queue=settings.task_queue),
        )


async def answered(asked: Awaitable[T], *, again: str) -> T:
    """What an order answers. Raises Unreachable when it does not; `again` says how to repeat."""
    try:
        return await asyncio.wait_for(asked, ANSWER_SECONDS_MAX)
    except TimeoutError:
        raise Unreachable(
            f"the order did not answer within {ANSWER_SECONDS_MAX:.0f} s: is a worker running? "
            f"It may still do what was asked; {again}"
        ) from None
