"""The printed content of invoices and credit notes, put together once, at the issue.

An invoice is for a parcel, a credit note for a refund. The lines add up exactly to the worth that
the ledger books for the same parcel or refund. Shipping is a sum of the whole document and in none
of its lines.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from typing import Literal
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict

from domain.errors import Refused
from domain.money import decimals, price_text, split, to_decimal, to_minor, worth_of_units
from domain.orders.amounts import LineWorth, Worth, value_lines
from domain.orders.order import Line, Order
from domain.orders.quantities import LineUnits
from domain.sellers import Seller, address_lines

Kind = Literal["invoice", "credit_note"]
Language = Literal["en", "ko"]


class _Printed(BaseModel):
    model_config = ConfigDict(frozen=True)


class Party(_Printed):
    """A name and an address, line by line. `number`: a tax number, or the customer's id."""

    name: str
    address: tuple[str, ...]
    number: str = ""


class PrintedLine(_Printed):
    """Units of an order line. Amounts are for all of them, in minor units.

    `unit_price` is a decimal text, as the customer saw it. `discount` is their share of the line's
    and the order's discounts; net + tax = total.
    """

    line_id: str
    sku: str
    description: str
    quantity: int
    unit_price: str
    discount_minor: int
    net_minor: int
    tax_minor: int
    total_minor: int


class Reference(_Printed):
    """An invoice that a credit note refers to."""

    number: str
    issued_on: date


class Content(_Printed):
    """Everything that is printed except the number and its date. Amounts in minor units.

    net = lines + allowance + shipping, tax likewise, and net + tax = total. `allowance`: the credit
    for no unit in particular. `reason` and `invoices` are a credit note's.
    """

    kind: Kind
    language: Language
    order_id: str
    part_id: str
    ordered_on: date
    supplied_on: date | None
    currency: str
    seller: Party
    buyer: Party
    deliver_to: Party
    lines: tuple[PrintedLine, ...]
    allowance_minor: int
    allowance_tax_minor: int
    shipping_minor: int
    shipping_tax_minor: int
    net_minor: int
    tax_minor: int
    total_minor: int
    reason: str
    invoices: tuple[Reference, ...]


class Issued(Content):
    """A document with its number and the day of its issue."""

    number: str
    issued_on: date


class Earlier(_Printed):
    """A document of the same order that was issued before."""

    number: str
    kind: Kind
    issued_on: date
    units: dict[str, int]


def compose(
    order: Order,
    *,
    kind: Kind,
    part_id: str,
    units: LineUnits,
    worth: Worth,
    seller: Seller,
    supplied_on: date | None = None,
    names: Mapping[str, str] | None = None,
    earlier: Sequence[Earlier] = (),
    reason: str = "",
) -> Content:
    """The content of a document about `units` that are worth `worth`.

    `names`: SKU → its name. `earlier`: the order's documents until now. Raises Refused for
    negative amounts, and for units that the order does not have or that have a document already.
    """
    if min(worth.goods, worth.tax, worth.shipping, worth.shipping_tax) < 0:
        raise Refused(
            f"{part_id}: an amount of {worth} is negative; documents only have positive ones"
        )
    units = {line_id: count for line_id, count in units.items() if count}
    lines = _lines(order, kind, units, worth, earlier, names or {}, part_id)
    # Without lines, the goods' amount cannot be spread.
    allowance = Worth() if lines else Worth(goods=worth.goods, tax=worth.tax)
    sent_to = order.shipping.address
    billed = order.billing or sent_to
    company = order.customer.company or (order.billing and order.billing.company)
    buyer = order.billing.name if order.billing else order.customer.name
    return Content(
        kind=kind,
        language="ko" if order.customer.locale.split("-")[0] == "ko" else "en",
        order_id=order.order_id,
        part_id=part_id,
        ordered_on=order.placed_at.astimezone(ZoneInfo(seller.time_zone)).date(),
        supplied_on=supplied_on,
        currency=order.currency,
        seller=Party(name=seller.name, address=seller.address, number=seller.tax_number or ""),
        buyer=Party(
            name=company or buyer,
            address=(
                *([buyer] if company else []),
                *(address_lines(billed) if billed else ()),
                *([order.customer.tax_number] if order.customer.tax_number else []),
            ),
            number=order.customer.id,
        ),
        deliver_to=Party(
            name=sent_to.name if sent_to else company or buyer,
            address=address_lines(sent_to) if sent_to else (),
        ),
        lines=lines,
        allowance_minor=allowance.goods,
        allowance_tax_minor=allowance.tax,
        shipping_minor=worth.shipping,
        shipping_tax_minor=worth.shipping_tax,
        net_minor=worth.goods + worth.shipping,
        tax_minor=worth.tax + worth.shipping_tax,
        total_minor=worth.total,
        reason=reason,
        invoices=_invoices(units, earlier) if kind == "credit_note" else (),
    )


def _lines(
    order: Order,
    kind: Kind,
    units: LineUnits,
    worth: Worth,
    earlier: Sequence[Earlier],
    names: Mapping[str, str],
    part_id: str,
) -> tuple[PrintedLine, ...]:
    """The lines in the order's own sequence.

    The worth of each line's units is counted after the units of earlier documents. That adds up to
    the document's worth; if it should not, the document's worth is spread over the lines in this
    proportion.
    """
    lines = [line for line in order.lines if line.line_id in units]
    if len(lines) < len(units):
        unknown = sorted(units.keys() - {line.line_id for line in lines})
        raise Refused(f"{part_id}: order {order.order_id} has no line {', '.join(unknown)}")
    if not lines:
        return ()
    values = value_lines(order)
    befores = [
        _before(line, units[line.line_id], [e for e in earlier if e.kind == kind], part_id)
        for line in lines
    ]
    shares = [
        _share(values[line.line_id], before, units[line.line_id])
        for line, before in zip(lines, befores, strict=True)
    ]
    nets = split(worth.goods, [share.goods for share in shares])
    taxes = split(worth.tax, [share.tax for share in shares])
    return tuple(
        _line(order, line, values[line.line_id], (before, units[line.line_id]), net, tax, names)
        for line, before, net, tax in zip(lines, befores, nets, taxes, strict=True)
    )


def _before(line: Line, units: int, earlier: Sequence[Earlier], part_id: str) -> int:
    """The line's units that are in earlier documents."""
    before = sum(one.units.get(line.line_id, 0) for one in earlier)
    if not 0 < units <= line.quantity - before:
        raise Refused(
            f"{part_id}: {units} units of line {line.line_id}, of which {line.quantity} were "
            f"ordered and {before} have a document already"
        )
    return before


def _share(value: LineWorth, before: int, units: int) -> Worth:
    """The worth of the units that come after those before."""
    return value.first(before + units) - value.first(before)


def _line(
    order: Order,
    line: Line,
    value: LineWorth,
    place: tuple[int, int],
    net: int,
    tax: int,
    names: Mapping[str, str],
) -> PrintedLine:
    before, units = place
    price, listed = printed_price(order, line)
    whole = listed - value.whole.goods
    # Rounded up, as what the units are worth is rounded down.
    discount = -whole * before // line.quantity - -whole * (before + units) // line.quantity
    return PrintedLine(
        line_id=line.line_id,
        sku=line.sku,
        description=names.get(line.sku) or line.sku,
        quantity=units,
        unit_price=price_text(price, order.currency),
        discount_minor=discount + _share(value, before, units).goods - net,
        net_minor=net,
        tax_minor=tax,
        total_minor=net + tax,
    )


_FINEST = Decimal("0.000001")


def printed_price(order: Order, line: Line) -> tuple[Decimal, int]:
    """A unit's price as it is printed, and what all units cost at it, in minor units.

    A shop whose system has whole minor units only rounds a price up, and takes the difference off
    as a discount of less than one minor unit for each unit. Nobody gave that discount: it becomes
    part of the price.
    """
    listed, discount = order.listed_minor(line), to_minor(line.discount, order.currency)
    net = listed - discount
    is_whole = -int(line.unit_price.normalize().as_tuple().exponent) <= decimals(order.currency)
    if is_whole and 0 < discount < line.quantity:
        price = (to_decimal(net, order.currency) / line.quantity).quantize(_FINEST, ROUND_HALF_UP)
        if worth_of_units(price, line.quantity, order.currency) == net:
            return price, net
    return line.unit_price, listed


def _invoices(units: LineUnits, earlier: Sequence[Earlier]) -> tuple[Reference, ...]:
    """The invoices that hold any of these lines; if none does, all invoices of the order."""
    invoices = [one for one in earlier if one.kind == "invoice"]
    about = [one for one in invoices if units.keys() & one.units.keys()] or invoices
    return tuple(Reference(number=one.number, issued_on=one.issued_on) for one in about)
