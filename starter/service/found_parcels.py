"""Decides about lost parcels that reached their customers after all."""

from __future__ import annotations

from domain.errors import Refused
from domain.orders.messages import AttentionAnswer
from starter.service.carriers import Carriers
from starter.service.counter_sales import CounterSales
from store.database import Pool
from store.warehouse import found_parcels


class FoundParcels:
    """Lets them be, has them sent back, or charges for them. Each call may be repeated."""

    def __init__(self, pool: Pool, carriers: Carriers, sales: CounterSales) -> None:
        self._pool = pool
        self._carriers = carriers
        self._sales = sales

    async def settle(self, order_id: str, answer: AttentionAnswer) -> None:
        """Do what a person has decided.

        Raises Refused where it cannot be charged, NotFound and IllegalTransition where nobody is
        asked for that.
        """
        step, note, who = answer.step, answer.note, answer.by
        match answer.action:
            case "charge":
                await self._charge(order_id, answer)
            case "send_back":
                async with self._pool.acquire() as conn:
                    await found_parcels.send_back(conn, order_id, step, note, who=who)
            case _:
                await self._carriers.settle_late_scan(order_id, step, note, who=who)

    async def _charge(self, order_id: str, answer: AttentionAnswer) -> None:
        step, note, who = answer.step, answer.note, answer.by
        async with self._pool.acquire() as conn:
            kept = await found_parcels.keep(conn, order_id, step, note, who=who)
        sale = await self._sales.sell(kept.sale, kept.location, who=who)
        match sale.outcome:
            case "sold":
                async with self._pool.acquire() as conn:
                    await found_parcels.paid(conn, order_id, step, note, sale.order_id, who=who)
            case "rejected":
                async with self._pool.acquire() as conn:
                    await found_parcels.not_paid(conn, kept, sale.reason, who=who)
                raise Refused(
                    f"{sale.order_id} was refused: {sale.reason}; have it sent back, let it be, or "
                    "charge again when the customer has another means of payment",
                    reason="not_paid",
                )
            case _:
                raise Refused(
                    f"{sale.order_id} is {sale.outcome.replace('_', ' ')}: {sale.reason}; say "
                    "charge again when that is decided",
                    reason="sale_under_way",
                    instead=("pay_order",),
                )
