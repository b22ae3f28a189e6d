"""A purchase order on paper, as its supplier gets it. The same order gives the same bytes."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Final, NamedTuple

from reportlab.lib.units import mm
from reportlab.platypus import Flowable, Spacer

from domain.money import price_text, to_decimal, worth_of_units
from domain.purchasing.purchase_orders import PurchaseDocument, PurchaseLine
from domain.sellers import Language, Seller, address_lines
from runtime.papers.sheet import barcode, grid, pages, text
from runtime.papers.words import WORDS


class _Words(NamedTuple):
    title: str
    ordered_on: str
    buyer: str
    supplier: str
    deliver_to: str
    to_customer: str
    goods: str
    quantity: str
    unit_price: str
    worth: str
    due: str
    total: str
    answer: str
    page: str


_WORDS: Final[Mapping[Language, _Words]] = {
    "en": _Words(
        *("Purchase order", "Date of order", "Buyer", "Supplier", "Deliver to"),
        "To our customer: the address comes with the order itself",
        *("Goods", "Quantity", "Unit price", "Amount", "Expected on", "Total without tax"),
        "Please name this number on every paper and parcel, and tell us at once what comes later, "
        "in other numbers, or at another price.",
        "Page {page}",
    ),
    "ko": _Words(
        *("발주서", "발주일", "구매자", "공급업체", "납품 장소"),
        "고객에게 직접 배송: 주소는 발주와 함께 전달됩니다",
        *("품목", "수량", "단가", "금액", "납품 예정일", "합계 (세금 제외)"),
        "모든 서류와 포장에 이 번호를 적어 주시고, 납품일·수량·가격이 달라지면 바로 알려 주십시오.",
        "{page} 쪽",
    ),
    "de": _Words(
        *("Bestellung", "Bestelldatum", "Käufer", "Lieferant", "Lieferort"),
        "An unseren Kunden: Die Adresse kommt mit der Bestellung selbst",
        *("Ware", "Menge", "Stückpreis", "Betrag", "Erwartet am", "Summe ohne Steuer"),
        "Bitte nennen Sie diese Nummer auf allen Papieren und Paketen, und sagen Sie uns gleich, "
        "was später, in anderer Menge oder zu einem anderen Preis kommt.",
        "Seite {page}",
    ),
}
_COLUMNS: Final = (0.36, 0.12, 0.18, 0.18, 0.16)


def purchase_pdf(
    order: PurchaseDocument, buyer: Seller, names: Mapping[str, str], *, to_customer: bool = False
) -> bytes:
    """The order as PDF, in the buyer's first language. `names`: SKU → what it is called.

    `to_customer`: the supplier sends it to the customer, whose address this paper does not have.
    """
    language = buyer.languages[0]
    words, printed = _WORDS[language], WORDS[language]
    story: list[Flowable] = [
        grid(
            [
                [
                    [
                        text(words.title, 20, bold=True),
                        Spacer(0, 2 * mm),
                        text(order.po_id, 12, bold=True),
                        text(f"{words.ordered_on}: {printed.day_of(order.ordered_on)}"),
                    ],
                    barcode(order.po_id),
                ]
            ],
            (0.55, 0.45),
            head=False,
        ),
        Spacer(0, 5 * mm),
        grid(
            [
                [
                    _party(words.buyer, buyer.name, _about(buyer)),
                    _party(words.supplier, order.supplier_name, _code_of(order)),
                    _party(
                        words.deliver_to, words.to_customer if to_customer else order.deliver_to
                    ),
                ]
            ],
            (0.36, 0.32, 0.32),
            head=False,
            top=True,
        ),
        Spacer(0, 7 * mm),
        grid(
            [
                [
                    text(words.goods, 8, grey=True),
                    *(
                        text(head, 8, grey=True, right=True)
                        for head in (
                            words.quantity,
                            f"{words.unit_price} ({order.currency})",
                            words.worth,
                            words.due,
                        )
                    ),
                ],
                *(_row(line, order.currency, names, language) for line in order.lines),
            ],
            _COLUMNS,
            head=True,
        ),
        Spacer(0, 4 * mm),
        grid(
            [
                [
                    text(words.total, 11, bold=True),
                    text(
                        f"{_amount(order.worth.minor, order.currency, language)} {order.currency}",
                        11,
                        bold=True,
                        right=True,
                    ),
                ]
            ],
            (0.5, 0.5),
            head=False,
        ),
        Spacer(0, 8 * mm),
        text(words.answer, 9, grey=True),
    ]
    return pages(story, title=order.po_id, author=buyer.name, page=words.page)


def _party(role: str, name: str, about: tuple[str, ...] = ()) -> list[Flowable]:
    return [text(role, 8, grey=True), text(name, bold=True), *(text(line, 9) for line in about)]


def _about(buyer: Seller) -> tuple[str, ...]:
    return (*address_lines(buyer), *buyer.tax_numbers)


def _code_of(order: PurchaseDocument) -> tuple[str, ...]:
    return () if order.supplier == order.supplier_name else (order.supplier,)


def _row(
    line: PurchaseLine, currency: str, names: Mapping[str, str], language: Language
) -> list[object]:
    printed = WORDS[language]
    name = names.get(line.sku, "")
    called = [text(name), text(line.sku, 8, grey=True)] if name else [text(line.sku)]
    worth = worth_of_units(line.unit_price, line.quantity, currency)
    price = printed.number_of(Decimal(price_text(line.unit_price, currency)))
    return [
        called,
        *(
            text(shown, right=True)
            for shown in (
                printed.number_of(Decimal(line.quantity)),
                price,
                _amount(worth, currency, language),
                printed.day_of(line.due_on),
            )
        ),
    ]


def _amount(minor: int, currency: str, language: Language) -> str:
    return WORDS[language].number_of(to_decimal(minor, currency))
