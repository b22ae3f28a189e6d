"""Our purchase orders, 850, and their end, 860, as suppliers get them; and what suppliers answer.

A purchase order has one line for each SKU; its lines are numbered from 1, in their sequence.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Final

from domain.edi.parsed import Segment, TransactionSet
from domain.edi.partners import Partner
from domain.edi.reading import (
    Block,
    dated,
    day_of,
    first,
    header,
    loops,
    price_each,
    product_numbers,
    reason_of,
    whole_units,
)
from domain.edi.rules import number_of
from domain.edi.written import Written, cut
from domain.errors import InvalidInput
from domain.purchasing.purchase_orders import PurchaseDocument

NUMBER_MAX: Final = 22
"""BEG03 has no room for a longer number."""

_REFUSED: Final = ("IR", "ID", "IS")
"""ACK01: rejected, deleted, or something else is sent instead, which nobody has asked for."""


def purchase_order(partner: Partner, order: PurchaseDocument, *, buyer: str) -> list[Written]:
    """The 850 of a purchase order. What goes to a customer of ours is a drop shipment (DS)."""
    kind = "SA" if order.ship_to is None else "DS"
    body: list[Written] = [
        ("BEG", "00", kind, order.po_id, "", order.ordered_on),
        ("CUR", "BY", order.currency),
        ("DTM", "002", max(line.due_on for line in order.lines)),
        ("N1", "BY", cut(buyer, 60) or "BUYER", "92", partner.ours.id),
        ("N1", "SU", cut(order.supplier_name, 60) or "SUPPLIER", "92", partner.theirs.id),
        *_ship_to(order),
    ]
    for number, line in enumerate(order.lines, start=1):
        qualifier, name = partner.numbers_of(line.sku)
        own = () if name == line.sku else ("BP", line.sku)
        price = line.unit_price
        body.append(("PO1", number, line.quantity, "EA", price, "", qualifier, name, *own))
    return [*body, ("CTT", len(order.lines))]


def _ship_to(order: PurchaseDocument) -> Iterator[Written]:
    to = order.ship_to
    if to is None:
        yield ("N1", "ST", cut(order.deliver_to, 60), "92", order.deliver_to.zfill(2))
        return
    region = to.region if to.region and len(to.region) == 2 else ""
    yield ("N1", "ST", cut(to.name, 60) or "RECEIVER")
    yield ("N3", cut(to.line1, 55), cut(to.line2 or "", 55))
    postal = (to.postal_code or "").strip()
    yield ("N4", cut(to.city, 30), region, postal[:15] if len(postal) > 2 else "", to.country)


def cancellation(po_id: str, ordered_on: date, currency: str, *, today: date) -> list[Written]:
    """The 860 that takes a whole purchase order back."""
    return [
        ("BCH", "01", "SA", po_id, "", "1", ordered_on, "", "", "", "", today),
        ("CUR", "BY", currency),
        ("CTT", 0),
    ]


@dataclass(frozen=True)
class OrderedLine:
    """A line of ours: what was ordered, at what price of a unit, and for which day."""

    sku: str
    quantity: int
    unit_price: Decimal
    due_on: date


@dataclass(frozen=True)
class ConfirmedLine:
    """What a supplier says of a SKU: units that it will send, and when the last of them comes."""

    sku: str
    quantity: int
    due_on: date


@dataclass(frozen=True)
class Confirmed:
    """An 855, or an 865. `refused`: why nothing is sent. `differs`: what a person should know."""

    po_id: str
    lines: tuple[ConfirmedLine, ...]
    refused: str = ""
    differs: tuple[str, ...] = ()


def confirmed(
    document: TransactionSet, partner: Partner, ordered: Sequence[OrderedLine]
) -> Confirmed:
    """What an 855 without findings says about an order of ours."""
    begin = first(document.segments, "BAK")
    assert begin is not None  # The rules have looked.
    lines: list[ConfirmedLine] = []
    differs: list[str] = []
    blocks = list(loops(document, "PO1"))
    for block in blocks:
        line = _line_of(block[0], 6, partner, ordered)
        said, odd = _confirmed_line(block, partner, line)
        lines.append(said)
        differs += odd
    refused = begin.at(2) in ("RD", "RJ") and not any(line.quantity for line in lines)
    if not blocks and not refused:
        lines = [ConfirmedLine(one.sku, one.quantity, one.due_on) for one in ordered]
    why = reason_of(header(document, "PO1")) or "; ".join(differs) or f"BAK02 is {begin.at(2)}"
    return Confirmed(begin.at(3), tuple(lines), why if refused else "", tuple(differs))


def _confirmed_line(
    block: Block, partner: Partner, line: OrderedLine
) -> tuple[ConfirmedLine, list[str]]:
    """Units and day of one line, and what of it is not as it was ordered."""
    answers = [one for one in block if one.tag == "ACK"]
    unit = block[0].at(3) or "EA"
    units, days, differs = 0, [line.due_on] if not answers else [], list[str]()
    for one in answers:
        if one.at(1) in _REFUSED:
            continue
        count = whole_units(one.at(2) or block[0].at(2), one.at(3) or unit, partner)
        if isinstance(count, str):
            raise InvalidInput(f"{line.sku}: {count}")
        units += count
        day = day_of(one.at(5))
        if day is not None:
            days.append(day)
    if not answers:
        units = line.quantity
    due_on = max(days) if days else dated(block, "067", "068", "002") or line.due_on
    reason = reason_of(block)
    if units < line.quantity:
        why = f": {reason}" if reason else ""
        differs.append(f"{units} of {line.quantity} {line.sku} are confirmed{why}")
    if units > line.quantity:
        differs.append(f"{units} {line.sku} are confirmed, and {line.quantity} were ordered")
    price = price_each(block[0].at(4), unit, partner) if unit in partner.units else None
    if price is not None and price != line.unit_price and units:
        differs.append(f"{line.sku} costs {price:f}, and was ordered at {line.unit_price:f}")
    return ConfirmedLine(line.sku, min(units, line.quantity), due_on), differs


def _line_of(
    segment: Segment, begins: int, partner: Partner, ordered: Sequence[OrderedLine]
) -> OrderedLine:
    """The line of ours that is meant: by the number of its goods, or by its own number."""
    sku = partner.sku_of(product_numbers(segment, begins))
    found = [one for one in ordered if one.sku == sku]
    place = segment.at(1)
    if not found and place.isdecimal() and 1 <= int(place) <= len(ordered):
        found = [ordered[int(place) - 1]]
    if not found:
        raise InvalidInput(
            f"segment {segment.number}: the order has no line {place} {sku}".rstrip()
        )
    return found[0]


@dataclass(frozen=True)
class Noticed:
    """An 856: what was sent of one order. `units`: SKU → units of ours."""

    shipment_id: str
    po_id: str
    carrier: str
    tracking_number: str
    units: dict[str, int]


def noticed_order(document: TransactionSet) -> str:
    """The purchase order that an 856 is about. Raises InvalidInput for several in one."""
    found = sorted({one.at(1) for one in document.segments if one.tag == "PRF"})
    if len(found) != 1:
        raise InvalidInput(f"is about {len(found)} orders: {', '.join(found)}; send one for each")
    return found[0]


def noticed(document: TransactionSet, partner: Partner, ordered: Sequence[OrderedLine]) -> Noticed:
    """What an 856 without findings says: its levels are flat for us, as it is of one order."""
    begin, routing = first(document.segments, "BSN"), first(document.segments, "TD5")
    assert begin is not None  # The rules have looked.
    tracking = first(document.segments, "REF", "CN") or first(document.segments, "REF", "BM")
    units: dict[str, int] = {}
    for block in loops(document, "LIN", ends=("HL", "CTT", "SE")):
        count = first(block, "SN1")
        if count is None:
            continue
        line = _line_of(block[0], 2, partner, ordered)
        sent = whole_units(count.at(2), count.at(3), partner)
        if isinstance(sent, str):
            raise InvalidInput(f"{line.sku}: {sent}")
        units[line.sku] = units.get(line.sku, 0) + sent
    return Noticed(
        shipment_id=begin.at(2),
        po_id=noticed_order(document),
        carrier=(routing.at(5) or routing.at(3)) if routing else "",
        tracking_number=tracking.at(2) if tracking else begin.at(2),
        units=units,
    )


@dataclass(frozen=True)
class BilledLine:
    """Units of a SKU on a bill, and the price of each."""

    sku: str
    quantity: int
    unit_price: Decimal


@dataclass(frozen=True)
class Billed:
    """An 810. `total`, `tax` and `beside` (charges less allowances) as decimals.

    `is_credit`: it gives back; its units and amounts are above zero all the same. `currency`: that
    it names, or "".
    """

    number: str
    day: date
    po_id: str
    lines: tuple[BilledLine, ...]
    total: Decimal
    tax: Decimal
    beside: Decimal
    is_credit: bool = False
    currency: str = ""

    @property
    def sum(self) -> Decimal:
        """What its parts come to."""
        goods = sum((line.quantity * line.unit_price for line in self.lines), Decimal(0))
        return goods + self.tax + self.beside


def billed(document: TransactionSet, partner: Partner, ordered: Sequence[OrderedLine]) -> Billed:
    """What an 810 without findings says."""
    begin, total = first(document.segments, "BIG"), first(document.segments, "TDS")
    assert begin is not None and total is not None  # noqa: PT018  # The rules have looked for both.
    day = day_of(begin.at(1))
    assert day is not None
    in_currency, is_credit = first(document.segments, "CUR"), begin.at(7) == "CR"
    sign = -1 if is_credit and total.at(1).startswith("-") else 1
    return Billed(
        number=begin.at(2),
        day=day,
        po_id=begin.at(4),
        lines=tuple(
            _billed_line(block, partner, ordered, is_credit=is_credit)
            for block in loops(document, "IT1", ends=("TDS", "CTT", "SE"))
        ),
        total=sign * Decimal(total.at(1)) / 100,
        tax=sign * _sum(document, "TXI", 2, hundredths=False),
        beside=sign * _sum(document, "SAC", 5, hundredths=True),
        is_credit=is_credit,
        currency=in_currency.at(2) if in_currency else "",
    )


def _billed_line(
    block: Block, partner: Partner, ordered: Sequence[OrderedLine], *, is_credit: bool
) -> BilledLine:
    """A line. Of a credit note some write units below zero, and others do not: both are read."""
    one = block[0]
    line = _line_of(one, 6, partner, ordered)
    unit = one.at(3) or "EA"
    quantity = one.at(2).removeprefix("-") if is_credit else one.at(2)
    units = whole_units(quantity, unit, partner)
    if isinstance(units, str):
        raise InvalidInput(f"{line.sku}: {units}")
    return BilledLine(line.sku, units, price_each(one.at(4), unit, partner) or Decimal(0))


def _sum(document: TransactionSet, tag: str, place: int, *, hundredths: bool) -> Decimal:
    """All amounts of one kind; allowances are taken off."""
    found = Decimal(0)
    for one in document.segments:
        if one.tag == tag and not (tag == "SAC" and one.at(1) not in ("A", "C")):
            amount = number_of(one.at(place) or "0") or Decimal(0)
            found += -amount if tag == "SAC" and one.at(1) == "A" else amount
    return found / 100 if hundredths else found
