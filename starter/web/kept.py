"""What an order's lines come to now that units are cancelled or prices lowered."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from domain.orders.amounts import LineWorth, Worth
from store.views.reads import OrderDetail, OrderLine


@dataclass(frozen=True)
class Sum:
    """An amount as it was ordered, and as it is now, in minor units."""

    was: int
    now: int


def kept_units(detail: OrderDetail, line: OrderLine) -> int:
    """The units of a line that are not cancelled. Of a rejected order nothing is sent."""
    return 0 if detail.summary.state == "rejected" else line.ordered - line.cancelled


def kept_worth(detail: OrderDetail, line: OrderLine, worth: Mapping[str, LineWorth]) -> Worth:
    """What these units are worth. `worth`: line id → the worth of all its units."""
    return worth[line.line_id].first(kept_units(detail, line))
