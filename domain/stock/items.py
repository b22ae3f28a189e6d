"""A shop's settings for a SKU: may it be backordered, when is it on sale, is it discontinued."""

from __future__ import annotations

from datetime import date
from typing import Self

from pydantic import model_validator

from domain.fields import Day, Document, Name, Sku, inconsistent
from domain.orders.handling import Category, ItemHandling


class Item(Document):
    """One SKU. A discontinued one is sold while it lasts: it is neither bought nor backordered."""

    sku: Sku
    name: Name | None = None
    backorder: bool = False
    """It may be ordered while none is in stock."""
    available_from: Day | None = None
    """Before this day it can be pre-ordered, and is not sent."""
    discontinued: bool = False
    handling: ItemHandling = "shipped"
    """How its units come to the customer. A change counts for the orders that come later."""
    category: Category | None = None
    """For rules that name it, such as those of returns."""

    def ahead(self, today: date) -> bool:
        """Whether it can only be pre-ordered yet: units in stock are not sent.

        `today`: that of the location where the units are.
        """
        return self.available_from is not None and today < self.available_from

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.discontinued and self.backorder:
            raise inconsistent("backorder", "what is discontinued does not come again")
        if self.discontinued and self.available_from is not None:
            raise inconsistent("available_from", "what is discontinued does not come again")
        return self
