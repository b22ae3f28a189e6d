"""Ends holds whose deadline has passed: the order goes on, or rejects itself."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Final, TypeAlias

from activities.relay import BATCH
from domain.ids import WHO
from domain.orders.hold_messages import TELLS_CUSTOMER, RejectRequest
from domain.orders.messages import OrderRequest
from store.database import Pool
from store.locks import lock_order
from store.orders import events, holds

Send: TypeAlias = Callable[[str, OrderRequest], Awaitable[str]]
"""Sends an order a request, and says why it was refused; empty: taken, or to be sent again."""

ASK_AGAIN: Final = timedelta(hours=1)
"""An order that has not rejected itself by then, as where its workflow is lost, is asked again."""

OVER: Final = "its time was over"


class HoldEnds:
    """A duty of the relay. What it does is done once, however often it is repeated."""

    def __init__(self, pool: Pool, send: Send) -> None:
        self._pool = pool
        self._send = send

    async def end(self) -> None:
        """End all holds that are due."""
        async with self._pool.acquire() as conn:
            due = await holds.due(conn, ASK_AGAIN, BATCH)
        for one in due:
            if one.at_end == "reject":
                await self._reject(one.order_id, one.hold_id)
            else:
                await self._release(one.order_id, one.hold_id)

    async def _release(self, order_id: str, hold_id: str) -> None:
        async with self._pool.acquire() as conn, conn.transaction():
            await lock_order(conn, order_id)
            # Somebody may have been faster, or may have given it another deadline.
            if not await holds.is_due(conn, order_id, hold_id):
                return
            told = await holds.release(conn, order_id, [hold_id], who=WHO, note=OVER)
            await events.tell(
                conn,
                order_id,
                f"hold:{hold_id}:over",
                "released",
                who=WHO,
                why=OVER,
                data={"hold_ids": [hold_id], TELLS_CUSTOMER: told},
            )

    async def _reject(self, order_id: str, hold_id: str) -> None:
        """Its order does it, under an id that is always the same."""
        async with self._pool.acquire() as conn:
            await holds.asked_to_end(conn, order_id, hold_id)
        request = RejectRequest(
            note=f"{OVER}: {hold_id}", request_id=f"{hold_id}-is-over", by=WHO, hold=hold_id
        )
        await self._send(order_id, request)
