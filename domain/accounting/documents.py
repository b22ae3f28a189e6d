"""The printed content of invoices and credit notes, put together once, at the issue.

An invoice is for a parcel, a credit note for a refund. The lines add up exactly to the worth that
the ledger books for the same parcel or refund. Shipping and fees are amounts of the whole document
and in none of its lines.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Literal
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict

from domain.accounting.printed_fees import PrintedFee, fees_of, shares_of
from domain.accounting.printed_lines import PrintedLine, lines_of
from domain.accounting.tax_rows import Room, TaxRow, rows_of, what_is_left
from domain.errors import Refused
from domain.orders.amounts import NOTHING, Worth
from domain.orders.order import Order
from domain.orders.placed import day_in
from domain.orders.quantities import LineUnits
from domain.sellers import Language, Seller, address_lines

Kind = Literal["invoice", "credit_note"]


class _Printed(BaseModel):
    model_config = ConfigDict(frozen=True)


class Party(_Printed):
    """A name and an address, line by line. `number`: a tax number, or the customer's id."""

    name: str
    address: tuple[str, ...]
    number: str = ""


class Reference(_Printed):
    """An invoice that a credit note refers to."""

    number: str
    issued_on: date


class Content(_Printed):
    """Everything that is printed except the number and its date. Amounts in minor units.

    net = lines − restocking + allowance + shipping + fees, tax likewise, and net + tax + rounding =
    total. `restocking`: the fee for taking goods back, which is not credited. `allowance`: the
    credit for no unit in particular. `fees`: all of the order's, each with its
    share. `taxes`: net and tax by rate. `reason` and `invoices` are a credit note's.
    """

    kind: Kind
    language: Language
    order_id: str
    part_id: str
    ordered_on: date
    supplied_on: date | None
    currency: str
    prices_include_tax: bool
    seller: Party
    buyer: Party
    deliver_to: Party
    lines: tuple[PrintedLine, ...]
    allowance_minor: int
    allowance_tax_minor: int
    restocking_minor: int = 0
    restocking_tax_minor: int = 0
    shipping_minor: int
    shipping_tax_minor: int
    shipping_tax_rate: str | None = None
    shipping_tax_category: str | None = None
    fees: tuple[PrintedFee, ...] = ()
    taxes: tuple[TaxRow, ...]
    net_minor: int
    tax_minor: int
    rounding_minor: int
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
    taxes: tuple[TaxRow, ...] = ()
    shipping_minor: int = 0
    shipping_tax_minor: int = 0
    fees: tuple[PrintedFee, ...] = ()
    rounding_minor: int = 0
    buyer: Party | None = None
    """Of an order whose person was erased: its invoices have the buyer still."""
    deliver_to: Party | None = None

    @property
    def beside_goods_minor(self) -> int:
        """Its shipping and its fees, without tax."""
        return self.shipping_minor + sum(fee.net_minor for fee in self.fees)


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
    restocking: Worth = NOTHING,
    reason: str = "",
    about: str | None = None,
) -> Content:
    """The content of a document about `units` that are worth `worth`.

    `names`: SKU → its name. `earlier`: the order's documents until now. `restocking`: a fee for
    taking goods back, of which `worth` is the rest. `about`: the line whose price a credit for no
    unit lowers. Raises Refused for
    negative amounts, and for units that the order does not have or that have a document already.
    """
    if min(worth.goods, worth.tax, worth.shipping, worth.shipping_tax) < 0:
        raise Refused(
            f"{part_id}: an amount of {worth} is negative; documents only have positive ones"
        )
    units = {line_id: count for line_id, count in units.items() if count}
    before = [one for one in earlier if one.kind == kind]
    room = _room(kind, earlier)
    lines, rounding = lines_of(
        order,
        units,
        worth + restocking,
        [one.units for one in before],
        part_id,
        names=names or {},
        room=room,
    )
    # Without lines, the goods' amount cannot be spread.
    allowance = Worth() if lines else Worth(goods=worth.goods - rounding, tax=worth.tax)
    beside_goods = shares_of(order, worth, kind=kind, earlier=earlier)
    shipping = beside_goods[0]
    taxes = rows_of(
        *(order, lines, beside_goods, allowance), about=about, room=room, restocking=restocking
    )
    known = next((one for one in earlier if one.buyer), None)
    sent_to = order.shipping.address
    billed = order.billing or sent_to
    company = order.customer.company or (order.billing and order.billing.company)
    buyer = order.billing.name if order.billing else order.customer.name
    return Content(
        kind=kind,
        language=seller.language_for(order.customer.locale),
        order_id=order.order_id,
        part_id=part_id,
        ordered_on=day_in(order.placed_at, ZoneInfo(seller.time_zone)),
        supplied_on=supplied_on,
        currency=order.currency,
        prices_include_tax=order.prices_include_tax,
        seller=Party(
            name=seller.name, address=seller.address, number=", ".join(seller.tax_numbers)
        ),
        buyer=(known and known.buyer)
        or Party(
            name=company or buyer,
            address=(
                *([buyer] if company else []),
                *(address_lines(billed) if billed else ()),
                *([order.customer.tax_number] if order.customer.tax_number else []),
            ),
            number=order.customer.id,
        ),
        deliver_to=(known and known.deliver_to)
        or Party(
            name=sent_to.name if sent_to else company or buyer,
            address=address_lines(sent_to) if sent_to else (),
        ),
        lines=lines,
        allowance_minor=allowance.goods,
        allowance_tax_minor=allowance.tax,
        restocking_minor=restocking.goods,
        restocking_tax_minor=restocking.tax,
        shipping_minor=shipping.net,
        shipping_tax_minor=shipping.tax,
        shipping_tax_rate=shipping.rate,
        shipping_tax_category=shipping.category,
        fees=fees_of(order, beside_goods),
        taxes=taxes,
        net_minor=worth.goods + worth.shipping - rounding,
        tax_minor=worth.tax + worth.shipping_tax,
        rounding_minor=rounding,
        total_minor=worth.total,
        reason=reason,
        invoices=_invoices(units, earlier) if kind == "credit_note" else (),
    )


def _room(kind: Kind, earlier: Sequence[Earlier]) -> Room | None:
    """What is invoiced and not credited, and so may be credited; None: that is not known."""
    known = any(one.taxes or one.rounding_minor for one in earlier)
    if kind == "invoice" or not known:
        return None
    return what_is_left(
        (one.kind == "invoice", one.taxes, one.beside_goods_minor, one.rounding_minor)
        for one in earlier
    )


def _invoices(units: LineUnits, earlier: Sequence[Earlier]) -> tuple[Reference, ...]:
    """The invoices that hold any of these lines; if none does, all invoices of the order."""
    invoices = [one for one in earlier if one.kind == "invoice"]
    about = [one for one in invoices if units.keys() & one.units.keys()] or invoices
    return tuple(Reference(number=one.number, issued_on=one.issued_on) for one in about)
