"""How well a supplier keeps its word: on time, lead times, short, over, refused, prices. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from itertools import pairwise
from statistics import median, quantiles

from pydantic import BaseModel, ConfigDict

_TENTHS = 10
_ENOUGH = 4
"""With fewer figures, nine of ten of them say nothing."""


class BoughtLine(BaseModel):
    """What became of a line of a purchase order.

    `promised_on`: the day that the supplier named first, or the one of its lead time. `arrived_on`:
    the last day on which some of it came. `sent_on`: None for what was ordered before Orderloom.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    supplier: str
    po_id: str
    sku: str
    ordered_on: date
    sent_on: date | None
    promised_on: date
    arrived_on: date | None
    quantity: int
    received: int
    cancelled: int
    outstanding: int
    refused: bool
    ended_by_us: bool
    unit_price: Decimal
    currency: str
    lead_time_days: int

    def is_late(self, today: date) -> bool:
        """Whether it came after its day, or has not come although its day is over."""
        if self.outstanding:
            return self.promised_on < today
        return self.arrived_on is not None and self.arrived_on > self.promised_on

    def counts(self, today: date) -> bool:
        """Whether it can be said of it that it was on time or late."""
        return self.is_late(today) or (not self.outstanding and self.received > 0)

    @property
    def days(self) -> int | None:
        """From sending the order to its last unit; None: nobody knows, or not yet."""
        if self.sent_on is None or self.arrived_on is None or self.outstanding:
            return None
        return (self.arrived_on - self.sent_on).days

    @property
    def short(self) -> int:
        """Units that were ordered and that the supplier did not send."""
        return 0 if self.ended_by_us else self.cancelled

    @property
    def over(self) -> int:
        """Units more than were ordered."""
        return max(self.received - self.quantity, 0)


@dataclass(frozen=True)
class PriceChange:
    """A SKU's price in one purchase order and in the next one."""

    sku: str
    on: date
    before: Decimal
    after: Decimal
    currency: str


@dataclass(frozen=True)
class Scorecard:
    """A supplier's lines of some time, in figures. Days and per cent are None where nobody knows.

    `real_days_most`: nine of ten lines took no longer, `real_days_least`: one of ten no less.
    """

    lines: int
    counted: int
    on_time: int
    promised_days: int | None
    real_days: int | None
    real_days_least: int | None
    real_days_most: int | None
    ordered: int
    short: int
    over: int
    refused: int
    price_changes: Sequence[PriceChange]

    @property
    def on_time_percent(self) -> int | None:
        """Lines that came by their day, of those of which it can be said."""
        return _percent(self.on_time, self.counted)

    @property
    def short_percent(self) -> int | None:
        """Units that did not come, of all that were ordered."""
        return _percent(self.short, self.ordered)


def scorecard(lines: Iterable[BoughtLine], today: date) -> Scorecard:
    """The figures of these lines, which are of one supplier."""
    lines = sorted(lines, key=lambda line: (line.ordered_on, line.po_id, line.sku))
    counted = [line for line in lines if line.counts(today)]
    real = sorted(line.days for line in lines if line.days is not None)
    spread = quantiles(real, n=_TENTHS) if len(real) >= _ENOUGH else []
    return Scorecard(
        lines=len(lines),
        counted=len(counted),
        on_time=sum(not line.is_late(today) for line in counted),
        promised_days=round(median(line.lead_time_days for line in lines)) if lines else None,
        real_days=round(median(real)) if real else None,
        real_days_least=max(0, round(spread[0])) if spread else None,
        real_days_most=round(spread[-1]) if spread else None,
        ordered=sum(line.quantity for line in lines),
        short=sum(line.short for line in lines),
        over=sum(line.over for line in lines),
        refused=len({line.po_id for line in lines if line.refused}),
        price_changes=list(_changes(lines)),
    )


def by_month(lines: Iterable[BoughtLine], today: date) -> dict[tuple[int, int], Scorecard]:
    """(Year, month) in which it was ordered → the figures of its lines."""
    months: dict[tuple[int, int], list[BoughtLine]] = {}
    for line in lines:
        months.setdefault((line.ordered_on.year, line.ordered_on.month), []).append(line)
    return {month: scorecard(some, today) for month, some in sorted(months.items())}


def _changes(lines: Sequence[BoughtLine]) -> Iterator[PriceChange]:
    by_sku: dict[tuple[str, str], list[BoughtLine]] = {}
    for line in lines:
        by_sku.setdefault((line.sku, line.currency), []).append(line)
    for (sku, currency), its in sorted(by_sku.items()):
        for one, next_one in pairwise(its):
            before, after = one.unit_price, next_one.unit_price
            if before != after:
                yield PriceChange(sku, next_one.ordered_on, before, after, currency)


def _percent(part: int, whole: int) -> int | None:
    return round(100 * part / whole) if whole else None
