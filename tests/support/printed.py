"""What is to be read on a PDF of ours, by a reader that did not write it."""

from __future__ import annotations

from io import BytesIO
from typing import Any

from pypdf import PdfReader


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
