"""Codes on a warehouse's papers, as a reader of barcodes sees them."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runtime.papers.sheet import BAR_LETTERS_MAX, barcode, grid, pages, text
from tests.support.printed import barcodes


def read_back(*contents: str) -> list[str]:
    rows = [[text("code"), barcode(content)] for content in contents]
    return barcodes(pages([grid(rows, (0.55, 0.45), head=False)], title="", author="", page=""))


@pytest.mark.parametrize(
    "content",
    [
        "web-1001:1",
        "A",
        "W" * BAR_LETTERS_MAX,
        "W" * (BAR_LETTERS_MAX + 1),
        "0" * 100,
        "(A) 50% \\ ~",
        "tee-größe-ü",
        "사과-빨강",
        "№7",
        "👕-XL",
        "e\u0301te\u0301",  # in two letters, and to be found so
    ],
)
def test_a_code_is_read_back_as_it_was_written(content: str) -> None:
    assert read_back(content) == [content]


PRINTABLE = st.characters(codec="utf-8", categories=("L", "N", "P", "S", "Zs"))


@given(st.text(PRINTABLE, min_size=1, max_size=100).filter(lambda sku: sku == sku.strip()))
@settings(max_examples=20, deadline=None)
def test_whatever_a_sku_is_called_its_code_is_read_back(sku: str) -> None:
    assert read_back(sku) == [sku]
