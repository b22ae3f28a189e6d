"""What a purchase order may be, and what its X12 document says."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from domain.money import Money
from domain.purchasing.purchase_orders import (
    PurchaseDocument,
    PurchaseLine,
    PurchasingPolicy,
    SupplierItem,
    further,
    part_number,
)
from domain.purchasing.x12 import purchase_order_850
from domain.sellers import Language, Seller
from domain.stock.stock_levels import StockLevels
from runtime.papers.purchase import purchase_pdf
from tests.support import printed

AT = datetime(2026, 11, 22, 9, 5, tzinfo=UTC)

# The grammar of a 4010 850, as far as it is used: segment → how many elements, and what each is.
SEGMENTS = {
    "GS": r"PO\*[^*]{2,15}\*[^*]{2,15}\*\d{8}\*\d{4}\*\d{1,9}\*X\*004010",
    "ST": r"850\*\d{4,9}",
    "BEG": r"00\*SA\*[^*]{1,22}\*\*\d{8}",
    "CUR": r"BY\*[A-Z]{3}",
    "N1": r"(SU|ST)\*[^*]{1,60}\*92\*[^*]{1,80}",
    "PO1": r"\d{1,20}\*\d{1,15}\*EA\*\d+(\.\d+)?\*\*BP\*[^*]{1,48}",
    "DTM": r"002\*\d{8}",
    "CTT": r"\d{1,6}\*\d{1,10}",
    "AMT": r"TT\*\d+(\.\d+)?",
    "SE": r"\d{1,10}\*\d{4,9}",
    "GE": r"1\*\d{1,9}",
    "IEA": r"1\*\d{9}",
}
SEQUENCE = r"ISA GS ST BEG CUR N1 N1 (PO1 DTM )+CTT AMT SE GE IEA"


def read(text: str) -> list[list[str]]:
    """The segments of an interchange, by the delimiters that its first one tells. Checks all."""
    element, end = text[3], text[105]
    segments = [part.strip("\n").split(element) for part in text.split(end)[:-1]]
    assert [len(part) for part in segments[0]] == [
        3,
        2,
        10,
        2,
        10,
        2,
        15,
        2,
        15,
        6,
        4,
        1,
        5,
        9,
        1,
        1,
        1,
    ]
    assert re.fullmatch(SEQUENCE, " ".join(segment[0] for segment in segments))
    for name, *elements in segments[1:]:
        assert not any(element.startswith(" ") for element in elements)
        assert re.fullmatch(SEGMENTS[name], "*".join(elements)), (name, elements)
    by_name = {segment[0]: segment[1:] for segment in segments}
    assert by_name["ISA"][12] == by_name["IEA"][1]
    assert by_name["GS"][5] == by_name["GE"][1]
    assert by_name["ST"][1] == by_name["SE"][1]
    inside = [s[0] for s in segments[2:-2]]
    assert int(by_name["SE"][0]) == len(inside)
    return segments


def a_document(*lines: tuple[str, int, str], **changes: Any) -> PurchaseDocument:
    usual: dict[str, Any] = {
        "po_id": "PO-4711",
        "number": 7,
        "supplier": "29",
        "supplier_name": "Forêts d'érables",
        "deliver_to": "main",
        "ordered_on": date(2026, 11, 22),
        "currency": "EUR",
        "lines": tuple(
            PurchaseLine(
                sku=sku, quantity=quantity, unit_price=Decimal(price), due_on=date(2026, 12, 1)
            )
            for sku, quantity, price in lines
        ),
    }
    return PurchaseDocument(**{**usual, **changes})


def test_an_850_says_who_buys_what_from_whom_for_how_much_until_when() -> None:
    document = a_document(("TEA/250", 18, "2.50"), ("CUP", 6, "10"))
    segments = read(purchase_order_850(document, sender="ORDERLOOM", at=AT))
    assert segments[3:12] == [
        ["BEG", "00", "SA", "PO-4711", "", "20261122"],
        ["CUR", "BY", "EUR"],
        ["N1", "SU", "Forets d'erables", "92", "29"],
        ["N1", "ST", "main", "92", "main"],
        ["PO1", "1", "18", "EA", "2.50", "", "BP", "TEA/250"],
        ["DTM", "002", "20261201"],
        ["PO1", "2", "6", "EA", "10", "", "BP", "CUP"],
        ["DTM", "002", "20261201"],
        ["CTT", "2", "24"],
    ]
    assert segments[12] == ["AMT", "TT", "105.00"]


@pytest.mark.parametrize(
    ("language", "told"),
    [
        ("en", ("Purchase order", "2026-11-22", "1,250.00", "26,251.25 EUR", "2026-12-01")),
        ("de", ("Bestellung", "22.11.2026", "1.250,00", "26.251,25 EUR", "Erwartet am")),
        ("ko", ("26,251.25 EUR",)),
    ],
)
def test_on_paper_it_is_told_in_the_buyers_language(
    language: Language, told: tuple[str, ...]
) -> None:
    document = a_document(("TEA/250", 21, "1250"), ("CUP", 10, "0.125"), supplier_name="<b>&Co</b>")
    buyer = Seller(name="Tea & Sons", line1="Markt 1", city="Köln", languages=(language,))
    paper = purchase_pdf(document, buyer, {"CUP": "Кружка"})
    (page,) = printed.pages(paper)
    for part in (*told, "PO-4711", "Tea & Sons", "Markt 1", "<b>&Co</b>", "29", "Кружка", "main"):
        assert part in page, part
    assert printed.barcodes(paper) == ["PO-4711"]
    assert paper == purchase_pdf(document, buyer, {"CUP": "Кружка"})
    assert "main" not in printed.pages(purchase_pdf(document, buyer, {}, to_customer=True))[0]


SKUS = st.text(
    st.characters(exclude_categories=("Cc", "Cs", "Zl", "Zp")), min_size=1, max_size=12
).filter(lambda sku: sku == sku.strip() and len(part_number(sku)) <= 48)


@given(SKUS)
def test_an_850_names_every_sku_so_that_it_can_be_read_back(sku: str) -> None:
    segments = read(purchase_order_850(a_document((sku, 1, "1")), at=AT))
    (told,) = [segment[7] for segment in segments if segment[0] == "PO1"]
    assert unquote(told) == sku
    assert told.isascii()


@pytest.mark.parametrize(
    ("sku", "told"),
    [
        *((same, same) for same in ("123456 OAK", 'PIPE-3/4"', "A+B", "#12", "A:1", "a,b;c")),
        ("Büro-1", "B%C3%BCro-1"),
        ("A*B>C~D^E%F", "A%2AB%3EC%7ED%5EE%25F"),
        ("茶", "%E8%8C%B6"),
        ("A  B", "A %20B"),
    ],
)
def test_a_sku_is_told_in_an_850_as_it_is_or_by_its_bytes(sku: str, told: str) -> None:
    assert part_number(sku) == told


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("Probe Süßwaren GmbH", "Probe Susswaren GmbH"),
        ("Łódzkie Probe", "Lodzkie Probe"),
        ("Sørensen & Søn", "Sorensen & Son"),
        ("Đại Probe", "Dai Probe"),
        ("東京商会", "probe-4"),
        ("東京 Trading*Ltd", "Trading Ltd"),
        ("Æther Œuvre Þing", "AEther OEuvre Thing"),
        ("Київ ~ Θεσσαλονίκη", "Kiiv Thessaloniki"),
        ("*", "probe-4"),
        ("— ", "probe-4"),
    ],
)
def test_a_suppliers_name_is_told_in_its_nearest_letters_or_as_its_id(name: str, told: str) -> None:
    document = a_document(("TEA", 1, "1"), supplier_name=name, supplier="probe-4")
    segments = read(purchase_order_850(document, at=AT))
    assert segments[5] == ["N1", "SU", told, "92", "probe-4"]


@given(
    st.text(min_size=1, max_size=90),
    st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", fullmatch=True),
    st.integers(1, 10**12),
    st.lists(st.integers(1, 10**6), min_size=1, max_size=5),
)
def test_whatever_is_in_a_name_the_document_can_be_read(
    name: str, supplier: str, number: int, units: list[int]
) -> None:
    document = a_document(
        *(("TEA", quantity, "1.25") for quantity in units),
        supplier_name=name,
        supplier=supplier,
        number=number,
    )
    read(purchase_order_850(document, sender="ORDERLOOM", at=AT))


@pytest.mark.parametrize(
    ("worth", "itself"),
    [
        (Money(minor=100_000, currency="EUR"), True),
        (Money(minor=100_001, currency="EUR"), False),
        (Money(minor=1, currency="KRW"), False),
    ],
)
def test_up_to_its_limit_an_order_is_approved_by_itself(worth: Money, itself: bool) -> None:
    assert PurchasingPolicy().approves(worth) is itself


def test_over_delivery_is_a_share_in_whole_units() -> None:
    policy = PurchasingPolicy(over_delivery_percent=10)
    assert [policy.receivable(units) for units in (1, 9, 10, 19, 20)] == [1, 9, 11, 20, 22]


def test_news_that_comes_late_turns_nothing_back() -> None:
    assert further("shipped", "acknowledged") == "shipped"
    assert further("approved", "sent") == "sent"
    assert further("cancelled", "shipped") == "cancelled"


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"minimum": 0}, "minimum"),
        ({"multiple": -6}, "multiple"),
        ({"lead_time_days": 3651}, "lead_time_days"),
        ({"unit_price": "2.0000005"}, "up to 6 decimals"),
        ({"unit_price": "-1"}, "must not be negative"),
        ({"unit_price": 2.5}, "must be a decimal string"),
        ({"sku": "x" * 49}, "sku"),
        ({"sku": "茶" * 6}, "is too long for an order in X12"),
        ({"supplier": "a:b"}, "supplier"),
    ],
)
def test_terms_that_cannot_be_are_refused(changes: dict[str, Any], fault: str) -> None:
    usual = {
        "supplier": "assam",
        "sku": "TEA",
        "lead_time_days": 7,
        "unit_price": "2.50",
        "currency": "EUR",
    }
    with pytest.raises(ValidationError, match=fault):
        SupplierItem.model_validate({**usual, **changes})


@pytest.mark.parametrize(
    ("given", "fault"),
    [
        ({"reorder_point": 5}, "give both, or neither"),
        ({"reorder_point": 5, "order_up_to": 5}, "must be more than the reorder point"),
        ({"reorder_point": -1, "order_up_to": 5}, "reorder_point"),
        ({"service_level": 1}, "service_level"),
    ],
)
def test_levels_that_cannot_be_are_refused(given: dict[str, Any], fault: str) -> None:
    with pytest.raises(ValidationError, match=fault):
        StockLevels.model_validate({"sku": "TEA", "location": "main", **given})
