"""Documents as they are printed: in both languages, whatever is in them, the same each time."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import asdict
from datetime import date
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.accounting.documents import Earlier, Issued, compose
from domain.orders.amounts import Worth, value_lines, worth_of
from domain.orders.order import Order
from domain.sellers import Language, Seller
from runtime.papers.pdf import render
from runtime.papers.words import WORDS
from tests.support.builders import a_document, shipping
from tests.support.printed import fonts, pages

DAY = date(2026, 11, 22)
SELLER = Seller(name="Tea & Sons GmbH", line1="Markt 1", city="Köln", tax_numbers=("DE123456789",))


def a_paper(
    *lines: tuple[str, int, str],
    kind: Any = "invoice",
    units: dict[str, int] | None = None,
    worth: Worth | None = None,
    names: dict[str, str] | None = None,
    reason: str = "",
    locale: str = "en",
    customer: str = "Kim Minji",
    document: dict[str, Any] | None = None,
    **fields: Any,
) -> Issued:
    """A document of an order, by default of all of its units."""
    placed = document or a_document(*(lines or (("TEA", 3, "1234.50"),)), **fields)
    placed |= {
        "channel_order_id": "1001",
        "customer": {"id": "C-1", "name": customer, "locale": locale},
    }
    order = Order.model_validate(placed)
    if units is None:
        units = {line.line_id: line.quantity for line in order.lines}
    earlier = Earlier(number="INV-2026-000007", kind="invoice", issued_on=DAY, units={"1": 1})
    content = compose(
        order,
        kind=kind,
        part_id=f"{order.order_id}:1",
        units=units,
        worth=worth or worth_of(value_lines(order), units),
        seller=SELLER,
        supplied_on=DAY if kind == "invoice" else None,
        names=names,
        earlier=[earlier] if kind == "credit_note" else [],
        reason=reason,
    )
    number = "INV-2026-000008" if kind == "invoice" else "CRN-2026-000001"
    return Issued(number=number, issued_on=date(2026, 11, 23), **content.model_dump())


def text_of(paper: Issued) -> str:
    """All pages on one line, so that it does not matter where lines were broken."""
    return " ".join(" ".join(pages(render(paper))).split())


def test_an_invoice_says_what_an_accountant_looks_for() -> None:
    text = text_of(a_paper(discount="1.00", shipping=shipping("5.00", "0.95")))
    for expected in (
        "Invoice",
        "Number INV-2026-000008",
        "Date of issue 2026-11-23",
        "Date of supply 2026-11-22",
        "Order web-1001",
        "Shipment web-1001:1",
        "Seller Tea & Sons GmbH Markt 1 Köln Tax number: DE123456789",
        "Buyer Kim Minji 1 Sejong-daero 04524 Seoul KR Customer: C-1",
        "All amounts in USD",
        "TEA 3 1,234.50 1.00 3,702.50 0.00 3,702.50",
        "Shipping 5.00 0.95 5.95",
        "Tax summary Net Tax Total Goods 3,702.50 0.00 3,702.50 Shipping 5.00 0.95 5.95",
        "Sum 3,707.50 0.95 3,708.45",
        "Invoice total 3,708.45 USD",
        "Page 1 of 1",
    ):
        assert expected in text
    assert "Delivered to" not in text


def test_a_korean_customer_reads_korean() -> None:
    paper = a_paper(locale="ko-KR", customer="김민지", names={"TEA": "동백차"})
    text = text_of(paper)
    for expected in (
        "청구서",
        "문서 번호 INV-2026-000008",
        "공급일 2026-11-22",
        "사업자등록번호: DE123456789",
        "공급받는 자 김민지",
        "금액 단위: USD",
        "동백차 TEA 3 1,234.50",
        "청구 합계 3,708.50 USD",
        "1 / 1 쪽",
    ):
        assert expected in text
    assert "Invoice" not in text
    assert b"/HYGothic-Medium" in render(paper)


def test_a_credit_note_says_why_and_of_which_invoice() -> None:
    text = text_of(a_paper(kind="credit_note", units={"1": 1}, reason="찻잎 too green"))
    assert "Credit note Number CRN-2026-000001" in text
    assert "Invoice credited INV-2026-000007 of 2026-11-22" in text
    assert "Reason: 찻잎 too green" in text
    assert "Total credited" in text
    assert "Date of supply" not in text
    text = text_of(
        a_paper(kind="credit_note", units={}, worth=Worth(goods=500), locale="ko", currency="USD")
    )
    assert "원 청구서 INV-2026-000007 (2026-11-22)" in text
    assert "조정 금액 5.00 0.00 5.00" in text
    assert "환불 합계 5.00 USD" in text


@pytest.mark.parametrize(
    ("currency", "price", "shown"),
    [("JPY", "1200", "1,200 JPY"), ("KWD", "1.234", "1.234 KWD"), ("EUR", "0.50", "0.50 EUR")],
)
def test_a_currency_has_its_own_decimals(currency: str, price: str, shown: str) -> None:
    paper = a_paper(("TEA", 1, price), currency=currency, shipping=shipping("0"))
    assert f"Invoice total {shown}" in text_of(paper)


def test_the_largest_order_there_can_be_keeps_within_its_columns() -> None:
    line = ("S" * 64, 1_000_000, "9999999.99")
    text = text_of(a_paper(line, shipping=shipping("0")))
    assert "1,000,000 9,999,999.99 0.00 9,999,999,990,000.00 0.00 9,999,999,990,000.00" in text


def test_many_lines_go_on_over_pages_that_are_numbered_and_headed() -> None:
    lines = [(f"SKU-{number}", 1, "1.00") for number in range(1, 121)]
    found = pages(render(a_paper(*lines)))
    assert len(found) > 2
    for number, page in enumerate(found, start=1):
        assert f"Page {number} of {len(found)}" in page
        assert "INV-2026-000008" in page
        assert "Unit price" in page
    together = "".join(found)
    assert [sku for sku, *_ in lines if f"{sku}\n" not in together] == []


def test_several_documents_are_one_file_and_each_has_its_own_pages() -> None:
    lines = [(f"SKU-{number}", 1, "1.00") for number in range(1, 61)]
    several = [a_paper(locale="de"), a_paper(*lines), a_paper(kind="credit_note"), a_paper()]
    alone = [page for one in several for page in pages(render(one))]
    assert len(alone) > len(several)
    assert pages(render(*several)) == alone


def test_long_names_are_wrapped_and_whole() -> None:
    words = [f"word{number}" for number in range(25)]
    names = {"TEA": " ".join(words), "CUP": "차" * 150}
    text = text_of(a_paper(("TEA", 1, "1.00"), ("CUP", 1, "1.00"), names=names))
    assert " ".join(words) in text
    assert "차" * 150 in text.replace(" ", "")
    assert "차" * 50 not in text


@pytest.mark.parametrize("letter", ["W", "차", "🍵", "x "])
def test_the_longest_names_that_an_order_may_hold_are_printed(letter: str) -> None:
    longest = (letter * 300)[:299] + "x"
    sku = (letter * 100)[:99] + "x"
    parts = dict.fromkeys(("name", "line1", "line2", "city", "region"), longest)
    address = {**parts, "postal_code": "1" * 32, "country": "XK"}
    text = text_of(
        a_paper(
            (sku, 1_000_000, "9999999.99"),
            customer=longest,
            names={sku: longest},
            shipping={"address": address},
        )
    )
    assert "9,999,999,990,000.00" in text


@pytest.mark.parametrize(
    ("written", "printed"),
    [
        ("<b>bold</b> & <para/> &amp; <font", "<b>bold</b> & <para/> &amp; <font"),
        (r"back \ slash ( ) \( %d {x}", r"back \ slash ( ) \( %d {x}"),
        ("Łukasz Żółć, Győző, Şahin, Žižka", "Łukasz Żółć, Győző, Şahin, Žižka"),
        ("Trần Thị Thử, 7 Đường Thử", "Trần Thị Thử, 7 Đường Thử"),
        ("Ștefan Țuțea, Strada Școlii 1, Iași", "Ștefan Țuțea, Strada Școlii 1, Iași"),
        ("Єва Їжак, вул. Єлісєєва 3, Київ", "Єва Їжак, вул. Єлісєєва 3, Київ"),
        ("Tŷ Ŵyn, Ġorġ Ħaż-Żebbuġ, Ḍḥ", "Tŷ Ŵyn, Ġorġ Ħaż-Żebbuġ, Ḍḥ"),
        (
            "\u0408\u0443\u0440\u0430\u0458 Ђорђе Пробић",
            "\u0408\u0443\u0440\u0430\u0458 Ђорђе Пробић",
        ),
        ("e\u0301 decomposed, Tra\u0302\u0300n", "é decomposed, Trần"),
        ("Иван, Θεσσαλονίκη, ἀγορά", "Иван, Θεσσαλονίκη, ἀγορά"),
        ("李明 さくら 김", "李明 さくら 김"),
        ("这 這", "这 這"),
        ("ไทย ქართული", "ไทย ქართული"),
        ("Tea \U0001f600!", "Tea !"),
        ("अमित, ᏣᎳᎩ, ❶", "amit, TsaLaGi, 1"),
        ("zero\u200bwidth no\u00a0break", "zerowidth no break"),
    ],
)
def test_a_name_is_printed_as_it_is_written_or_in_the_nearest_letters(
    written: str, printed: str
) -> None:
    text = text_of(a_paper(names={"TEA": written}, customer=f"{written} {written}"))
    assert f"{printed} TEA 3" in text
    assert f"Buyer {printed} {printed} 1 Sejong-daero" in text


def test_names_from_the_right_are_printed_in_the_order_in_which_they_stand() -> None:
    # The reader puts the letters of a word in their order of reading, and words from the left.
    text = text_of(a_paper(names={"TEA": "Tea שלום 12"}, customer="אבי כהן"))
    assert "Tea 12 שלום TEA 3" in text
    assert "Buyer כהן אבי 1 Sejong-daero" in text
    arabic = re.search(r"Buyer (\w+) 1 Sejong", text_of(a_paper(customer="مرحبا")))
    assert arabic is not None
    assert unicodedata.normalize("NFKC", arabic[1]) == "مرحبا"
    assert arabic[1] != "مرحبا", "its letters are not joined"


def test_letters_that_a_document_needs_are_embedded_in_it() -> None:
    paper = render(a_paper(customer="Trần שלום", names={"TEA": "녹차"}))
    assert fonts(paper) == {
        "NotoSans-Regular": True,
        "NotoSans-Bold": True,
        "FiraGO-Bold": True,
        "HYGothic-Medium": False,
        "Helvetica": False,  # reportlab begins each page with it
    }
    assert len(paper) < 150_000


@given(st.text(max_size=60))
def test_no_text_is_printed_as_a_code_or_stops_the_printing(text: str) -> None:
    printed = text_of(a_paper(kind="credit_note", units={}, reason=f"because {text}"))
    assert "Reason: because" in printed
    if "\\" not in text:
        assert "\\" not in printed


def test_a_control_character_is_neither_shown_nor_obeyed() -> None:
    text = text_of(a_paper(kind="credit_note", units={}, reason="a\x1b[31m\x00b\ttab\nline"))
    assert "Reason: a[31mb tab line" in text


def test_a_reprint_is_the_same_to_the_byte() -> None:
    names = {"TEA": "Łukasz 차 tea Trần שלום"}
    first = render(a_paper(names=names))
    render(a_paper(locale="ko", customer="李明"))
    assert render(a_paper(names=names)) == first


SIGNS = ("thousands", "point", "day")


def test_all_languages_say_everything_and_fill_in_the_same() -> None:
    assert set(WORDS) == set(get_args(Language))
    english = asdict(WORDS["en"])
    for language, words in WORDS.items():
        said = asdict(words)
        assert english.keys() == said.keys()
        for name, text in english.items():
            assert said[name].strip()
            assert sorted(re.findall(r"{\w*}", text)) == sorted(re.findall(r"{\w*}", said[name]))
            if language == "ko" and name not in SIGNS:
                assert re.search("[가-힣]", said[name]) or "{" in text, name


def test_a_german_customer_reads_german_with_german_numbers_and_days() -> None:
    paper = a_paper(("TEA", 3, "1234.50"), locale="de-AT", discount="1.00", currency="EUR")
    text = text_of(paper)
    for expected in (
        "Rechnung Nummer INV-2026-000008",
        "Ausgestellt am 23.11.2026",
        "Lieferdatum 22.11.2026",
        "Alle Beträge in EUR",
        "TEA 3 1.234,50 1,00 3.702,50 0,00 3.702,50",
        "Rechnungsbetrag 3.707,50 EUR",
        "Seite 1 von 1",
    ):
        assert expected in text


def test_tax_is_told_by_rate_with_its_category_and_prices_as_the_customer_saw_them() -> None:
    document = a_document(
        ("TEA", 3, "10.00"), ("BOOK", 2, "7.50"), currency="EUR", prices_include_tax=True
    )
    document["lines"][0] |= {"tax_rate": "19"}
    document["lines"][1] |= {"tax_rate": "7", "tax_category": "reduced"}
    document["shipping"] = shipping("4.90", tax_rate="19") | {"tax": None}
    document["fees"] = [
        {"name": "Gift wrap", "amount": "3.00", "tax_rate": "7", "tax_category": "reduced"},
        {"name": "Free of charge", "amount": "0.00", "tax_rate": "7"},
    ]
    document["rounding"] = "-0.02"
    text = text_of(a_paper(document=document))
    for expected in (
        "All amounts in EUR. Unit prices and discounts include tax.",
        "TEA Tax 19 % 3 10.00 0.00 25.21 4.79 30.00",
        "BOOK Tax 7 % (reduced) 2 7.50 0.00 14.02 0.98 15.00",
        "Shipping Tax 19 % 4.12 0.78 4.90 Gift wrap Tax 7 % (reduced) 2.80 0.20 3.00",
        "Tax summary Net Tax Total Tax 19 % 29.33 5.57 34.90",
        "34.90 Tax 7 % (reduced) 16.82 1.18 18.00 Sum 46.15 6.75 52.90",
        "Rounding -0.02 Invoice total 52.88 EUR",
    ):
        assert expected in text
    assert "Free of charge" not in text
    text = text_of(a_paper(document=document, locale="de"))
    assert "Einzelpreise und Rabatte enthalten die Steuer." in text
    assert "Steuersatz 7 % (reduced) 16,82 1,18 18,00" in text
    assert "Rundung -0,02" in text


def test_where_no_rate_is_known_tax_is_told_of_goods_shipping_and_each_fee() -> None:
    fees = [{"name": "Gift wrap", "amount": "3.00", "tax": "0.30"}]
    text = text_of(a_paper(shipping=shipping("5.00", "0.95"), fees=fees))
    rows = "Shipping 5.00 0.95 5.95 Gift wrap 3.00 0.30 3.30"
    assert f"TEA 3 1,234.50 0.00 3,703.50 0.00 3,703.50 {rows} Tax summary" in text
    assert f"Goods 3,703.50 0.00 3,703.50 {rows} Sum 3,711.50 1.25 3,712.75" in text
