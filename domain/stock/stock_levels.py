"""The levels at which stock is bought for a location."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import Field, model_validator

from domain.fields import Document, Id, Sku, inconsistent

UNITS_MAX = 1_000_000_000
"""More units than anybody orders at once, and few enough for the database to add up."""


Units = Annotated[int, Field(ge=1, le=UNITS_MAX)]


class StockLevels(Document):
    """The levels at which a SKU is bought for a location, and its safety stock there.

    Levels are given, or, with a service level, computed from demand repeatedly; until the first
    computation the given ones count. If only the safety stock is given, the levels stay as they
    are.
    """

    sku: Sku
    location: Id
    reorder_point: Annotated[int, Field(ge=0, le=UNITS_MAX)] | None = None
    order_up_to: Units | None = None
    service_level: Annotated[float, Field(ge=0.5, lt=1)] | None = None
    safety: Annotated[int, Field(ge=0, le=UNITS_MAX)] | None = None
    """Units that are neither sold nor promised. None: no change."""

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if (self.reorder_point is None) != (self.order_up_to is None):
            raise inconsistent("order_up_to", "goes with reorder_point: give both, or neither")
        if self.order_up_to is not None and self.order_up_to <= (self.reorder_point or 0):
            raise inconsistent("order_up_to", "must be more than the reorder point")
        return self
