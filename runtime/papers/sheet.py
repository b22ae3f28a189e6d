"""What all papers have in common: pages, text in every script, tables, barcodes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from io import BytesIO
from typing import Any, Final

from reportlab.graphics.barcode.code128 import Code128
from reportlab.graphics.barcode.qr import QrCodeWidget
from reportlab.graphics.shapes import Drawing
from reportlab.lib.colors import HexColor
from reportlab.lib.enums import TA_LEFT, TA_RIGHT
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import Flowable, Paragraph, SimpleDocTemplate, Table

from runtime.papers.fonts import REGULAR, markup

MARGIN: Final = 16 * mm
WIDTH: Final = A4[0] - 2 * MARGIN
_FRAME: Final = 6.0  # Reportlab keeps this free at each side by itself.
INK: Final = HexColor("#1a1a1a")
_GREY: Final = HexColor("#666666")
RULE: Final = HexColor("#b8b8b8")

BAR_LETTERS_MAX: Final = 26
"""More would make bars so wide that no hand-held reader sees both ends."""

_BAR: Final = 0.28 * mm
_BAR_HEIGHT: Final = 9 * mm
_SQUARE: Final = 22 * mm


def text(
    content: str,
    size: float = 10,
    *,
    bold: bool = False,
    grey: bool = False,
    right: bool = False,
) -> Paragraph:
    """A paragraph, in letters of whatever script."""
    style = ParagraphStyle(
        "text",
        fontName=REGULAR,
        fontSize=size,
        leading=size * 1.3,
        textColor=_GREY if grey else INK,
        splitLongWords=1,
        alignment=TA_RIGHT if right else TA_LEFT,
    )
    return Paragraph(markup(content, bold=bold), style)


def barcode(content: str) -> Flowable:
    """Code 128 where it can say it and is short enough to be read; otherwise a QR code."""
    if len(content) <= BAR_LETTERS_MAX and content.isascii() and content.isprintable():
        return Code128(content, barWidth=_BAR, barHeight=_BAR_HEIGHT, quiet=True, lquiet=10 * _BAR)
    square = QrCodeWidget(content, barWidth=_SQUARE, barHeight=_SQUARE, barLevel="M")
    drawing = Drawing(_SQUARE, _SQUARE)
    drawing.add(square)
    return drawing


def grid(
    rows: Sequence[Sequence[Any]], shares: Sequence[float], *, head: bool, top: bool = False
) -> Table:
    """A table over the page's width, with a line below each row. `top`: cells begin alike."""
    whole = ((0, 0), (-1, -1))
    style = [
        ("VALIGN", *whole, "TOP" if top else "MIDDLE"),
        ("LINEBELOW", *whole, 0.3, RULE),
        ("TOPPADDING", *whole, 4),
        ("BOTTOMPADDING", *whole, 4),
        *([("LINEBELOW", (0, 0), (-1, 0), 0.8, INK)] if head else []),
    ]
    return Table(
        rows,
        colWidths=[share * WIDTH for share in shares],
        style=style,
        repeatRows=1 if head else 0,
    )


Foot = Callable[[Canvas, SimpleDocTemplate], None]
"""Draws what stands at the foot of a page."""


def at_foot(canvas: Canvas, line: Paragraph) -> None:
    """Draw this line at the foot of the page."""
    line.wrapOn(canvas, WIDTH, MARGIN)
    line.drawOn(canvas, MARGIN, MARGIN)


def build(
    story: Sequence[Flowable], foot: Foot, *, title: str, author: str, subject: str = ""
) -> tuple[bytes, int]:
    """The PDF, on as many A4 pages as it takes, and how many. The same story, the same bytes."""
    out = BytesIO()
    sheet = SimpleDocTemplate(
        out,
        pagesize=A4,
        leftMargin=MARGIN - _FRAME,
        rightMargin=MARGIN - _FRAME,
        topMargin=MARGIN,
        bottomMargin=MARGIN + 8 * mm,
        title=title,
        subject=subject,
        author=author,
        invariant=1,
        pageCompression=0,
    )
    sheet.build(list(story), onFirstPage=foot, onLaterPages=foot)
    return out.getvalue(), sheet.page


def pages(story: Sequence[Flowable], *, title: str, author: str, page: str) -> bytes:
    """The PDF, with its title and the number of the page at the foot of each."""

    def foot(canvas: Canvas, template: SimpleDocTemplate) -> None:
        at_foot(canvas, text(f"{title}   {page.format(page=template.page)}", 7, grey=True))

    return build(story, foot, title=title, author=author)[0]
