"""Reads a customer's purchase order, 850, and its change, 860."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

from pydantic import ValidationError

from domain.edi.asked import AskedChange, AskedEdit, AskedLine, AskedOrder
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
    text_of,
    whole_units,
)
from domain.edi.rules import number_of
from domain.errors import InvalidInput
from domain.faults import faults
from domain.orders.order import Order

ORIGINALS: Final = ("00", "06", "07")
"""BEG01 of a new order, and of one that is sent again to be sure."""

NO_ORDERS: Final = {
    "BK": "a blanket order",
    "CF": "the confirmation of one",
    "IN": "a copy for information",
}
"""BEG02 of what nobody is to send goods for."""

_DELETES, _ADDS = "DI", "AI"


class Read:
    """An 850 as it was read: what was `asked`, and the order's document, where it can be one."""

    def __init__(self, asked: AskedOrder, document: dict[str, Any] | None) -> None:
        self.asked = asked
        self._document = document

    def order(self, known: frozenset[str]) -> tuple[AskedOrder, Order | None]:
        """The order of all lines whose SKUs are `known`, and what is said of each line.

        None: nothing of it can be taken, and `refused` says why.
        """
        if self._document is None:
            return self.asked, None
        wanted = {line["line_id"]: line for line in self._document["lines"]}
        lines = tuple(
            line
            if line.refused or wanted[line.line_id]["sku"] in known
            else line.model_copy(update={"refused": f"we do not sell {_named(line)}"})
            for line in self.asked.lines
        )
        asked = self.asked.model_copy(update={"lines": lines})
        taken = [wanted[line.line_id] for line in lines if not line.refused]
        if not taken:
            why = "none of its lines can be taken"
            return asked.model_copy(update={"refused": why}), None
        try:
            order = Order.model_validate({**self._document, "lines": taken})
        except ValidationError as error:
            why = "; ".join(f"{where} {what}" for _, where, what in faults(error, Order))
            return asked.model_copy(update={"refused": why}), None
        return asked, order

    @property
    def skus(self) -> list[str]:
        """All SKUs that it names."""
        return sorted({line["sku"] for line in (self._document or {}).get("lines", ())})


def read_order(document: TransactionSet, partner: Partner) -> Read:
    """An 850 without findings, as an order of the partner's channel."""
    begin = _needed(document, "BEG")
    head = header(document, "PO1")
    ordered_on = day_of(begin.at(5))
    assert ordered_on is not None  # The rules have looked.
    currency_in = first(head, "CUR")
    currency = currency_in.at(2) if currency_in else partner.currency or ""
    lines, wanted = [], []
    for place, block in enumerate(loops(document, "PO1"), start=1):
        line, entry = _line(block, place, partner)
        lines.append(line)
        wanted.append(entry)
    asked = AskedOrder(
        number=begin.at(3), ordered_on=ordered_on, currency=currency, lines=tuple(lines)
    )
    why = _not_agreed(document, begin, currency)
    if why:
        return Read(asked.model_copy(update={"refused": why}), None)
    document_of = {
        "channel": partner.channel,
        "channel_order_id": begin.at(3),
        "placed_at": ordered_on.isoformat(),
        "customer": {"id": partner.theirs.id, "name": partner.name, "company": partner.name},
        "currency": currency,
        "lines": wanted,
        "shipping": {"service": partner.service, "address": _address(head, "ST", partner)},
        "billing": _address(head, "BT", partner),
        "payment": {"provider": partner.provider, "token": partner.token},
    }
    day = dated(head, "002", "010", "037")
    if day is not None:
        document_of["requested_delivery_date"] = day.isoformat()
    return Read(asked, {key: value for key, value in document_of.items() if value is not None})


def _not_agreed(document: TransactionSet, begin: Segment, currency: str) -> str:
    """Why nothing of it can be taken, whatever its lines say; empty: it can."""
    if begin.at(1) not in ORIGINALS:
        return f"BEG01 is {begin.at(1)}: an order is changed or cancelled by an 860"
    if begin.at(2) in NO_ORDERS:
        return f"BEG02 is {begin.at(2)}: it is {NO_ORDERS[begin.at(2)]}, and orders nothing"
    if not currency:
        return "it names no currency (CUR), and none is agreed"
    charges = [one for one in document.segments if one.tag == "SAC" and one.at(1) in ("A", "C")]
    if charges:
        return "allowances and charges (SAC) are not agreed; leave them out of the order"
    return ""


def _line(block: Block, place: int, partner: Partner) -> tuple[AskedLine, dict[str, Any]]:
    """A line as it was asked for, and as a line of the order's document."""
    one = block[0]
    numbers = product_numbers(one, 6)
    unit = one.at(3) or "EA"
    line_id = one.at(1) or str(place)
    units = whole_units(one.at(2), unit, partner)
    price = None if isinstance(units, str) else price_each(one.at(4), unit, partner)
    sku = partner.sku_of(numbers)
    line = AskedLine(
        line_id=line_id,
        numbers=tuple(numbers.items()),
        quantity=number_of(one.at(2) or "0") or Decimal(0),
        unit=unit,
        price=number_of(one.at(4)) if one.at(4) else None,
    )
    if isinstance(units, str):
        why = units
    elif units == 0:
        why = "its quantity is 0"
    elif not sku:
        why = f"we do not know {_named(line)}"
    elif price is None:
        why = "it names no price"
    else:
        why = ""
    entry = {"line_id": line_id, "sku": sku, "quantity": units, "unit_price": price}
    if partner.tax_rate is not None:
        entry["tax_rate"] = partner.tax_rate
    return line.model_copy(update={"refused": why}), entry


def _named(line: AskedLine) -> str:
    return ", ".join(f"{key} {value}" for key, value in line.numbers) or "goods without a number"


def _address(head: Block, party: str, partner: Partner) -> dict[str, Any] | None:
    """Where a party is: as the order says, or as was agreed for its code."""
    block = _party(head, party)
    if not block:
        return None
    name, code = text_of(block[0].at(2), partner), block[0].at(4)
    street, city = first(block, "N3"), first(block, "N4")
    if street is None or city is None:
        known = partner.places.get(code)
        return None if known is None else known.model_dump(mode="json", exclude_none=True)
    found = {
        "name": name or partner.name,
        "line1": text_of(street.at(1), partner),
        "line2": text_of(street.at(2), partner),
        "city": text_of(city.at(1), partner),
        "region": city.at(2),
        "postal_code": city.at(3),
        "country": city.at(4)[:2] or partner.country,
    }
    return {key: value for key, value in found.items() if value}


def _party(head: Block, party: str) -> Sequence[Segment]:
    """The segments about one party."""
    found: list[Segment] = []
    for one in head:
        if one.tag == "N1":
            if found:
                break
            if one.at(1) == party:
                found.append(one)
        elif found:
            found.append(one)
    return found


def read_change(
    document: TransactionSet, partner: Partner, known: Mapping[str, AskedLine]
) -> AskedEdit:
    """An 860 without findings. `known`: line id → the line as it was ordered."""
    begin = _needed(document, "BCH")
    day = day_of(begin.at(6))
    assert day is not None  # The rules have looked.
    return AskedEdit(
        number=begin.at(3),
        release=begin.at(5),
        dated=day,
        cancels=begin.at(1) == "01",
        lines=tuple(
            _changed(block, place, partner, known)
            for place, block in enumerate(loops(document, "POC"), start=1)
        ),
    )


def _changed(
    block: Block, place: int, partner: Partner, known: Mapping[str, AskedLine]
) -> AskedChange:
    one = block[0]
    line_id, code = one.at(1) or str(place), one.at(2)
    before = known.get(line_id)
    numbers = product_numbers(one, 8) or dict(before.numbers if before else ())
    unit = one.at(5) or (before.unit if before else "EA")
    quantity = one.at(3)
    units: int | str | None = None
    if code == _DELETES:
        units = 0
    elif quantity:
        units = whole_units(quantity, unit, partner)
    why = units if isinstance(units, str) else ""
    if not why and before is None and code != _ADDS:
        why = f"the order has no line {line_id}"
    return AskedChange(
        line_id=line_id,
        code=code,
        sku=partner.sku_of(numbers),
        quantity=None if isinstance(units, str) else units,
        unit_price=None if code == _DELETES or why else price_each(one.at(6), unit, partner),
        asked=AskedLine(
            line_id=line_id,
            numbers=tuple(numbers.items()),
            quantity=Decimal(0) if code == _DELETES else number_of(quantity or "0") or Decimal(0),
            unit=unit,
            price=number_of(one.at(6)) if one.at(6) else None,
            refused=why,
        ),
    )


def _needed(document: TransactionSet, tag: str) -> Segment:
    found = first(document.segments, tag)
    if found is None:
        raise InvalidInput(f"{tag} is missing")
    return found
