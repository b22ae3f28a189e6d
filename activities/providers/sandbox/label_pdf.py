"""The sandbox carrier's label as a PDF of one small page.

It is written out by hand, because a label is drawn for every parcel, and a library would take
longer for it than all the rest of the sandbox. It has no barcode: nothing scans it.
"""

from __future__ import annotations

from typing import Final

from domain.letters import nearest_ascii
from store.sandbox.companies import SoldLabel

_INCH: Final = 72
_WIDTH: Final = 4 * _INCH
_HEIGHT: Final = 6 * _INCH


def label_pdf(label: SoldLabel) -> bytes:
    """The label, 4 by 6 inches. The same label gives the same bytes."""
    text = [
        (24, f"{label.carrier} {label.service}"),
        (12, f"to {label.country} {label.postal_code or ''}".rstrip()),
        (24, label.tracking_number),
        (12, label.fulfilment_id),
        (12, ", ".join(_packed(label))),
        (12, "SANDBOX - NOT FOR SHIPPING"),
    ]
    top = _HEIGHT - 36
    drawn = []
    for size, line in text:
        top -= 2 * size
        drawn.append(f"BT /F {size} Tf 24 {top} Td ({_literal(line)}) Tj ET")
    page = "\n".join(drawn).encode("ascii")
    return _file(
        [
            b"<< /Type /Catalog /Pages 2 0 R >>",
            b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
            f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 {_WIDTH} {_HEIGHT}] /Contents 4 0 R"
            " /Resources << /Font << /F 5 0 R >> >> >>".encode(),
            b"<< /Length %d >>\nstream\n%s\nendstream" % (len(page), page),
            b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
        ]
    )


def _packed(label: SoldLabel) -> list[str]:
    """Its weight and its box, as far as they are known."""
    weight = [] if label.grams is None else [f"{label.grams / 1000:.3f} kg"]
    return weight if label.box is None else [*weight, f"box {label.box}"]


def _literal(text: str) -> str:
    ascii_text = nearest_ascii(text)
    return ascii_text.replace("\\", "\\\\").replace("(", "\\(").replace(")", "\\)")


def _file(objects: list[bytes]) -> bytes:
    """The objects, numbered from 1, as a PDF file: each place is in the table at its end."""
    out = bytearray(b"%PDF-1.4\n")
    places = []
    for number, content in enumerate(objects, start=1):
        places.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, content)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    count, start = len(objects) + 1, len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n%s" % (count, table)
    out += b"trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (count, start)
    return bytes(out)
