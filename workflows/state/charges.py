"""The money side of an order's book: how much its units charge, invoice and pay back."""

from __future__ import annotations

from dataclasses import dataclass, field

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from domain.orders.amounts import NOTHING, LineMoney, LineWorth, Worth, sum_of, worth_of
    from domain.orders.continuation import BookState
    from domain.orders.quantities import LineQuantities, LineUnits
    from domain.orders.terms import Terms


@dataclass(frozen=True)
class Owed:
    """Units that the customer is paid back for, and their worth.

    `credited` is the invoiced part of the worth; the rest was charged before anything went out.
    `unconceded`: units that came back and had been paid back before.
    """

    units: LineUnits = field(default_factory=dict)
    worth: Worth = NOTHING
    credited: Worth = NOTHING
    unconceded: LineUnits = field(default_factory=dict)

    def __bool__(self) -> bool:
        """There is something to record."""
        return bool(self.units or self.unconceded or self.worth.total)


class Charges:
    """The money of each line. Shares the counts of units with the book, and moves those of money.

    Two sums hold after every move. Charged less paid back is the worth of the units that are
    charged and not paid back. What stays invoiced is what went out and was not credited.
    """

    def __init__(self, lines: dict[str, LineQuantities], state: BookState) -> None:
        self._lines = lines
        self.worth: dict[str, LineWorth] = {}
        self.lines = dict(state.money)
        # All that was paid back, also for no unit: goodwill, or shipping alone.
        self.refunded = state.refunded
        self.goodwill = state.goodwill
        # The part of the charged amount that stays invoiced. The rest is deferred: its units are
        # still to be shipped.
        self.invoiced = state.invoiced

    def learn(self, terms: Terms) -> None:
        """Learn what each line is worth."""
        for line in terms.lines:
            self.worth[line.line_id] = line
            self.lines.setdefault(line.line_id, LineMoney())

    @property
    def charged(self) -> Worth:
        """All that was charged, also by a charge that is still under way."""
        return sum_of(money.charges.taken for money in self.lines.values())

    @property
    def paid_back(self) -> bool:
        """Something was paid back, even if it was units that are worth nothing."""
        return self.refunded != NOTHING or any(line.refunded for line in self._lines.values())

    @property
    def refundable(self) -> Worth:
        """The amount charged and not paid back."""
        return self.charged - self.refunded

    @property
    def deferred(self) -> Worth:
        """The amount charged in advance for units that are neither shipped nor paid back."""
        return self.refundable - self.invoiced

    def worth_of(self, units: LineUnits) -> int:
        """The worth of the first units of each line, in minor units."""
        return worth_of(self.worth, units).total

    def set_limits(self) -> None:
        """A line is charged for at most what its units that can be sent are worth by now."""
        for line_id, line in self._lines.items():
            limit = self.worth[line_id].first(line.ordered - line.cancelled)
            self._change(line_id, limit=limit)

    def due(self, line_id: str, units: int) -> Worth:
        """The charge for more units of a line."""
        line, money, worth = self._lines[line_id], self.lines[line_id], self.worth[line_id]
        limit = worth.whole if money.limit is None else money.limit
        standing = line.charged - line.refunded
        return money.charges.due(worth, standing + units, limit, money.withheld)

    def charge(self, units: LineUnits) -> Worth:
        """Charge for more units."""
        total = NOTHING
        for line_id, count in units.items():
            due = self.due(line_id, count)
            self._lines[line_id] = self._lines[line_id].charge(count)
            self._change(line_id, charges=self.lines[line_id].charges.take(due))
            total += due
        return total

    def invoice(self, units: LineUnits) -> Worth:
        """Invoice units that go out, which are charged.

        For less than they are worth where some of that was paid back before they went.
        """
        total = NOTHING
        for line_id, count in units.items():
            line, money, worth = self._lines[line_id], self.lines[line_id], self.worth[line_id]
            standing = line.invoiced - money.credited
            due = money.invoices.due(worth, standing + count, worth.whole, money.withheld)
            self._lines[line_id] = line.invoice(count)
            self._change(line_id, invoices=money.invoices.take(due))
            total += due
        total = total.within(NOTHING, self.deferred)
        self.invoiced += total
        return total

    def refund(self, units: LineUnits, credited: LineUnits) -> Owed:
        """Pay units back, `credited` of which were invoiced."""
        for line_id, count in units.items():
            self._lines[line_id] = self._lines[line_id].refund(count)
        return self._give_back(units, credited)

    def concede(self, units: LineUnits, *, shipping: bool) -> Owed:
        """Pay back units that stay with the customer, with or without their shipping."""
        for line_id, count in units.items():
            line, worth = self._lines[line_id], self.worth[line_id]
            kept = line.charged - line.refunded
            if not shipping:
                share = (worth.first(kept) - worth.first(kept - count)).only_shipping
                self._change(line_id, withheld=self.lines[line_id].withheld + share)
            self._lines[line_id] = line.concede(count)
        return self._give_back(units, units)

    def release_shipping(self, line_id: str, units: int) -> None:
        """Units that were paid back without their shipping have come: it is owed as well."""
        line, money = self._lines[line_id], self.lines[line_id]
        if units:
            freed = money.withheld.scaled(units, line.conceded)
            self._change(line_id, withheld=money.withheld - freed)

    def refund_shipping(self) -> Owed:
        """Pay back all shipping that was charged and is not paid back."""
        return self._adjust(self.refundable.only_shipping)

    def refund_amount(self, amount: int) -> Owed:
        """Pay back an amount for no unit, out of all that was charged and is not paid back."""
        self.goodwill += amount
        return self._adjust(self.refundable.part(amount))

    def _adjust(self, worth: Worth) -> Owed:
        """Pay back for no unit: from the invoiced amount, as far as that is enough."""
        return self._owe({}, worth)

    def _give_back(self, units: LineUnits, credited: LineUnits) -> Owed:
        """The amount owed for units that count as refunded by now."""
        owed = credit = NOTHING
        for line_id in units:
            line, money, worth = self._lines[line_id], self.lines[line_id], self.worth[line_id]
            back = money.charges.owed(worth, line.charged - line.refunded, money.withheld)
            standing = line.invoiced - money.credited - credited.get(line_id, 0)
            taken_back = money.invoices.owed(worth, standing, money.withheld)
            self._change(
                line_id,
                charges=money.charges.give(back),
                invoices=money.invoices.give(taken_back),
                credited=money.credited + credited.get(line_id, 0),
            )
            owed, credit = owed + back, credit + taken_back
        # An amount that was paid back for no unit is not paid back a second time.
        return self._owe(units, owed.within(NOTHING, self.refundable), owed - credit)

    def _owe(self, units: LineUnits, worth: Worth, unsent: Worth = NOTHING) -> Owed:
        """Owe an amount: `unsent` from the deferred amount, the rest from the invoiced one.

        If one of them is too small, the other gives more: neither ever falls below zero.
        """
        sent = worth - unsent.within(NOTHING, self.deferred)
        credited = sent.within(worth - self.deferred, self.invoiced).within(NOTHING, worth)
        self.refunded += worth
        self.invoiced -= credited
        return Owed(dict(units), worth, credited)

    def _change(self, line_id: str, **changes: object) -> None:
        self.lines[line_id] = self.lines[line_id].model_copy(update=changes)
