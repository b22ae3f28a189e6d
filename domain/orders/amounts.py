"""The worth of each unit of an order, and the amounts to charge, invoice and pay back.

The order's discount and its shipping are spread over the lines once, by largest remainder, weighted
by the cost of each line's goods. The order's fees go with its shipping, as one amount. Within a
line the first `n` units are worth `whole × n // quantity`. The amount that the customer has paid
for a line, less the amount paid back, is at every moment the worth of the first `n` units, where
`n` counts the units that are charged and not paid back. So no cent is gained or lost, whatever
happens in which order: the parts add up to the whole, and a return of everything pays back exactly
the amount that was paid.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Self

from pydantic import BaseModel, ConfigDict

from domain.errors import IllegalTransition
from domain.money import split
from domain.orders.order import Order
from domain.orders.prices import shared
from domain.orders.quantities import LineUnits


class Worth(BaseModel):
    """An amount in minor units, split by its purpose as the ledger books it.

    `goods` is net of all discounts; `tax` is on the goods, `shipping_tax` on the shipping. The
    order's fees are part of the shipping, in both.
    """

    model_config = ConfigDict(frozen=True)

    goods: int = 0
    tax: int = 0
    shipping: int = 0
    shipping_tax: int = 0

    @property
    def total(self) -> int:
        return self.goods + self.tax + self.shipping + self.shipping_tax

    @property
    def only_shipping(self) -> Worth:
        return self.model_copy(update={"goods": 0, "tax": 0})

    def __add__(self, other: Worth) -> Worth:
        return self._with(other, lambda mine, theirs: mine + theirs)

    def __sub__(self, other: Worth) -> Worth:
        return self._with(other, lambda mine, theirs: mine - theirs)

    def within(self, least: Worth, most: Worth) -> Worth:
        """Each part cut to `most`, and then raised to `least`."""
        return Worth(
            **{
                name: max(getattr(least, name), min(getattr(self, name), getattr(most, name)))
                for name in Worth.model_fields
            }
        )

    def part(self, amount: int) -> Worth:
        """This amount of it (0 ≤ amount ≤ total), taken from each part in proportion, exactly."""
        goods, tax, shipping, shipping_tax = split(
            amount, [self.goods, self.tax, self.shipping, self.shipping_tax]
        )
        return Worth(goods=goods, tax=tax, shipping=shipping, shipping_tax=shipping_tax)

    def scaled(self, units: int, of: int) -> Worth:
        """The worth of the first `units` units, where this is the worth of `of` units."""
        return self._with(self, lambda mine, _: mine * units // of)

    def with_tax_scaled(self, units: int, of: int) -> Worth:
        """The same where prices include tax: of goods and tax together, and the tax in that."""
        goods, tax = _with_tax(self.goods, self.tax, units, of)
        shipping, shipping_tax = _with_tax(self.shipping, self.shipping_tax, units, of)
        return Worth(goods=goods, tax=tax, shipping=shipping, shipping_tax=shipping_tax)

    def _with(self, other: Worth, combine: Callable[[int, int], int]) -> Worth:
        return Worth(
            goods=combine(self.goods, other.goods),
            tax=combine(self.tax, other.tax),
            shipping=combine(self.shipping, other.shipping),
            shipping_tax=combine(self.shipping_tax, other.shipping_tax),
        )


def _with_tax(net: int, tax: int, units: int, of: int) -> tuple[int, int]:
    whole = net + tax
    part = whole * units // of
    tax_in_part = tax * part // whole if whole else 0
    return part - tax_in_part, tax_in_part


NOTHING = Worth()


def sum_of(parts: Iterable[Worth]) -> Worth:
    """The sum of all parts."""
    return sum(parts, start=NOTHING)


class LineWorth(BaseModel):
    """The worth of all units of one line together."""

    model_config = ConfigDict(frozen=True)

    line_id: str
    quantity: int
    whole: Worth
    includes_tax: bool = False
    """The customer saw prices with tax: these are shared out, and the tax is a part of them."""

    def first(self, units: int) -> Worth:
        """The worth of the first `units` units together (0 ≤ units ≤ quantity)."""
        if not 0 <= units <= self.quantity:
            raise ValueError(f"line {self.line_id}: {units} of {self.quantity} units")
        if self.includes_tax:
            return self.whole.with_tax_scaled(units, self.quantity)
        return self.whole.scaled(units, self.quantity)

    def shipping_of(self, units: int, *, after: int) -> Worth:
        """The share of shipping of these units, which follow the first `after` units."""
        return (self.first(after + units) - self.first(after)).only_shipping

    def most(self, units: int) -> Worth:
        """A worth whose total is the highest that any `units` units of the line can have."""
        if self.includes_tax:
            # Rounded up: what all units are worth, less what the others are.
            return self.whole - self.whole.with_tax_scaled(self.quantity - units, self.quantity)
        return NOTHING - (NOTHING - self.whole).scaled(units, self.quantity)  # Rounded up.


class Tally(BaseModel):
    """The amounts claimed and given back for a line.

    Either charged and paid back, or invoiced and credited.
    """

    model_config = ConfigDict(frozen=True)

    taken: Worth = NOTHING
    given: Worth = NOTHING

    @property
    def kept(self) -> Worth:
        return self.taken - self.given

    def due(self, line: LineWorth, units: int, limit: Worth, besides: Worth = NOTHING) -> Worth:
        """The amount to claim so that `units` units of the line are claimed in all.

        Never more than `limit` in all. That can only bind, by a minor unit, when units that were
        paid back are followed by others. `besides`: the amount that stays claimed for no unit.
        """
        return (line.first(units) + besides - self.kept).within(NOTHING, limit - self.taken)

    def owed(self, line: LineWorth, units: int, besides: Worth = NOTHING) -> Worth:
        """The amount to give back so that `units` units, and `besides`, stay claimed."""
        return (self.kept - line.first(units) - besides).within(NOTHING, self.kept)

    def take(self, worth: Worth) -> Self:
        return self.model_copy(update={"taken": self.taken + worth})

    def give(self, worth: Worth) -> Self:
        return self.model_copy(update={"given": self.given + worth})


class LineMoney(BaseModel):
    """The money of one line: its units by what became of their money, and amounts.

    `charged` and `refunded` units are paid for, and paid back; of these, the customer keeps those
    `conceded`, but for those `on_way` back, which are paid back before they are counted. `invoiced`
    units went out; the invoice of those `credited` was taken back. `prepaid`: paid for, and still
    to be sent; of these, those `resent` replace lost ones, and are invoiced already. `sendable`: so
    many could be sent when they were authorized; None: all. `withheld`: the shipping of units that
    were paid back without it, which is paid back when they arrive. `reduced`: by so much all units
    are worth less than they were sold for, because a lower price was met.
    """

    model_config = ConfigDict(frozen=True)

    charged: int = 0
    refunded: int = 0
    conceded: int = 0
    on_way: int = 0
    invoiced: int = 0
    credited: int = 0
    prepaid: int = 0
    resent: int = 0
    sendable: int | None = None
    charged_worth: Worth = NOTHING
    refunded_worth: Worth = NOTHING
    invoiced_worth: Worth = NOTHING
    credited_worth: Worth = NOTHING
    withheld: Worth = NOTHING
    reduced: Worth = NOTHING

    @property
    def charges(self) -> Tally:
        return Tally(taken=self.charged_worth, given=self.refunded_worth)

    @property
    def invoices(self) -> Tally:
        return Tally(taken=self.invoiced_worth, given=self.credited_worth)

    def counting(self, **changes: int) -> Self:
        """Counts moved by so many units. Raises IllegalTransition for what cannot be."""
        counts = {name: getattr(self, name) + by for name, by in changes.items()}
        moved = self.model_copy(update=counts)
        if not (
            0 <= moved.refunded <= moved.charged
            and 0 <= moved.on_way <= moved.conceded <= moved.refunded
            and 0 <= moved.credited <= moved.invoiced
        ):
            raise IllegalTransition(f"units of money cannot move by {changes}: {moved}")
        return moved


def value_lines(order: Order) -> dict[str, LineWorth]:
    """Line id → the worth of the line, with its shares of the order's discount, shipping and fees.

    The parts add up to `order.total_minor` exactly.
    """
    prices, lines = order.prices, order.lines
    weights = [line.listed - line.discount for line in prices.lines]
    beside_net = sum(part.net for part in prices.beside_goods)
    beside_tax = sum(part.tax for part in prices.beside_goods)
    if order.prices_include_tax:
        with_tax = shared(beside_net + beside_tax, weights, lines)
        shipping_tax = shared(beside_tax, with_tax, lines)
        shipping = [each - tax for each, tax in zip(with_tax, shipping_tax, strict=True)]
    else:
        shipping = shared(beside_net, weights, lines)
        shipping_tax = shared(beside_tax, weights, lines)
    return {
        line.line_id: LineWorth(
            line_id=line.line_id,
            quantity=line.quantity,
            whole=Worth(
                goods=prices.lines[i].net + prices.roundings[i],
                tax=prices.lines[i].tax,
                shipping=shipping[i],
                shipping_tax=shipping_tax[i],
            ),
            includes_tax=order.prices_include_tax,
        )
        for i, line in enumerate(order.lines)
    }


def worth_of(lines: Mapping[str, LineWorth], units: LineUnits) -> Worth:
    """The worth of the first units of each line (line id → how many), together."""
    return sum_of(lines[line_id].first(count) for line_id, count in units.items())


def spread(parts: Mapping[str, int], at_most: Iterable[int | None]) -> list[dict[str, int]]:
    """Spread the parts' amounts over payers, one after the other, up to each payer's limit.

    Parts are paid in their order; a limit of None is no limit. Returns the shares of each payer:
    part → amount, without zeros.
    """
    left = dict(parts)
    shares = []
    for limit in at_most:
        room = sum(left.values()) if limit is None else limit
        share = {}
        for part, amount in left.items():
            paid = min(amount, room)
            if paid:
                share[part] = paid
                left[part] -= paid
                room -= paid
        shares.append(share)
    return shares
