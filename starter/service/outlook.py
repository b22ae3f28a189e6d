"""How long stock lasts, what must be bought by when, and how well suppliers keep their word."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Final

from domain.money import Money
from domain.purchasing.purchase_orders import PurchasingPolicy, SupplierItem
from domain.purchasing.replenishment import Levels, filled, levels_for
from domain.purchasing.scorecards import BoughtLine
from store.database import Pool
from store.purchasing import demand, outlook, scorecards
from store.purchasing.demand import DayOfStock
from store.purchasing.outlook import Outlook

LINES_MAX: Final = 5000
"""So many of a supplier's latest lines a scorecard counts."""
USUALLY: Final = 0.95
"""The service level of what has no levels."""


class OutlookReads:
    """Reads of buyers. They need the database alone."""

    def __init__(self, pool: Pool, policy: PurchasingPolicy | None = None) -> None:
        self._pool = pool
        self._policy = policy or PurchasingPolicy()

    async def outlook(
        self,
        *,
        skus: Sequence[str] | None = None,
        location: str | None = None,
        locations: Sequence[str] | None = None,
        text: str | None = None,
        only_low: bool = False,
        out_by: date | None = None,
        order_by: date | None = None,
        after: tuple[date | None, str, str] | None = None,
        at_most: int | None = None,
    ) -> Sequence[Outlook]:
        """Stock rows that match every filter, the first to run out first.

        `text`: how a SKU begins, or a part of a name. `out_by`: what runs out by this day.
        `order_by`: what is low or must be ordered by this day, and is not proposed: the most
        urgent first. `after`: a page of `at_most` behind the row with this day, SKU and location.
        """
        async with self._pool.acquire() as conn:
            return await outlook.outlook(
                conn,
                skus=skus,
                location=location,
                locations=locations,
                text=text,
                only_low=only_low,
                out_by=out_by,
                order_by=order_by,
                after=after,
                at_most=at_most,
            )

    async def measure_demand(self) -> None:
        """Add up anew what was sold of each stock row. Workers do it by themselves, too."""
        async with self._pool.acquire() as conn:
            await demand.measure(conn, self._policy)

    async def days_of(
        self, sku: str, *, locations: Sequence[str] | None = None
    ) -> dict[date, DayOfStock]:
        """What moved of a SKU on each day; days on which nothing did are left out."""
        async with self._pool.acquire() as conn:
            return await demand.by_day(conn, sku, self._policy, locations=locations)

    async def bought_lines(
        self,
        suppliers: Sequence[str],
        *,
        since: date,
        locations: Sequence[str] | None = None,
        at_most: int = LINES_MAX,
    ) -> Sequence[BoughtLine]:
        """What became of what was ordered of each supplier since then: its latest lines."""
        async with self._pool.acquire() as conn:
            return await scorecards.lines(
                conn, suppliers, since=since, locations=locations, at_most=at_most
            )

    def is_sent_at_once(self, worth: Money) -> bool:
        """Whether a purchase order of this worth needs nobody's approval."""
        return self._policy.approves(worth)

    def suggested(self, row: Outlook, terms: SupplierItem) -> int:
        """Units to buy of a stock row on these terms: up to its level, or to what its demand asks.

        0 where it has neither, or is sold for less than a week.
        """
        levels = self._levels(row, terms)
        if levels is None:
            return 0
        return filled(row.position, levels, minimum=terms.minimum, multiple=terms.multiple)

    def _levels(self, row: Outlook, terms: SupplierItem) -> Levels | None:
        if row.reorder_point is not None and row.order_up_to is not None:
            return Levels(reorder_point=row.reorder_point, order_up_to=row.order_up_to)
        sold = row.demand
        if sold is None or not sold.mean or row.is_too_new:
            return None
        return levels_for(
            sold,
            lead_time_days=terms.lead_time_days,
            review_days=self._policy.review_every / timedelta(days=1),
            service_level=row.service_level or USUALLY,
        )
