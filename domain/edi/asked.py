"""What a customer has asked for by EDI, beside the order itself: how it named and counted goods.

It is kept with the order, because each answer repeats the customer's own numbers and units.
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from pydantic import BaseModel, ConfigDict


class AskedLine(BaseModel):
    """A line as the customer wrote it. `refused`: why it was not taken into the order.

    `numbers`: product numbers by their qualifiers, in the customer's sequence. `quantity` and
    `price` are by its own unit of measure.
    """

    model_config = ConfigDict(frozen=True)

    line_id: str
    numbers: tuple[tuple[str, str], ...]
    quantity: Decimal
    unit: str
    price: Decimal | None = None
    refused: str = ""
    theirs: str = ""
    """The customer's own number of it, where it was added later and ours is another."""

    @property
    def told(self) -> str:
        """The number by which the customer knows it."""
        return self.theirs or self.line_id


class AskedOrder(BaseModel):
    """An order as the customer wrote it. `refused`: why nothing of it was taken."""

    model_config = ConfigDict(frozen=True)

    number: str
    ordered_on: date
    currency: str
    lines: tuple[AskedLine, ...]
    refused: str = ""

    def line(self, line_id: str) -> AskedLine | None:
        """One of its lines."""
        return next((one for one in self.lines if one.line_id == line_id), None)


class AskedChange(BaseModel):
    """What a customer's change asks for, line by line. `add`: it is a new line.

    `quantity`: all units of ours that are still wanted of it; 0 takes the line away; None: it
    stays, and only its price changes. `refused`: why the line cannot be read.
    """

    model_config = ConfigDict(frozen=True)

    line_id: str
    code: str
    """X12's word for what is done: AI adds, DI deletes, QD and QI change quantities, and so on."""
    sku: str
    quantity: int | None
    unit_price: Decimal | None
    asked: AskedLine

    @property
    def adds(self) -> bool:
        """It is a line that the order does not have."""
        return self.code == "AI"


class AskedEdit(BaseModel):
    """An 860. `number`: of the order that it changes. `release`: the number of the change."""

    model_config = ConfigDict(frozen=True)

    number: str
    release: str
    dated: date
    cancels: bool
    lines: tuple[AskedChange, ...] = ()
