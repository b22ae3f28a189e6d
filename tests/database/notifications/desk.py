"""A subscription whose deliveries are done by hand, on a real database, to a real receiver."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from activities.notifications.delivering import Deliver, Delivered, Deliveries
from activities.notifications.sending import Sender
from activities.notifications.sequencing import EventSequence
from domain.notifications.subscriptions import MadeSubscription, NewSubscription
from starter.service.event_subscriptions import EventSubscriptions
from store.database import Pool
from store.locks import lock_order
from store.orders import events
from tests.support.bench import Bench
from tests.support.builders import an_order


class Desk:
    """Orders that tell things, a sequencer, and deliveries that are asked for."""

    def __init__(self, pool: Pool, sender: Sender) -> None:
        self.pool = pool
        self.door = EventSubscriptions(pool, plain_http=True)
        self.sequence = EventSequence(pool)
        self.deliveries = Deliveries(pool, sender)
        self.bench = Bench(pool)
        self._told = 0

    async def subscribe(self, url: str, **wanted: object) -> MadeSubscription:
        wish = NewSubscription.model_validate({"url": url, **wanted})
        return await self.door.make(wish, by="test")

    async def order(self, **fields: Any) -> str:
        """An order on record: one event, that it was received."""
        order = an_order(("TEA", 1), **fields)
        await self.bench.take_in(order)
        await self.sequence.advance()
        return order.order_id

    async def tell(self, order_id: str, *whats: str, data: Mapping[str, Any] | None = None) -> None:
        """Lines in the order's story, as events with positions."""
        for what in whats:
            self._told += 1
            async with self.pool.acquire() as conn, conn.transaction():
                await lock_order(conn, order_id)
                said = data or {"fulfilment_id": f"{order_id}:1"}
                await events.tell(conn, order_id, f"test:{self._told}", what, who="test", data=said)
        await self.sequence.advance()

    async def know(self, currency: str) -> None:
        """Have a currency of two decimals that no list has."""
        await self.pool.execute("insert into currency values ($1, 2)", currency)

    async def currency(self, order_id: str, code: str) -> None:
        """Write the order in a currency."""
        by_order = "where order_no = order_no_of($1)"
        await self.pool.execute(
            f"update customer_order set currency = $2 {by_order}", order_id, code
        )

    async def deliver(self, made: MadeSubscription) -> Delivered:
        """What one activity does."""
        ask = Deliver(subscription_id=made.subscription.subscription_id)
        return await self.deliveries.deliver_events(ask)

    async def deliver_all(self, made: MadeSubscription) -> Delivered:
        """All that is due, and would be after each rest and pause."""
        done = await self.deliver(made)
        for _ in range(100):
            if not done.more:
                if done.next_at is None:
                    return done
                await self.later()
            done = await self.deliver(made)
        raise AssertionError("it never ends")

    async def later(self) -> None:
        """All rests and pauses are over."""
        await self.pool.execute("update event_delivery set next_at = now() where state <> 'dead'")
        await self.pool.execute("update event_subscription set rest_until = null")
