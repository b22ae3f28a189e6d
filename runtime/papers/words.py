"""All that is printed on documents in a language: words, numbers, days. `{…}` is filled in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Final

from domain.sellers import Language


@dataclass(frozen=True)
class Words:
    """One language. A field that a language lacks is an error when this module is loaded."""

    invoice: str
    credit_note: str
    number: str
    issued_on: str
    supplied_on: str
    order: str
    ordered_on: str
    shipment: str
    refund: str
    invoices: str
    invoice_of: str
    reason: str
    seller: str
    buyer: str
    deliver_to: str
    tax_number: str
    customer: str
    currency: str
    description: str
    quantity: str
    unit_price: str
    discount: str
    net: str
    tax: str
    gross: str
    goods: str
    allowance: str
    restocking: str
    shipping: str
    tax_summary: str
    rate: str
    no_rate: str
    with_tax: str
    rounding: str
    sum: str
    invoice_total: str
    credit_total: str
    page: str
    thousands: str = ","
    point: str = "."
    day: str = "%Y-%m-%d"

    def number_of(self, amount: Decimal) -> str:
        """An amount with all its decimals, such as 1,234.50."""
        signs = {",": self.thousands, ".": self.point}
        return "".join(signs.get(sign, sign) for sign in f"{amount:,f}")

    def day_of(self, day: date) -> str:
        """A day, such as 2026-11-22."""
        return day.strftime(self.day)


WORDS: Final[Mapping[Language, Words]] = {
    "en": Words(
        invoice="Invoice",
        credit_note="Credit note",
        number="Number",
        issued_on="Date of issue",
        supplied_on="Date of supply",
        order="Order",
        ordered_on="Date of order",
        shipment="Shipment",
        refund="Refund",
        invoices="Invoice credited",
        invoice_of="{number} of {day}",
        reason="Reason",
        seller="Seller",
        buyer="Buyer",
        deliver_to="Delivered to",
        tax_number="Tax number: {number}",
        customer="Customer: {number}",
        currency="All amounts in {currency}",
        description="Description",
        quantity="Quantity",
        unit_price="Unit price",
        discount="Discount",
        net="Net",
        tax="Tax",
        gross="Total",
        goods="Goods",
        allowance="Allowance",
        restocking="Restocking fee",
        shipping="Shipping",
        tax_summary="Tax summary",
        rate="Tax {rate} %",
        no_rate="Tax, rate not stated",
        with_tax="Unit prices and discounts include tax",
        rounding="Rounding",
        sum="Sum",
        invoice_total="Invoice total",
        credit_total="Total credited",
        page="Page {page} of {pages}",
    ),
    "ko": Words(
        invoice="청구서",
        credit_note="환불 명세서",
        number="문서 번호",
        issued_on="발행일",
        supplied_on="공급일",
        order="주문 번호",
        ordered_on="주문일",
        shipment="배송 번호",
        refund="환불 번호",
        invoices="원 청구서",
        invoice_of="{number} ({day})",
        reason="사유",
        seller="공급자",
        buyer="공급받는 자",
        deliver_to="배송지",
        tax_number="사업자등록번호: {number}",
        customer="고객 번호: {number}",
        currency="금액 단위: {currency}",
        description="품목",
        quantity="수량",
        unit_price="단가",
        discount="할인",
        net="공급가액",
        tax="세액",
        gross="합계",
        goods="상품",
        allowance="조정 금액",
        restocking="재입고 수수료",
        shipping="배송비",
        tax_summary="세액 요약",
        rate="세율 {rate} %",
        no_rate="세율 표시 없음",
        with_tax="단가와 할인은 세금 포함 금액입니다",
        rounding="단수 조정",
        sum="계",
        invoice_total="청구 합계",
        credit_total="환불 합계",
        page="{page} / {pages} 쪽",
    ),
    "de": Words(
        invoice="Rechnung",
        credit_note="Rechnungskorrektur",
        number="Nummer",
        issued_on="Ausgestellt am",
        supplied_on="Lieferdatum",
        order="Bestellung",
        ordered_on="Bestelldatum",
        shipment="Sendung",
        refund="Erstattung",
        invoices="Zur Rechnung",
        invoice_of="{number} vom {day}",
        reason="Grund",
        seller="Verkäufer",
        buyer="Käufer",
        deliver_to="Geliefert an",
        tax_number="Steuernummer: {number}",
        customer="Kunde: {number}",
        currency="Alle Beträge in {currency}",
        description="Bezeichnung",
        quantity="Menge",
        unit_price="Einzelpreis",
        discount="Rabatt",
        net="Netto",
        tax="Steuer",
        gross="Gesamt",
        goods="Waren",
        allowance="Nachlass",
        restocking="Rücknahmegebühr",
        shipping="Versand",
        tax_summary="Steuern",
        rate="Steuersatz {rate} %",
        no_rate="Steuer, Satz nicht angegeben",
        with_tax="Einzelpreise und Rabatte enthalten die Steuer",
        rounding="Rundung",
        sum="Summe",
        invoice_total="Rechnungsbetrag",
        credit_total="Erstattungsbetrag",
        page="Seite {page} von {pages}",
        thousands=".",
        point=",",
        day="%d.%m.%Y",
    ),
}
