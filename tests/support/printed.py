"""What is to be read on a PDF of ours, by a reader that did not write it."""

from __future__ import annotations

from io import BytesIO
from typing import Any

import zxingcpp
from pypdf import PdfReader
from pypdfium2 import PdfDocument


def pages(pdf: bytes) -> list[str]:
    """The text of each page."""
    return [page.extract_text() for page in PdfReader(BytesIO(pdf)).pages]


def fonts(pdf: bytes) -> dict[str, bool]:
    """The fonts of all pages, and whether a font's letters are in the document."""
    found: dict[str, bool] = {}
    for page in PdfReader(BytesIO(pdf)).pages:
        resources: Any = page["/Resources"]
        for one in resources["/Font"].values():
            font: Any = one.get_object()
            name = str(font["/BaseFont"]).removeprefix("/").rsplit("+", 1)[-1]
            found[name] = "/FontFile2" in font.get("/FontDescriptor", {})
    return found


def barcodes(pdf: bytes) -> list[str]:
    """What a barcode reader reads on all pages, printed at 200 dots an inch, from top to bottom."""
    found: list[tuple[int, int, str]] = []
    document = PdfDocument(pdf)
    for number, page in enumerate(document):
        image = page.render(scale=200 / 72, grayscale=True).to_pil()
        found += [
            (number, code.position.top_left.y, code.text) for code in zxingcpp.read_barcodes(image)
        ]
    document.close()
    return [text for _, _, text in sorted(found)]
