"""Labels of many parcels as one PDF, each as its carrier made it."""

from __future__ import annotations

from collections.abc import Sequence
from io import BytesIO
from typing import Final

from pypdf import PdfReader, PdfWriter
from pypdf.errors import PyPdfError
from reportlab.lib.units import inch
from reportlab.lib.utils import ImageReader
from reportlab.pdfgen.canvas import Canvas

from domain.errors import Refused
from domain.fulfilment.label_files import KeptFile

_PAPER: Final = ("pdf", "png")
_SIZE: Final = (4 * inch, 6 * inch)
"""Of a label that is a picture."""


def check_paper(fulfilment_id: str, file: KeptFile) -> None:
    """Raises Refused for a label that a printer of paper does not take, or that cannot be read."""
    if file.format not in _PAPER:
        raise Refused(
            f"the label of {fulfilment_id} is {file.format}, for a printer of labels: "
            f"orderloom warehouse label {fulfilment_id}"
        )
    _pages(file)


def labels_pdf(files: Sequence[KeptFile]) -> bytes:
    """All of them, one behind the other."""
    writer, out = PdfWriter(), BytesIO()
    for file in files:
        for page in _pages(file).pages:
            writer.add_page(page)
    writer.write(out)
    return out.getvalue()


def _pages(file: KeptFile) -> PdfReader:
    try:
        content = file.content if file.format == "pdf" else _drawn(file.content)
        found = PdfReader(BytesIO(content))
        len(found.pages)
    except (PyPdfError, OSError, ValueError) as odd:
        raise Refused(f"the file of a label cannot be read: {odd}") from None
    return found


def _drawn(picture: bytes) -> bytes:
    out = BytesIO()
    sheet = Canvas(out, pagesize=_SIZE)
    image = ImageReader(BytesIO(picture))
    sheet.drawImage(image, 0, 0, *_SIZE, preserveAspectRatio=True)
    sheet.save()
    return out.getvalue()
