"""What a customer is billed: the 810 of an invoice, and that of a credit note."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta
from decimal import Decimal

from domain.accounting.documents import Issued
from domain.accounting.printed_lines import PrintedLine
from domain.edi.answers import counted
from domain.edi.asked import AskedOrder
from domain.edi.partners import Partner
from domain.edi.written import Written, cut
from domain.money import to_decimal

_REASON_MAX = 80


def invoice(
    partner: Partner, asked: AskedOrder, issued: Issued, *, our_number: str
) -> list[Written]:
    """The 810. Its total is its lines, what is off or on them, and the tax.

    Prices are without tax, as they were ordered. All that a credit note gives back is below zero,
    so the totals of all 810s about an order add up to what is owed.
    """
    currency = issued.currency
    sign = -1 if issued.kind == "credit_note" else 1
    lines = [_line(partner, asked, line, sign) for line in issued.lines]
    goods = sum(amount for _, amount in lines)
    net = sign * _cents(to_decimal(issued.net_minor + issued.rounding_minor, currency))
    shipping = sign * _cents(to_decimal(issued.shipping_minor, currency))
    tax = sign * to_decimal(issued.tax_minor, currency)
    return [
        *_header(partner, asked, issued, our_number),
        *(line for line, _ in lines),
        ("TDS", sign * _cents(to_decimal(issued.total_minor, currency))),
        *([("TXI", "TX", tax)] if tax else []),
        *_beside(shipping, "D240", "D240"),
        *_beside(net - goods - shipping, "D500", "C310"),
        ("CTT", len(lines)),
    ]


def _header(
    partner: Partner, asked: AskedOrder, issued: Issued, our_number: str
) -> Iterator[Written]:
    is_credit = issued.kind == "credit_note"
    number, kind = issued.number[:22], "CR" if is_credit else "DI"
    yield ("BIG", issued.issued_on, number, asked.ordered_on, asked.number, "", "", kind, "00")
    yield ("CUR", "SE", issued.currency)
    yield ("REF", "VN", our_number[:30])
    if is_credit:
        for one in issued.invoices[:11]:  # So many REF may stand in a header, with VN.
            yield ("REF", "IV", one.number[:30])
        if issued.reason:
            yield ("REF", "ZZ", "", cut(issued.reason, _REASON_MAX))
    else:
        yield ("REF", "SI", issued.part_id[-30:])
    yield ("N1", "SE", cut(issued.seller.name, 60) or "SELLER")
    yield ("N1", "BT", cut(partner.name, 60), "92", partner.theirs.id)
    if partner.payment_days is not None and not is_credit:
        due = issued.issued_on + timedelta(days=partner.payment_days)
        yield ("ITD", "01", "3", "", "", "", due, partner.payment_days)


def _line(partner: Partner, asked: AskedOrder, line: PrintedLine, sign: int) -> tuple[Written, int]:
    """IT1, and what it comes to in hundredths."""
    known = asked.line(line.line_id)
    unit, price, told_as = "EA", Decimal(line.unit_price), line.line_id
    numbers: Sequence[str] = partner.numbers_of(line.sku)
    count = Decimal(line.quantity)
    if known is not None and known.price is not None and known.unit in partner.units:
        count, unit = counted(partner, known, line.quantity)
        told_as = known.told
        price = known.price if unit == known.unit else partner.price_of(known.price, known.unit)
        numbers = [part for pair in known.numbers for part in pair]
    amount = sign * _cents(count * price)
    return ("IT1", told_as, sign * count, unit, price, "", *numbers), amount


def _beside(amount: int, charge: str, allowance: str) -> Iterator[Written]:
    """SAC: a charge above zero, an allowance below."""
    if amount:
        sign, code = ("C", charge) if amount > 0 else ("A", allowance)
        yield ("SAC", sign, code, "", "", abs(amount))


def _cents(amount: Decimal) -> int:
    """An amount in hundredths, as N2 elements have it, whatever the currency's smallest coin is."""
    return int((amount * 100).quantize(Decimal(1), rounding="ROUND_HALF_UP"))
