"""How long stock lasts, and by when it must be ordered. Reads only."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Final

from pydantic import BaseModel, ConfigDict

from domain.purchasing.replenishment import Demand
from store.database import Connection, load_queries

_sql = load_queries(__file__)
_WEEK: Final = 7


class Outlook(BaseModel):
    """One stock row, and how long it lasts.

    `available`: what can be sold. `incoming`: on its way there, the next of it on `next_on`;
    `proposed`: purchase orders that nobody has approved. `position`: what the reorder point is
    compared with. `days`, `total`, `squares`: the demand that was measured; None: never.
    `out_on`: the day on which what is available is sold, at that pace; `covered_until`: the same
    with what is on its way. `order_by`: the last day on which the first supplier can be asked, so
    that it comes before that. A day is None where nothing is sold, and where there is less than a
    week to tell it by, unless it is sold out. `today`: at the location.
    """

    model_config = ConfigDict(frozen=True)

    sku: str
    location: str
    today: date
    name: str | None
    discontinued: bool
    on_hand: int
    allocated: int
    safety: int
    soft_reserved: int
    available: int
    incoming: int
    next_on: date | None
    proposed: int
    backordered: int
    position: int
    reorder_point: int | None
    order_up_to: int | None
    service_level: float | None
    days: int | None
    total: int | None
    squares: int | None
    supplier: str | None
    lead_time_days: int | None
    out_on: date | None
    covered_until: date | None
    order_by: date | None

    @property
    def demand(self) -> Demand | None:
        """Units a day; None: it was never measured."""
        if self.days is None or self.total is None or self.squares is None:
            return None
        return Demand.over(self.days, self.total, self.squares)

    @property
    def is_too_new(self) -> bool:
        """Whether it was sold, but for too short a time to say how many in a day."""
        return bool(self.total) and self.days is not None and self.days < _WEEK

    @property
    def is_mostly_of_one_day(self) -> bool:
        """Whether one day has sold more than half of all: it says little of the days to come."""
        if self.days is None or self.total is None or self.squares is None:
            return False
        # Squares add up to no more than the largest day times the total.
        return self.days >= _WEEK and 2 * self.squares > self.total**2

    @property
    def is_out_before_more_comes(self) -> bool:
        """Whether what is free is sold before the next that is on order is due."""
        return self.out_on is not None and self.next_on is not None and self.out_on < self.next_on

    @property
    def is_low_no_more(self) -> bool:
        """Whether it needs no order now: it is above its reorder point without what is proposed.

        So it is where goods came meanwhile; but not where it is sold out before more can come.
        """
        lasts = self.order_by is None or self.order_by >= self.today
        return (
            lasts
            and self.reorder_point is not None
            and (self.position - self.proposed > self.reorder_point)
        )

    @property
    def is_low(self) -> bool:
        """Whether it is bought now, by its levels."""
        return self.reorder_point is not None and self.position <= self.reorder_point


async def outlook(
    conn: Connection,
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
) -> list[Outlook]:
    """Stock rows that match every filter, the first to run out first.

    `text`: how a SKU begins, or a part of a name. `out_by`: what runs out by this day. `order_by`:
    what is low or must be ordered by this day, and is neither proposed nor discontinued: the most
    urgent first. `after`: a page of `at_most` behind the row with this day, SKU and location.
    """
    after_day, after_sku, after_location = after or (None, None, None)
    rows = _sql.outlook(
        conn,
        skus=None if skus is None else list(skus),
        location=location,
        locations=None if locations is None else list(locations),
        text=text,
        low=only_low,
        out_by=out_by,
        order_by=order_by,
        after_day=after_day,
        after_sku=after_sku,
        after_location=after_location,
        at_most=at_most,
    )
    return [Outlook(**row) async for row in rows]
