"""The lines of a document: units of an order's lines, with their price as the customer saw it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import Final, Protocol

from pydantic import BaseModel, ConfigDict

from domain.errors import Refused
from domain.money import decimals, price_text, split, to_decimal, to_minor, worth_of_units
from domain.orders.amounts import LineWorth, Worth, value_lines
from domain.orders.order import Line, Order
from domain.orders.prices import Priced
from domain.orders.quantities import LineUnits


class PrintedLine(BaseModel):
    """Units of an order line. Amounts are for all of them, in minor units.

    `unit_price` is a decimal text, as the customer saw it: with tax, where the order's prices
    include it. `discount`, of the same kind, is their share of the line's and the order's
    discounts; net + tax = total.
    """

    model_config = ConfigDict(frozen=True)

    line_id: str
    sku: str
    description: str
    quantity: int
    unit_price: str
    discount_minor: int
    tax_rate: str | None
    tax_category: str | None
    net_minor: int
    tax_minor: int
    total_minor: int


class Rooms(Protocol):
    """What is invoiced of goods and not credited."""

    @property
    def goods(self) -> int: ...

    @property
    def rounding(self) -> int: ...


@dataclass(frozen=True)
class _Part:
    """Some units of a line, after those of earlier documents."""

    line: Line
    price: Priced
    worth: Worth
    rounding: int
    before: int
    units: int


def rate_text(rate: Decimal | None) -> str | None:
    """The same text for the same rate: 19.0 is 19."""
    return None if rate is None else format(rate.normalize(), "f")


def lines_of(
    order: Order,
    units: LineUnits,
    worth: Worth,
    before: Sequence[LineUnits],
    part_id: str,
    *,
    names: Mapping[str, str],
    room: Rooms | None = None,
) -> tuple[tuple[PrintedLine, ...], int]:
    """The lines in the order's own sequence, and the share of the order's rounding.

    The worth of each line's units is counted after the units of earlier documents. That adds up to
    the document's worth; if it should not, the document's worth is spread over the lines in this
    proportion. `room`: of a credit note.
    """
    lines = [line for line in order.lines if line.line_id in units]
    if len(lines) < len(units):
        unknown = sorted(units.keys() - {line.line_id for line in lines})
        raise Refused(f"{part_id}: order {order.order_id} has no line {', '.join(unknown)}")
    if not lines:
        return (), _rounding(order, 0, worth, room)
    values, prices = value_lines(order), order.prices
    parts = [
        _part(
            line,
            prices.lines[index],
            values[line.line_id],
            prices.roundings[index],
            (sum(one.get(line.line_id, 0) for one in before), units[line.line_id]),
            part_id,
        )
        for index, line in enumerate(order.lines)
        if line.line_id in units
    ]
    rounding = _rounding(order, sum(part.rounding for part in parts), worth, room)
    natural = [max(0, part.worth.goods - part.rounding) for part in parts]
    nets = split(worth.goods - rounding, natural)
    taxes = split(worth.tax, [part.worth.tax for part in parts])
    printed = tuple(
        _line(order, part, net, tax, names)
        for part, net, tax in zip(parts, nets, taxes, strict=True)
    )
    return printed, rounding


def _rounding(order: Order, share: int, worth: Worth, room: Rooms | None) -> int:
    """The rounding that a document has, if its units' share is this."""
    if not order.rounding:
        return 0
    if room is not None:
        if worth.goods == room.goods + room.rounding:
            return room.rounding  # The last credit note takes all that is left.
        least = max(min(0, room.rounding), worth.goods - room.goods)
        share = min(max(share, least), max(0, room.rounding, least))
    return min(share, worth.goods)


def _part(
    line: Line,
    price: Priced,
    value: LineWorth,
    rounding: int,
    place: tuple[int, int],
    part_id: str,
) -> _Part:
    before, units = place
    if not 0 < units <= line.quantity - before:
        raise Refused(
            f"{part_id}: {units} units of line {line.line_id}, of which {line.quantity} were "
            f"ordered and {before} have a document already"
        )
    worth = value.first(before + units) - value.first(before)
    share = _after(abs(rounding), before, units, line.quantity)
    return _Part(line, price, worth, share if rounding > 0 else -share, before, units)


def _after(whole: int, before: int, units: int, of: int) -> int:
    """The share of the units that come after those before; rounded down from the first on."""
    return whole * (before + units) // of - whole * before // of


def _line(order: Order, part: _Part, net: int, tax: int, names: Mapping[str, str]) -> PrintedLine:
    line, included = part.line, order.prices_include_tax
    price, listed = printed_price(order, line)
    paid = part.price.total if included else part.price.net
    # Rounded up, as what the units are worth is rounded down.
    discount = -_after(paid - listed, part.before, part.units, line.quantity)
    usual = part.worth.goods - part.rounding + (part.worth.tax if included else 0)
    return PrintedLine(
        line_id=line.line_id,
        sku=line.sku,
        description=names.get(line.sku) or line.sku,
        quantity=part.units,
        unit_price=price_text(price, order.currency),
        discount_minor=discount + usual - (net + tax if included else net),
        tax_rate=rate_text(line.tax_rate),
        tax_category=line.tax_category,
        net_minor=net,
        tax_minor=tax,
        total_minor=net + tax,
    )


_FINEST: Final = Decimal("0.000001")


def printed_price(order: Order, line: Line) -> tuple[Decimal, int]:
    """A unit's price as it is printed, and what all units cost at it, in minor units.

    A shop whose system has whole minor units only rounds a price up, and takes the difference off
    as a discount of less than one minor unit for each unit. Nobody gave that discount: it becomes
    part of the price.
    """
    listed, discount = order.listed_minor(line), to_minor(line.discount, order.currency)
    net = listed - discount
    exponent = line.unit_price.normalize().as_tuple().exponent
    is_whole = isinstance(exponent, int) and -exponent <= decimals(order.currency)
    if is_whole and 0 < discount < line.quantity:
        price = (to_decimal(net, order.currency) / line.quantity).quantize(_FINEST, ROUND_HALF_UP)
        if worth_of_units(price, line.quantity, order.currency) == net:
            return price, net
    return line.unit_price, listed
