"""A document as PDF, in the customer's language. The same document gives the same bytes.

Only the document itself is read: no clock, no settings, no random ids. Streams are not compressed,
because two versions of a compressor write different bytes.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from decimal import Decimal
from functools import partial
from itertools import accumulate
from typing import Any, Final

from reportlab.lib.units import mm
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import PageBreak, Paragraph, SimpleDocTemplate, Spacer, Table

from domain.accounting.documents import Issued, Party
from domain.accounting.printed_lines import PrintedLine
from domain.money import to_decimal
from runtime.papers.fonts import REGULAR, width
from runtime.papers.rates import beside_lines, by_rate, rate
from runtime.papers.sheet import INK, RULE, WIDTH, at_foot, build, text
from runtime.papers.words import WORDS, Words

_SIZE: Final = 8.5
_SMALL: Final = 7.0
_text: Final = partial(text, size=_SIZE)

# Description, quantity, unit price, discount, net, tax, total: shares of the page's width.
_COLUMNS: Final = tuple(share * WIDTH for share in (0.31, 0.08, 0.125, 0.11, 0.13, 0.115, 0.13))
_PADDING: Final = 3.0


def render(*documents: Issued) -> bytes:
    """The PDF, on as many A4 pages as it takes; of several documents, one behind the other."""
    lengths = [_build([one], [0])[1] for one in documents]
    return _build(documents, lengths)[0]


def _build(documents: Sequence[Issued], lengths: Sequence[int]) -> tuple[bytes, int]:
    """The PDF, with each document's number of pages at the foot of these; and all its pages."""
    first, last = documents[0], documents[-1]
    begins = [0, *accumulate(lengths[:-1])]  # pages before each document

    def foot(canvas: Canvas, template: SimpleDocTemplate) -> None:
        which = bisect_left(begins, template.page) - 1
        document, on = documents[which], template.page - begins[which]
        page = WORDS[document.language].page.format(page=on, pages=lengths[which])
        at_foot(canvas, _text(document.number, size=_SMALL))
        at_foot(canvas, _text(page, size=_SMALL, right=True))

    story: list[Any] = []
    for document in documents:
        story += [*([PageBreak()] if story else []), *_story(document, WORDS[document.language])]
    return build(
        story,
        foot,
        title=first.number if first is last else f"{first.number} – {last.number}",
        subject=f"{first.kind} {first.part_id}",
        author=first.seller.name,
    )


def _story(document: Issued, words: Words) -> list[Any]:
    parts = [_head(document, words), Spacer(0, 7 * mm), _parties(document, words)]
    if document.reason:
        parts += [Spacer(0, 5 * mm), _text(f"{words.reason}: {document.reason}")]
    said = words.currency.format(currency=document.currency)
    if document.prices_include_tax:
        said = f"{said}. {words.with_tax}."
    return [
        *parts,
        Spacer(0, 7 * mm),
        _text(said, size=_SMALL, grey=True),
        Spacer(0, 1.5 * mm),
        _lines(document, words),
        Spacer(0, 6 * mm),
        _sums(document, words),
    ]


def _head(document: Issued, words: Words) -> Table:
    """The title, and beside it the number and the dates of the document."""
    is_invoice, supplied_on = document.kind == "invoice", document.supplied_on
    facts = [
        (words.number, document.number),
        (words.issued_on, words.day_of(document.issued_on)),
        *([(words.supplied_on, words.day_of(supplied_on))] if supplied_on else []),
        (words.order, document.order_id),
        (words.ordered_on, words.day_of(document.ordered_on)),
        (words.shipment if is_invoice else words.refund, document.part_id),
        *(
            (
                "" if number else words.invoices,
                words.invoice_of.format(number=invoice.number, day=words.day_of(invoice.issued_on)),
            )
            for number, invoice in enumerate(document.invoices)
        ),
    ]
    title = _text(words.invoice if is_invoice else words.credit_note, size=20, bold=True)
    rows = [
        (title if number == 0 else "", _text(name, grey=True), _text(value))
        for number, (name, value) in enumerate(facts)
    ]
    return Table(
        rows,
        colWidths=[0.5 * WIDTH, 0.19 * WIDTH, 0.31 * WIDTH],
        style=[*_plain(), ("SPAN", (0, 0), (0, min(2, len(rows) - 1)))],
    )


def _parties(document: Issued, words: Words) -> Table:
    """The seller, the buyer, and the receiver of the goods if that is somebody else."""
    seller, buyer, receiver = document.seller, document.buyer, document.deliver_to
    blocks = [
        _party(words.seller, seller, words.tax_number),
        _party(words.buyer, buyer, words.customer),
    ]
    if receiver.name != buyer.name or receiver.address != buyer.address:
        blocks.append(_party(words.deliver_to, receiver, ""))
    return Table([blocks], colWidths=[WIDTH / len(blocks)] * len(blocks), style=_plain())


def _party(title: str, party: Party, number: str) -> list[Paragraph]:
    lines = [*party.address, *([number.format(number=party.number)] if party.number else [])]
    return [
        _text(title, size=_SMALL, grey=True),
        _text(party.name, bold=True),
        *(_text(line) for line in lines),
    ]


def _lines(document: Issued, words: Words) -> Table:
    """The sold or credited goods: a row per line, then the amounts that belong to no line."""
    amount = _Amounts(document, words)
    heads = (words.quantity, words.unit_price, words.discount, words.net, words.tax, words.gross)
    head = partial(_text, size=_SMALL, grey=True)
    rows: list[Sequence[Any]] = [
        [
            head(words.description),
            *(head(each, right=True) for each in heads),
        ]
    ]
    rows += [[_described(line, words), *amount.of_line(line)] for line in document.lines]
    for name, taxed, net, tax in beside_lines(document, words):
        rows.append([_with_small(name, taxed), "", "", "", *amount.row(net, tax)])
    style = [
        *_plain(padding=_PADDING),
        ("ALIGN", (1, 0), (-1, -1), "RIGHT"),
        ("FONT", (1, 1), (-1, -1), REGULAR, amount.size),
        ("TEXTCOLOR", (1, 1), (-1, -1), INK),
        ("LINEBELOW", (0, 0), (-1, 0), 0.8, INK),
        ("LINEBELOW", (0, 1), (-1, -1), 0.3, RULE),
    ]
    return Table(rows, colWidths=_COLUMNS, style=style, repeatRows=1)


def _described(line: PrintedLine, words: Words) -> list[Paragraph]:
    small = [] if line.description == line.sku else [line.sku]
    if line.tax_rate is not None:
        small.append(rate(words, line.tax_rate, line.tax_category))
    return _with_small(line.description, small)


def _with_small(name: str, small: Iterable[str]) -> list[Paragraph]:
    return [_text(name), *(_text(each, size=_SMALL, grey=True) for each in small)]


def _sums(document: Issued, words: Words) -> Table:
    """The tax summary, whose last row is the total, and the amount to pay or credited."""
    amount = _Amounts(document, words)
    taxes = by_rate(document, words)
    rounding = (
        [[_text(words.rounding), "", "", amount.shown(document.rounding_minor)]]
        if document.rounding_minor
        else []
    )
    head = partial(_text, size=_SMALL, grey=True)
    whole = words.invoice_total if document.kind == "invoice" else words.credit_total
    rows = [
        [
            head(words.tax_summary),
            *(head(each, right=True) for each in (words.net, words.tax, words.gross)),
        ],
        *([_text(name), *amount.row(net, tax)] for name, net, tax in taxes),
        [_text(words.sum), *amount.row(document.net_minor, document.tax_minor)],
        *rounding,
        [
            _text(whole, size=10.5, bold=True),
            _text(
                f"{amount.shown(document.total_minor)} {document.currency}",
                size=10.5,
                right=True,
                bold=True,
            ),
            "",
            "",
        ],
    ]
    columns = [0.3 * WIDTH, *_COLUMNS[-3:]]
    total = 1 + len(taxes)
    style = [
        *_plain(padding=_PADDING),
        ("ALIGN", (1, 0), (-1, -1), "RIGHT"),
        ("FONT", (1, 1), (-1, -2), REGULAR, amount.size),
        ("TEXTCOLOR", (1, 1), (-1, -2), INK),
        ("LINEBELOW", (0, 0), (-1, 0), 0.3, RULE),
        ("LINEABOVE", (0, total), (-1, total), 0.3, RULE),
        ("LINEABOVE", (0, -1), (-1, -1), 0.8, INK),
        ("SPAN", (1, -1), (-1, -1)),
        ("NOSPLIT", (0, 0), (-1, -1)),
    ]
    return Table(rows, colWidths=columns, style=style, hAlign="RIGHT")


class _Amounts:
    """Prints a document's amounts in one font size, in which each has room."""

    def __init__(self, document: Issued, words: Words) -> None:
        self._currency = document.currency
        self._words = words
        rows = [self.of_line(line) for line in document.lines]
        rows.append(["", "", "", *self.row(document.net_minor, document.tax_minor)])
        self.size = _SIZE / max(
            1.0,
            *(
                width(text, _SIZE) / (room - 2 * _PADDING)
                for row in rows
                for text, room in zip(row, _COLUMNS[1:], strict=True)
            ),
        )

    def shown(self, minor: int) -> str:
        """An amount such as 1,234.50, with as many decimals as the currency has."""
        return self._words.number_of(to_decimal(minor, self._currency))

    def row(self, net: int, tax: int) -> list[str]:
        return [self.shown(net), self.shown(tax), self.shown(net + tax)]

    def of_line(self, line: PrintedLine) -> list[str]:
        return [
            self._words.number_of(Decimal(line.quantity)),
            self._words.number_of(Decimal(line.unit_price)),
            self.shown(line.discount_minor),
            *self.row(line.net_minor, line.tax_minor),
        ]


def _plain(padding: float = 0.8) -> list[tuple[Any, ...]]:
    whole = ((0, 0), (-1, -1))
    return [
        ("VALIGN", *whole, "TOP"),
        ("LEFTPADDING", *whole, padding if padding > 1 else 0),
        ("RIGHTPADDING", *whole, padding if padding > 1 else 6),
        ("TOPPADDING", *whole, padding),
        ("BOTTOMPADDING", *whole, padding),
    ]
