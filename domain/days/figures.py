"""Which figures a day has, and how a figure compares with the same one of earlier days."""

from __future__ import annotations

from collections.abc import Container, Mapping
from datetime import date, timedelta
from typing import Final, Literal, NamedTuple, get_args

Flow = Literal[
    "orders",
    "worth",
    "shipped",
    "shipped_late",
    "delivered",
    "delivered_late",
    "authorized",
    "charged",
    "refunded",
    "result",
    "lost",
    "lost_orders",
]
"""What happened on the day: counted again, it comes to the same, but for what is told later."""

Standing = Literal[
    "open_orders",
    "owed_back",
    "leave_today",
    "leave_late",
    "arrive_late",
    "stock_out",
    "stock_low",
    "runs_out",
    "tasks",
]
"""How much there was when the day was counted last. Nobody can count that later."""

Wait = Literal[
    "reports_wait", "starts_wait", "mails_wait", "events_wait", "backlog", "backlog_wait"
]
"""The most of an hour: seconds for which the oldest one waited, and the tasks in Temporal."""

Figure = Literal[Flow, Standing, Wait]

FLOWS: Final[tuple[Flow, ...]] = get_args(Flow)
LATER: Final[tuple[Flow, ...]] = ("shipped", "shipped_late", "refunded")
"""What is told later of a day: that a parcel left on it, or that a bank sent money back."""

STANDINGS: Final[tuple[Standing, ...]] = get_args(Standing)
WAITS: Final[tuple[Wait, ...]] = get_args(Wait)


RUNS_OUT_WITHIN_DAYS: Final = 7
"""What is sold out by then runs out soon."""


class Counted(NamedTuple):
    """One figure of a day, of a channel ("": of none), and of a currency, an hour or a state."""

    figure: Figure
    channel: str
    part: str
    value: int


class Trend(NamedTuple):
    """A figure with what it was before. None: nobody counted it on that day."""

    now: int | None
    yesterday: int | None
    week_before: int | None
    days: tuple[int | None, ...]
    """Of each day, the oldest first; the last one is the day itself."""

    @property
    def change_percent(self) -> int | None:
        """Against yesterday, rounded; None where there is nothing to compare with."""
        if not self.yesterday or self.now is None:
            return None
        return round(100 * (self.now - self.yesterday) / abs(self.yesterday))


def days_before(day: date, count: int) -> list[date]:
    """So many days, the oldest first and this one last."""
    return [day - timedelta(days=back) for back in range(count - 1, -1, -1)]


def trend_of(values: Mapping[date, int], counted: Container[date], day: date) -> Trend:
    """How a figure came to be what it is. `values`: a day without one had none of it.

    `counted`: the days of which the figure is known.
    """
    days = [values.get(one, 0) if one in counted else None for one in days_before(day, 30)]
    return Trend(days[-1], days[-2], days[-8], tuple(days))
