"""What an order's lines, its shipping and its fees cost, and the tax on them or in them.

All prices of an order are of one kind: net, and the tax is added; or with the tax in them. Each
line is rounded once, half away from zero. The order's discount is spread over the lines by what
they cost. In an order whose prices include tax it lowers the price with its tax. An amount of tax
that the channel gives stands; where there is only a rate, the tax is computed after all discounts.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final, Protocol

from domain.money import split, to_decimal, to_minor, worth_of_units
from domain.orders.fees import Fee
from domain.orders.lines import Line
from domain.orders.shipping import Shipping

_MICRO: Final = 10**6
"""Rates have up to six decimals."""

_APART_MAX: Final = 1
"""So many minor units a given tax may be off the computed one: others round elsewhere."""


class Priceable(Protocol):
    """What of an order its prices are made of."""

    @property
    def currency(self) -> str: ...
    @property
    def prices_include_tax(self) -> bool: ...
    @property
    def lines(self) -> Sequence[Line]: ...
    @property
    def discount(self) -> Decimal: ...
    @property
    def rounding(self) -> Decimal: ...
    @property
    def shipping(self) -> Shipping: ...
    @property
    def fees(self) -> Sequence[Fee]: ...


@dataclass(frozen=True)
class Priced:
    """A line, the shipping or a fee in minor units. `discount` has the share of the order's.

    listed − discount = net, or net + tax where the price includes tax. `rate` is in percent.
    """

    listed: int
    discount: int
    net: int
    tax: int
    rate: Decimal | None = None
    category: str | None = None

    @property
    def total(self) -> int:
        return self.net + self.tax


@dataclass(frozen=True)
class Prices:
    """All that makes the total of an order. `rounding` is spread over the lines as `roundings`."""

    lines: tuple[Priced, ...]
    shipping: Priced
    fees: tuple[Priced, ...]
    roundings: tuple[int, ...]

    @property
    def beside_goods(self) -> tuple[Priced, ...]:
        """The shipping, and then each fee: an order's amounts that are for no line."""
        return (self.shipping, *self.fees)

    @property
    def total(self) -> int:
        """The amount to pay, in minor units."""
        parts = (*self.lines, *self.beside_goods)
        return sum(part.total for part in parts) + sum(self.roundings)


class PriceFault(ValueError):
    """An amount that does not agree with the others. `where`: its place in the order."""

    def __init__(self, where: str, reason: str) -> None:
        super().__init__(reason)
        self.where = where


def tax_of(price: int, rate: Decimal, *, included: bool) -> int:
    """The tax on a net price, or in a price that includes it; rounded half away from zero."""
    micro = int(rate.scaleb(6))
    whole = 100 * _MICRO + (micro if included else 0)
    return (2 * price * micro + whole) // (2 * whole)


def priced(order: Priceable) -> Prices:
    """The order's prices. Raises PriceFault for amounts that do not agree."""

    def minor(amount: Decimal) -> int:
        return to_minor(amount, order.currency)

    listed = [worth_of_units(x.unit_price, x.quantity, order.currency) for x in order.lines]
    costs = []
    for index, line in enumerate(order.lines):
        if minor(line.discount) > listed[index]:
            raise PriceFault(f"lines[{index}].discount", "is more than the line is worth")
        costs.append(listed[index] - minor(line.discount))
    discount = minor(order.discount)
    if discount > sum(
        cost for line, cost in zip(order.lines, costs, strict=True) if not line.added
    ):
        raise PriceFault("discount", "is more than the goods are worth")
    shares = shared(discount, costs, order.lines)
    lines = []
    for index, line in enumerate(order.lines):
        cost = costs[index] - shares[index]
        least = max(0, costs[index] - discount)
        place = f"lines[{index}]"
        tax = _tax(order, place, line.tax, line.tax_rate, cost, (least, costs[index]))
        lines.append(
            Priced(
                listed=listed[index],
                discount=listed[index] - cost,
                net=cost - tax if order.prices_include_tax else cost,
                tax=tax,
                rate=line.tax_rate,
                category=line.tax_category,
            )
        )
    return Prices(
        tuple(lines),
        _beside_goods(order, "shipping", order.shipping, order.shipping.price),
        tuple(
            _beside_goods(order, f"fees[{index}]", fee, fee.amount)
            for index, fee in enumerate(order.fees)
        ),
        _roundings(order, [line.net for line in lines]),
    )


def _beside_goods(order: Priceable, place: str, part: Shipping | Fee, amount: Decimal) -> Priced:
    price = to_minor(amount, order.currency)
    tax = _tax(order, place, part.tax, part.tax_rate, price, (price, price))
    return Priced(
        listed=price,
        discount=0,
        net=price - tax if order.prices_include_tax else price,
        tax=tax,
        rate=part.tax_rate,
        category=part.tax_category,
    )


def _tax(
    order: Priceable,
    place: str,
    given: Decimal | None,
    rate: Decimal | None,
    cost: int,
    between: tuple[int, int],
) -> int:
    """The tax for what is paid. `between`: the least and the most of it that the tax may be of.

    Which part of an order's discount a channel takes off before it computes the tax is its own
    matter, so with a discount the tax is held to be between that of all of it and of nothing.
    """
    included = order.prices_include_tax
    if given is None:
        return 0 if rate is None else tax_of(cost, rate, included=included)
    tax = to_minor(given, order.currency)

    def shown(minor: int) -> str:
        return f"{to_decimal(minor, order.currency)}"

    if rate is not None:
        least, most = (tax_of(price, rate, included=included) for price in between)
        if not least - _APART_MAX <= tax <= most + _APART_MAX:
            expected = shown(most) if least == most else f"{shown(least)} to {shown(most)}"
            way = "in" if included else "on"
            raise PriceFault(
                f"{place}.tax",
                f"is {shown(tax)}, but at {rate.normalize():f} % the tax {way} "
                f"{shown(between[1])} is {expected}; correct it, or leave it out to have it "
                "computed",
            )
    if included and tax > cost:
        raise PriceFault(
            f"{place}.tax", f"is {shown(tax)}, more than the price with tax, {shown(cost)}"
        )
    return tax


def _roundings(order: Priceable, nets: Sequence[int]) -> tuple[int, ...]:
    """The rounding of the total to cash units, spread over the lines."""
    rounding = to_minor(order.rounding, order.currency)
    sharing = zip(order.lines, nets, strict=True)
    if -rounding > sum(net for line, net in sharing if not line.added):
        raise PriceFault("rounding", "takes off more than the goods are worth")
    sign = -1 if rounding < 0 else 1
    return tuple(sign * part for part in shared(abs(rounding), nets, order.lines))


def shared(amount: int, weights: Sequence[int], lines: Sequence[Line]) -> list[int]:
    """Split an amount over the lines of an order; those that were added later have none of it."""
    apart = [line.added for line in lines]
    if all(apart):  # There is no other one to have it.
        return split(amount, weights)
    parts = iter(split(amount, [w for w, out in zip(weights, apart, strict=True) if not out]))
    return [0 if out else next(parts) for out in apart]
