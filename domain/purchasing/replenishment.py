"""When to buy, and how much: reorder points and order-up-to levels. Pure; all figures are units.

The (s, S) system of Silver, Pyke & Thomas, "Inventory and Production Management in Supply Chains"
(4th ed., chapter 6): as soon as the inventory position is at or below the reorder point s, order up
to S. The inventory position is on hand − allocated − safety − backordered + incoming. It counts all
units on order, whenever they arrive, so a need is ordered for only once.
"""

from __future__ import annotations

from math import ceil, sqrt
from statistics import NormalDist
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from domain.fields import inconsistent
from domain.stock.stock_levels import UNITS_MAX


class Levels(BaseModel):
    """At or below `reorder_point`, units are ordered up to `order_up_to`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    reorder_point: Annotated[int, Field(ge=0, le=UNITS_MAX)]
    order_up_to: Annotated[int, Field(ge=1, le=UNITS_MAX)]

    @model_validator(mode="after")
    def _upwards(self) -> Self:
        if self.order_up_to <= self.reorder_point:
            raise inconsistent("order_up_to", "must be more than the reorder point")
        return self


class Demand(BaseModel):
    """Demand in units a day, measured over some days."""

    model_config = ConfigDict(frozen=True)

    mean: Annotated[float, Field(ge=0)]
    variance: Annotated[float, Field(ge=0)]

    @classmethod
    def over(cls, days: int, total: int, squares: int) -> Self:
        """From the sum of each day's units and of their squares; days without demand count."""
        mean = total / days
        spread = squares - days * mean * mean
        return cls(mean=max(0.0, mean), variance=max(0.0, spread / (days - 1)) if days > 1 else 0.0)


def levels_for(
    demand: Demand, *, lead_time_days: int, review_days: float, service_level: float
) -> Levels:
    """Levels that meet this demand: s = μ·L + z·σ·√L, and S = s + the review period's demand.

    μ and σ are the mean and standard deviation of a day's demand, L is the lead time in days, and z
    the standard normal quantile of the service level: the chance that nothing is short before an
    order comes. Silver, Pyke & Thomas, section 6.7 (safety stock as z times the standard deviation
    over the lead time); demand of different days is taken to be independent.
    """
    safety = NormalDist().inv_cdf(service_level) * sqrt(demand.variance * lead_time_days)
    reorder_point = max(0, ceil(demand.mean * lead_time_days + safety))
    return Levels(
        reorder_point=reorder_point,
        order_up_to=reorder_point + max(1, ceil(demand.mean * review_days)),
    )


def to_order(position: int, levels: Levels, *, minimum: int = 1, multiple: int = 1) -> int:
    """Units to order now, up to the level; 0 above the reorder point.

    The position is below zero when customers wait for more than will arrive. The result is at least
    the minimum, and rounded up to a multiple.
    """
    if position > levels.reorder_point:
        return 0
    return filled(position, levels, minimum=minimum, multiple=multiple)


def filled(position: int, levels: Levels, *, minimum: int = 1, multiple: int = 1) -> int:
    """Units that fill up to the level, whether it is to be ordered already or not."""
    wanted = max(levels.order_up_to - position, minimum)
    return -(-wanted // multiple) * multiple
