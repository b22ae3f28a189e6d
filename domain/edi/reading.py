"""What several documents have alike: parties, product numbers, loops of segments."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, datetime
from decimal import Decimal

from domain.edi.parsed import Segment, TransactionSet
from domain.edi.partners import Partner
from domain.edi.rules import number_of

Block = Sequence[Segment]
"""A segment that begins a loop, and those behind it."""


def first(segments: Sequence[Segment], tag: str, qualifier: str | None = None) -> Segment | None:
    """The first segment of a name, and with this first element where it is given."""
    found = (one for one in segments if one.tag == tag)
    return next((one for one in found if qualifier is None or one.at(1) == qualifier), None)


def header(document: TransactionSet, loop: str) -> Block:
    """The segments before the first line."""
    found: list[Segment] = []
    for one in document.segments:
        if one.tag == loop:
            break
        found.append(one)
    return found


def loops(
    document: TransactionSet, tag: str, ends: Sequence[str] = ("CTT", "SE")
) -> Iterator[Block]:
    """Each segment of this name with all that belongs to it."""
    block: list[Segment] = []
    for one in document.segments:
        if block and (one.tag == tag or one.tag in ends):
            yield block
            block = []
        if one.tag == tag or block:
            block.append(one)
    if block:
        yield block


def product_numbers(segment: Segment, begins: int) -> dict[str, str]:
    """Pairs of qualifier and number, from this element on."""
    rest = segment.elements[begins - 1 :]
    return {key: value for key, value in zip(rest[::2], rest[1::2], strict=False) if key and value}


def text_of(value: str, partner: Partner) -> str:
    """A text in the partner's character set; signs that it does not have become question marks."""
    return value.encode("latin-1", "replace").decode(partner.charset, "replace").replace("�", "?")


def day_of(text: str) -> date | None:
    """A day as X12 writes it; None where there is none."""
    if len(text) != 8 or not text.isdecimal():
        return None
    return datetime.strptime(text, "%Y%m%d").date()  # noqa: DTZ007  # a day has no time zone


def dated(segments: Sequence[Segment], *qualifiers: str) -> date | None:
    """The first day that a DTM with one of these qualifiers names."""
    for qualifier in qualifiers:
        found = first(segments, "DTM", qualifier)
        if found is not None and (day := day_of(found.at(2))) is not None:
            return day
    return None


def whole_units(quantity: str, unit: str, partner: Partner) -> int | str:
    """So many of our units; or why they cannot be told."""
    amount = number_of(quantity) if quantity else None
    if amount is None:
        return "it names no quantity"
    if unit not in partner.units:
        agreed = ", ".join(sorted(partner.units))
        return f"the unit of measure {unit or 'none'} is not agreed; {agreed} are"
    units = amount * partner.units[unit]
    if units != units.to_integral_value() or units < 0:
        return f"{quantity} {unit} are no whole number of units"
    return int(units)


def price_each(price: str, unit: str, partner: Partner) -> Decimal | None:
    """What one of our units costs; None where no price is told."""
    amount = number_of(price) if price else None
    return None if amount is None else partner.price_of(amount, unit)


def reason_of(block: Block) -> str:
    """The reason in words that a REF gives; empty where there is none."""
    found = first(block, "REF", "ZZ")
    return "" if found is None else found.at(3) or found.at(2)
