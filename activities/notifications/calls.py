"""Calls for the workflow of each subscription that has something to be sent."""

from __future__ import annotations

import asyncio
import logging
from datetime import timedelta
from typing import Final

from temporalio.client import Client
from temporalio.service import RPCError

from activities.relay import RPC_TIMEOUT
from domain import ids
from store.database import Pool
from store.notifications import subscriptions

logger = logging.getLogger(__name__)

LEASE: Final = timedelta(minutes=3)
"""A workflow says each minute that it works. After so long it is called again."""


class DeliveryCalls:
    """A duty of the relay. The workflows that it starts run on `task_queue`."""

    def __init__(self, pool: Pool, client: Client, task_queue: str) -> None:
        self._pool = pool
        self._client = client
        self._task_queue = task_queue

    async def call(self) -> None:
        """Call those that are due: one that runs looks again, any other one is started."""
        async with self._pool.acquire() as conn:
            due = await subscriptions.to_call(conn, LEASE)
        if not due:
            return
        called = await asyncio.gather(*(self._call(one) for one in due))
        left = [one for one, ok in zip(due, called, strict=True) if not ok]
        if left:
            async with self._pool.acquire() as conn:
                await subscriptions.not_called(conn, left)

    async def _call(self, subscription_id: str) -> bool:
        try:
            await self._client.start_workflow(
                "EventDelivery",
                {"subscription_id": subscription_id},
                id=ids.event_delivery_id(subscription_id),
                task_queue=self._task_queue,
                start_signal="look",
                static_summary=f"Events for {subscription_id}",
                rpc_timeout=RPC_TIMEOUT,
            )
        except RPCError as error:
            logger.warning("events for %s are sent later: %s", subscription_id, error)
            return False
        return True
