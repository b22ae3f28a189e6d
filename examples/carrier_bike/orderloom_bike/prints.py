"""A label in both formats: PDF for office printers, ZPL for label printers."""

from __future__ import annotations

from dataclasses import dataclass
from io import BytesIO

from reportlab.graphics.barcode.code128 import Code128
from reportlab.lib.units import inch, mm
from reportlab.pdfgen.canvas import Canvas

from domain.fulfilment.label_files import LabelFile
from domain.letters import nearest_ascii


@dataclass(frozen=True)
class Ride:
    """What stands on a label."""

    number: str
    fulfilment_id: str
    service: str
    country: str
    postal_code: str

    @property
    def lines(self) -> tuple[str, ...]:
        """The text, from top to bottom."""
        return (
            f"BIKE {self.service}",
            f"{self.country} {self.postal_code}".rstrip(),
            self.fulfilment_id,
            self.number,
        )


def label_files(ride: Ride) -> tuple[LabelFile, ...]:
    """The same label gives the same bytes: a reprint is the label that was on the parcel."""
    return (
        LabelFile(media_type="application/pdf", content=_pdf(ride)),
        LabelFile(media_type="application/zpl", content=_zpl(ride)),
    )


def _pdf(ride: Ride) -> bytes:
    out = BytesIO()
    canvas = Canvas(out, pagesize=(4 * inch, 6 * inch), invariant=1, pageCompression=0)
    canvas.setFont("Helvetica", 14)
    for place, line in enumerate(ride.lines):
        canvas.drawString(8 * mm, (5.5 - 0.4 * place) * inch, nearest_ascii(line))
    Code128(ride.number, barWidth=0.45 * mm, barHeight=25 * mm).drawOn(canvas, 2 * mm, 1 * inch)
    canvas.save()
    return out.getvalue()


def _zpl(ride: Ride) -> bytes:
    text = "".join(
        f"^FO40,{40 + 60 * place}^A0N,40,40^FD{_plain(line)}^FS"
        for place, line in enumerate(ride.lines)
    )
    return f"^XA^CI28{text}^FO40,400^BCN,200,Y,N,N^FD{ride.number}^FS^XZ\n".encode()


def _plain(line: str) -> str:
    """Without the signs that a ZPL printer obeys."""
    return line.replace("^", " ").replace("~", " ")
