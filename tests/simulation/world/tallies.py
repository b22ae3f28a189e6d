"""An order's counts and its money: what the real world keeps in rows, decided by the same code."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from temporalio.exceptions import ApplicationError

from domain.money import Money
from domain.orders.amounts import value_lines
from domain.orders.charges import Charges, Due, Owed
from domain.orders.messages import RefundTo
from domain.orders.order import Order
from domain.orders.quantities import LineQuantities, LineUnits
from domain.orders.refund_rules import Granted


@dataclass
class Owing:
    """A refund: what is owed, and what of it was paid back."""

    amount: int
    kind: str
    to: RefundTo = "original"
    issued: int = 0
    attempts: int = 0
    """The last try in which a company was asked."""
    tries: dict[str, ApplicationError | None] = field(default_factory=dict)

    @property
    def unissued(self) -> int:
        return self.amount - self.issued


class Tallies:
    """Unit counts by line, what is due for each part, and what is owed back."""

    def __init__(self) -> None:
        self.lines: dict[str, LineQuantities] = {}
        self.charges = Charges({}, {})
        self.currency = ""
        self.due: dict[str, int] = {}
        """Minor units by part: a fulfilment that left, or all of the order."""
        self.granted: dict[str, Owing] = {}
        self.invoiced: dict[str, Mapping[str, int]] = {}

    def on_record(self, order: Order) -> None:
        """The order is on record."""
        self.currency = order.currency
        self.lines = {line.line_id: LineQuantities(ordered=line.quantity) for line in order.lines}
        self.charges = Charges(self.lines, value_lines(order))

    def move(self, move: str, units: LineUnits) -> None:
        """Move units of each line, by the name of the move."""
        for line_id, count in units.items():
            self.lines[line_id] = getattr(self.lines[line_id], move)(count)

    def take(self, part: str, due: Due) -> int:
        """So much is due for a part, if anything is."""
        if due.units:
            self.due[part] = due.worth.total
        if due.invoiced_units:
            self.invoiced[part] = due.invoiced_units
        return due.worth.total

    def goods_left(self, part: str, units: LineUnits, older: Iterable[LineUnits]) -> int:
        """A fulfilment left: the minor units that are due for it."""
        return self.take(part, self.charges.left(units, older))

    def grant(
        self, refund_id: str, owed: Owed, kind: str, *, to: RefundTo = "original"
    ) -> Granted | None:
        """Owe it to the customer. None: there is nothing to pay back."""
        if owed:
            assert refund_id not in self.granted, f"{refund_id} is granted twice"
            self.granted[refund_id] = Owing(owed.worth.total, kind, to)
        amount = owed.worth.total
        if not amount:
            return None
        return Granted(refund_id=refund_id, amount=Money(minor=amount, currency=self.currency))
