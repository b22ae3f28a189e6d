"""What the units of an order charge, invoice and pay back: the decisions, and their amounts.

Pure: the caller brings the counts of units and the money of each line, as rows have them, and keeps
what has changed. A decision comes after the move of its units: what was shipped counts as shipped,
what was cancelled as cancelled.

Two sums hold after every decision. Charged less paid back is the worth of the units that are
charged and not paid back. What stays invoiced is what went out and was not credited.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from domain.errors import IllegalTransition
from domain.orders.amounts import NOTHING, LineMoney, LineWorth, Worth, sum_of
from domain.orders.quantities import LineId, LineQuantities, LineUnits


@dataclass(frozen=True)
class Due:
    """The amounts to charge and to invoice for units that go out, or are charged before that.

    `after_refund`: something was paid back before, which can move a minor unit between charges.
    """

    units: LineUnits = field(default_factory=dict)
    worth: Worth = NOTHING
    invoiced_units: LineUnits = field(default_factory=dict)
    invoiced: Worth = NOTHING
    after_refund: bool = False

    def with_rest(self, rest: Due) -> Due:
        """The same goods go out, and the rest is charged with them."""
        units = {
            k: self.units.get(k, 0) + rest.units.get(k, 0) for k in {**self.units, **rest.units}
        }
        return replace(self, units=units, worth=self.worth + rest.worth)


@dataclass(frozen=True)
class Owed:
    """Units that the customer is paid back for, and their worth.

    `credited` is the invoiced part of the worth; the rest was charged before anything went out.
    `kept`: a fee for restocking, and postage, which the units are worth more than that.
    """

    units: LineUnits = field(default_factory=dict)
    worth: Worth = NOTHING
    credited: Worth = NOTHING
    kept: Worth = NOTHING

    def __bool__(self) -> bool:
        """There is something to record."""
        return bool(self.units or self.worth.total)


class Charges:
    """The money of an order's lines, beside the counts of their units, which it only reads.

    `refunded`: all that was paid back, also for no unit: goodwill, or shipping alone. `invoiced`:
    the part of the charged amount that stays invoiced; the rest is deferred: its units are still to
    be shipped. `goodwill`: minor units that were paid back for no unit.
    """

    def __init__(
        self,
        lines: Mapping[LineId, LineQuantities],
        worth: Mapping[LineId, LineWorth],
        money: Mapping[LineId, LineMoney] | None = None,
        *,
        refunded: Worth = NOTHING,
        invoiced: Worth = NOTHING,
        goodwill: int = 0,
    ) -> None:
        self._lines = lines
        self.worth = dict(worth)
        self.money = {line_id: (money or {}).get(line_id, LineMoney()) for line_id in lines}
        self.refunded = refunded
        self.invoiced = invoiced
        self.goodwill = goodwill

    def units(self, line_id: LineId) -> LineQuantities | None:
        """Where the units of a line stand; None: there is no such line."""
        return self._lines.get(line_id)

    # Sums -----------------------------------------------------------------------------------------

    @property
    def charged(self) -> Worth:
        """All that was charged, also by a charge that is still under way."""
        return sum_of(money.charged_worth for money in self.money.values())

    @property
    def paid_back(self) -> bool:
        """Something was paid back, even if it was units that are worth nothing."""
        return self.refunded != NOTHING or any(money.refunded for money in self.money.values())

    @property
    def refundable(self) -> Worth:
        """The amount charged and not paid back."""
        return self.charged - self.refunded

    @property
    def deferred(self) -> Worth:
        """The amount charged in advance for units that are neither shipped nor paid back."""
        return self.refundable - self.invoiced

    def concedable(self, line_id: LineId) -> int:
        """Units that the customer has, has paid for, and has not asked to send back."""
        money = self.money[line_id]
        return max(0, self._lines[line_id].returnable - (money.conceded - money.on_way))

    # Charging -------------------------------------------------------------------------------------

    def limit(self) -> None:
        """Only the units that can be sent by now are authorized: no more is ever charged."""
        for line_id, line in self._lines.items():
            if line.cancelled:
                self._change(line_id, sendable=line.ordered - line.cancelled)

    @property
    def uncharged(self) -> dict[LineId, int]:
        """Units that can be sent and are not charged."""
        units = {}
        for line_id, line in self._lines.items():
            money = self.money[line_id]
            more = line.ordered - line.cancelled - (money.charged - money.refunded)
            units[line_id] = min(more, line.ordered - money.charged)
        return _some(units)

    @property
    def left_to_charge(self) -> int:
        """The amount still to charge for all units that can be sent, in minor units."""
        return self.to_charge(self.uncharged)

    def charge_all(self) -> Due:
        """Charge all units that can be sent, before they are sent."""
        units = self.uncharged
        after = self.paid_back
        for line_id, more in units.items():
            self._change(line_id, prepaid=self.money[line_id].prepaid + more)
        return Due(units, self._charge(units), after_refund=after)

    def take_back(self) -> None:
        """The charge of everything was refused, before anything else was charged or paid back."""
        for line_id, money in self.money.items():
            self.money[line_id] = LineMoney(sendable=money.sendable)

    def left(self, units: LineUnits, older: Iterable[LineUnits] = ()) -> Due:
        """A fulfilment is handed over: its uncharged amount is due, and so is its invoice.

        `older`: the units of the older fulfilments that are still to leave. They take the units
        that are paid for first, so a later fulfilment never changes an earlier one's share, which
        is charged with its own authorization.
        """
        others = list(older)
        due, invoice = {}, {}
        for line_id, count in units.items():
            money = self.money[line_id]
            prepaid = _share(money.prepaid, line_id, count, others)
            resent = _share(money.resent, line_id, count, others)
            self._change(line_id, prepaid=money.prepaid - prepaid, resent=money.resent - resent)
            due[line_id], invoice[line_id] = count - prepaid, count - resent
        due, invoice = _some(due), _some(invoice)
        after = self.paid_back
        return Due(due, self._charge(due), invoice, self._invoice(invoice), after)

    def unpaid(self, units: LineUnits, older: Iterable[LineUnits] = ()) -> dict[LineId, int]:
        """The units of a fulfilment that are not paid for already; `older` as in `left`."""
        others = list(older)
        return _some({k: n - _share(self.money[k].prepaid, k, n, others) for k, n in units.items()})

    def to_charge(self, units: LineUnits) -> int:
        """The charge for more units of these lines, in minor units."""
        return sum(self._due(line_id, count).total for line_id, count in units.items())

    def at_most(self, units: LineUnits) -> int:
        """The charge for these units at most, whatever else is charged or paid back before."""
        total = 0
        for line_id, count in units.items():
            line, worth = self._lines[line_id], self.worth[line_id]
            whole = count == line.ordered - line.cancelled
            total += (worth.first(count) if whole else worth.most(count)).total
        return total

    # Paying back ----------------------------------------------------------------------------------

    def cancelled(self, units: LineUnits) -> Owed:
        """These units will not be sent: those of them that are paid for are paid back."""
        overpaid, credited = {}, {}
        for line_id in units:
            line, money = self._lines[line_id], self.money[line_id]
            to_come = line.ordered - line.shipped - line.cancelled
            excess = money.prepaid - to_come
            if excess > 0:
                overpaid[line_id] = excess
                credited[line_id] = max(0, money.resent - to_come)
                self._change(
                    line_id,
                    prepaid=money.prepaid - excess,
                    resent=money.resent - credited[line_id],
                )
        return self._refund(overpaid, credited)

    def lost(self, replaced: LineUnits, given_up: LineUnits) -> Owed:
        """The carrier lost units: some are sent again, paid already; the others are paid back."""
        self.sent_again(replaced)
        return self._refund(_some(given_up), given_up)

    def sent_again(self, units: LineUnits) -> None:
        """Others go out for units that are charged and invoiced: they are neither again."""
        for line_id, count in units.items():
            money = self.money[line_id]
            self._change(line_id, prepaid=money.prepaid + count, resent=money.resent + count)

    def came_back(self, units: LineUnits) -> Owed:
        """Undeliverable and back at the warehouse: all of it is paid back."""
        return self._refund(_some(units), units)

    def returned(self, received: LineUnits) -> Owed:
        """A return parcel was counted. Units that were paid back before are counted last.

        Of these, shipping alone is owed, if it was not paid back with them.
        """
        units = {}
        for line_id, count in received.items():
            line, money = self._lines[line_id], self.money[line_id]
            before = line.delivered - (line.returned - count) - money.conceded
            paid_back = max(0, count - before)
            if paid_back:
                freed = money.withheld.scaled(paid_back, money.conceded - money.on_way)
                self._change(line_id, withheld=money.withheld - freed)
                self._count(line_id, conceded=-paid_back)
            units[line_id] = count - paid_back
        owed = self._refund(units, units)  # also of lines of which shipping alone is owed
        return Owed(_some(owed.units), owed.worth, owed.credited)

    def on_their_way_back(self, units: LineUnits) -> Owed | None:
        """These units are paid back before they come; None where some of them were before.

        Until they come they count as units that were paid back and stay with the customer.
        """
        for line_id, count in units.items():
            line, conceded = self._lines[line_id], self.money[line_id].conceded
            if count > line.delivered - line.returned - conceded:
                return None
        owed = self._refund(units, units)
        for line_id, count in units.items():
            self._count(line_id, conceded=count, on_way=count)
        return owed

    def counted_after_all(self, units: LineUnits, received: LineUnits) -> None:
        """Of units that were paid back on their way, these came. The others stay, paid back."""
        for line_id, count in units.items():
            self._count(line_id, conceded=-received.get(line_id, 0), on_way=-count)

    def if_returned(self, units: LineUnits, *, asked: bool = True) -> Owed:
        """What a return of these units will owe if all come. Nothing is changed.

        `asked`: they are on their way back, or are to be; False: nobody has asked for that yet.
        """
        lines = dict(self._lines)
        for line_id, count in units.items():
            line = lines[line_id] if asked else lines[line_id].request_return(count)
            lines[line_id] = line.receive_return(count, count)
        sums: dict[str, Any] = {"refunded": self.refunded, "invoiced": self.invoiced}
        other = Charges(lines, self.worth, self.money, goodwill=self.goodwill, **sums)
        return other.returned(units)

    def keep(self, owed: Owed, *, fee: int, postage: int) -> Owed:
        """The seller keeps a fee and postage of what is owed, as far as it was invoiced.

        Minor units, tax included: both are taxed as what they are kept of. They stay invoiced.
        """
        goods = Worth(goods=owed.credited.goods, tax=owed.credited.tax)
        shipping = owed.credited.only_shipping
        kept = goods.part(min(fee, goods.total))
        kept += shipping.part(min(postage, shipping.total))
        self.refunded -= kept
        self.invoiced += kept
        return Owed(owed.units, owed.worth - kept, owed.credited - kept, kept)

    def concede(self, units: LineUnits, *, shipping: bool) -> Owed:
        """Pay back units that stay with the customer, with or without their shipping."""
        for line_id, count in units.items():
            if not 0 <= count <= self.concedable(line_id):
                most = self.concedable(line_id)
                raise IllegalTransition(f"cannot pay back {count}: only {most} can be")
            money, worth = self.money[line_id], self.worth[line_id]
            kept = money.charged - money.refunded
            if not shipping:
                share = worth.shipping_of(count, after=kept - count)
                self._change(line_id, withheld=money.withheld + share)
            self._count(line_id, refunded=count, conceded=count)
        return self._give_back(units, units)

    def refund_shipping(self) -> Owed:
        """Pay back all shipping that was charged and is not paid back."""
        return self._owe({}, self.refundable.only_shipping)

    def refund_amount(self, amount: int) -> Owed:
        """Pay back an amount for no unit, out of all that was charged and is not paid back."""
        self.goodwill += amount
        return self._owe({}, self.refundable.part(amount))

    def reduce(self, line_id: LineId, whole: Worth) -> Owed:
        """As `lower`, but nothing is changed where that comes to nothing."""
        lower = self.worth[line_id].model_copy(update={"whole": whole})
        money = self.money[line_id]
        back = money.charges.owed(lower, money.charged - money.refunded, money.withheld)
        if not back.within(NOTHING, self.refundable).total:
            return Owed()
        return self.lower(line_id, whole)

    def lower(self, line_id: LineId, whole: Worth) -> Owed:
        """All units of a line are worth less from now on, also those that are charged later.

        Pays back what was charged beyond that.
        """
        line, money = self.worth[line_id], self.money[line_id]
        self.worth[line_id] = line.model_copy(update={"whole": whole})
        self._change(line_id, reduced=money.reduced + line.whole - whole)
        owed = self._give_back({line_id: 0}, {})
        return Owed({}, owed.worth, owed.credited)

    def paid_elsewhere(self, amount: int) -> Owed:
        """An amount was paid back without Orderloom, for no unit that is known."""
        return self._owe({}, self.refundable.part(amount))

    # ----------------------------------------------------------------------------------------------

    def _due(self, line_id: LineId, units: int) -> Worth:
        """The charge for more units of a line."""
        money, worth = self.money[line_id], self.worth[line_id]
        limit = worth.whole if money.sendable is None else worth.first(money.sendable)
        standing = money.charged - money.refunded
        return money.charges.due(worth, standing + units, limit, money.withheld)

    def _charge(self, units: LineUnits) -> Worth:
        total = NOTHING
        for line_id, count in units.items():
            due = self._due(line_id, count)
            self._count(line_id, charged=count)
            self._change(line_id, charged_worth=self.money[line_id].charged_worth + due)
            total += due
        return total

    def _invoice(self, units: LineUnits) -> Worth:
        """Invoice units that go out, which are charged.

        For less than they are worth where some of that was paid back before they went.
        """
        dues = {}
        for line_id, count in units.items():
            money, worth = self.money[line_id], self.worth[line_id]
            standing = money.invoiced - money.credited
            dues[line_id] = money.invoices.due(worth, standing + count, worth.whole, money.withheld)
            self._count(line_id, invoiced=count)
        total = sum_of(dues.values()).within(NOTHING, self.deferred)
        for line_id, due in _within(dues, total).items():
            self._change(line_id, invoiced_worth=self.money[line_id].invoiced_worth + due)
        self.invoiced += total
        return total

    def _refund(self, units: LineUnits, credited: LineUnits) -> Owed:
        """Pay units back, `credited` of which were invoiced."""
        for line_id, count in units.items():
            money, worth = self.money[line_id], self.worth[line_id]
            kept = money.charged - money.refunded
            self._count(line_id, refunded=count)
            stay = money.conceded - money.on_way
            if money.withheld == worth.shipping_of(stay, after=kept):
                # Units that were paid back and stay with the customer come next after those that
                # are kept: as these get fewer, the others' shares of shipping are earlier ones.
                moved = worth.shipping_of(stay, after=kept - count)
                self._change(line_id, withheld=moved)
        return self._give_back(units, credited)

    def _give_back(self, units: LineUnits, credited: LineUnits) -> Owed:
        """The amount owed for units that count as refunded by now."""
        owed, invoiced = NOTHING, {}
        for line_id in units:
            money, worth = self.money[line_id], self.worth[line_id]
            back = money.charges.owed(worth, money.charged - money.refunded, money.withheld)
            taken_back = credited.get(line_id, 0)
            standing = money.invoiced - money.credited - taken_back
            invoiced[line_id] = money.invoices.owed(worth, standing, money.withheld)
            self._change(
                line_id,
                refunded_worth=money.refunded_worth + back,
                credited=money.credited + taken_back,
            )
            owed += back
        # An amount that was paid back for no unit is not paid back a second time.
        unsent = owed - sum_of(invoiced.values())
        paid_back = self._owe(units, owed.within(NOTHING, self.refundable), unsent)
        self._credit(invoiced, paid_back.credited)
        return paid_back

    def _credit(self, wanted: Mapping[LineId, Worth], credited: Worth) -> None:
        """Credit the lines with what is credited in all, which can be a minor unit off.

        A credit that was given before for no unit counts for the units that come back now: what of
        it they are not credited again is no longer invoiced for their line.
        """
        parts = _within(wanted, credited)
        left = credited - sum_of(parts.values())
        for line_id, money in self.money.items():
            part = parts.get(line_id, NOTHING)
            more = left.within(NOTHING, money.invoices.kept - part)
            left -= more
            if part + more != NOTHING:
                self._change(line_id, credited_worth=money.credited_worth + part + more)
        kept = sum_of(money.invoices.kept for money in self.money.values())
        short = {k: worth - parts[k] for k, worth in wanted.items()}
        for line_id, part in _within(short, kept - self.invoiced).items():
            if part != NOTHING:
                money = self.money[line_id]
                self._change(line_id, credited_worth=money.credited_worth + part)

    def _owe(self, units: LineUnits, worth: Worth, unsent: Worth = NOTHING) -> Owed:
        """Owe an amount: `unsent` from the deferred amount, the rest from the invoiced one.

        If one of them is too small, the other gives more: neither ever falls below zero.
        """
        sent = worth - unsent.within(NOTHING, self.deferred)
        credited = sent.within(worth - self.deferred, self.invoiced).within(NOTHING, worth)
        self.refunded += worth
        self.invoiced -= credited
        return Owed(dict(units), worth, credited)

    def _count(self, line_id: LineId, **changes: int) -> None:
        """Move counts of units. Raises IllegalTransition where there are not so many."""
        money = self.money[line_id].counting(**changes)
        if money.charged > self._lines[line_id].ordered:
            raise IllegalTransition(f"line {line_id}: more is charged than was ordered")
        self.money[line_id] = money

    def _change(self, line_id: LineId, **changes: Any) -> None:
        self.money[line_id] = self.money[line_id].model_copy(update=changes)


def _within(parts: Mapping[LineId, Worth], most: Worth) -> dict[LineId, Worth]:
    """The parts, one after the other, as far as there is room for them."""
    cut = {}
    for line_id, part in parts.items():
        cut[line_id] = part.within(NOTHING, most)
        most -= cut[line_id]
    return cut


def _share(paid: int, line_id: LineId, units: int, older: Iterable[LineUnits]) -> int:
    """How many of these units of a line are paid for, after older fulfilments took theirs."""
    for other in older:
        paid -= min(paid, other.get(line_id, 0))
    return min(paid, units)


def _some(units: LineUnits) -> dict[LineId, int]:
    return {line_id: count for line_id, count in units.items() if count}
