"""Sales at a counter: placed, paid and handed over, in one answer."""

from __future__ import annotations

import asyncio
import hashlib
from datetime import UTC, datetime, timedelta
from typing import Final, Literal

from pydantic import BaseModel, ConfigDict

from domain.errors import InvalidInput
from domain.orders.order import COLLECT, Order
from domain.orders.policy import Policy
from domain.orders.sourcing_rules import SourcingRules
from starter.service.orders import Orders
from starter.service.taking_in import Asked
from store.database import Pool
from store.stock import till_sales

HANDED_OVER_WITHIN: Final = timedelta(seconds=20)
_ROOM_FOR: Final = timedelta(hours=1)
"""The units of a sale that was made without a network are kept for its order so long."""

_LOOK_EVERY_S: Final = 0.1


class Sale(BaseModel):
    """What became of a sale.

    sold: it is paid, and the goods are the customer's. rejected: nothing was done. held: the bank
    asks the customer. in_progress: ask for the order in a moment. `more_than_counted`: SKU → units
    that were sold although the count said that they are not there.
    """

    model_config = ConfigDict(frozen=True)

    order_id: str
    outcome: Literal["sold", "rejected", "held", "in_progress"]
    reason: str = ""
    more_than_counted: dict[str, int] = {}


class CounterSales:
    """Sells what customers have in their hands, at one location."""

    def __init__(self, pool: Pool, orders: Orders) -> None:
        self._pool = pool
        self._orders = orders

    async def sell(
        self,
        order: Order,
        location: str,
        *,
        is_gone: bool = False,
        who: str,
        within: timedelta = HANDED_OVER_WITHIN,
    ) -> Sale:
        """Place it, have it paid and hand it over, once however often it is told.

        `is_gone`: it was sold while there was no network, so the goods are gone, at its own time
        (`placed_at`), whatever the count says. Raises InvalidInput for an order that is sent
        somewhere, and what `Orders.place` raises.
        """
        if order.shipping.service != COLLECT:
            raise InvalidInput(
                f"goods sold over the counter are not sent: leave it out, or say {COLLECT}",
                where="shipping.service",
            )
        own = Policy(
            over_the_counter=True,
            charge="at_confirmation",
            partly_available="all_or_nothing",
            backorder=False,
            sourcing=SourcingRules(locations=(location,)),
        )
        more: dict[str, int] = {}
        placed = order
        if is_gone and await self._orders.whose(order.order_id) is None:
            basket = f"till-{hashlib.sha256(order.order_id.encode()).hexdigest()[:32]}"
            more = await self._make_room(order, basket, location, who)
            placed = order.model_copy(update={"basket": basket})
        ends = asyncio.get_running_loop().time() + within.total_seconds()
        answer = await self._orders.place_by_key(
            Asked(placed, own, as_sent=order), answer_within=within
        )
        told = answer.placement
        if told.outcome in ("rejected", "held"):
            return Sale(
                order_id=order.order_id,
                outcome="held" if told.outcome == "held" else "rejected",
                reason=told.reason,
                more_than_counted=more,
            )
        while True:
            now = await self._orders.get(order.order_id)
            state = now.summary.state
            if state in ("delivered", "closed"):
                outcome: Literal["sold", "rejected", "held", "in_progress"] = "sold"
            elif state in ("rejected", "cancelled"):
                outcome = "rejected"
            elif state == "held":
                outcome = "held"
            elif asyncio.get_running_loop().time() > ends:
                outcome = "in_progress"
            else:
                await asyncio.sleep(_LOOK_EVERY_S)
                continue
            return Sale(
                order_id=order.order_id,
                outcome=outcome,
                reason=now.summary.held or now.summary.reason,
                more_than_counted=more,
            )

    async def _make_room(
        self, order: Order, basket: str, location: str, who: str
    ) -> dict[str, int]:
        units: dict[str, int] = {}
        for line in order.lines:
            units[line.sku] = units.get(line.sku, 0) + line.quantity
        async with self._pool.acquire() as conn:
            return await till_sales.make_room(
                conn,
                basket,
                units,
                location,
                expires_at=datetime.now(UTC) + _ROOM_FOR,
                who=who,
                why=f"sold at the till as {order.order_id}, and not counted",
            )
