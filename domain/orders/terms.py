"""What an order's workflow decides on: its lines and their worth, and how it is paid.

Nothing here is personal. The names, the addresses and the notes of an order stay in its document,
which only the steps that need them read.
"""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

from domain.orders.amounts import LineWorth
from domain.orders.handling import SHIPPED, Handling


class LineTerms(LineWorth):
    """One line: so many units of a SKU, what they are worth together, and how they are handled."""

    model_config = ConfigDict(frozen=True)

    sku: str
    handling: Handling = SHIPPED


class TenderTerms(BaseModel):
    """A means of payment, and the most that it pays in minor units; None for all the rest."""

    model_config = ConfigDict(frozen=True)

    provider: str
    token: str
    most: int | None = None


class Terms(BaseModel):
    """An order as its workflow knows it. The last of the tenders pays what the others leave."""

    model_config = ConfigDict(frozen=True)

    order_id: str
    channel: str
    currency: str
    service: str
    lines: tuple[LineTerms, ...]
    tenders: tuple[TenderTerms, ...]

    @property
    def total_minor(self) -> int:
        """The amount to pay, in minor units."""
        return sum(line.whole.total for line in self.lines)
