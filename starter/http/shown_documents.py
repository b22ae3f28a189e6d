"""Invoices and credit notes as the API tells them."""

from __future__ import annotations

from datetime import date, datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict

from domain.accounting.documents import Issued, Kind, Party, Reference
from domain.sellers import Language
from domain.views.order_snapshot import AmountText
from starter.http.amounts import told
from store.accounting.documents import DocumentRow


class _Shown(BaseModel):
    model_config = ConfigDict(frozen=True)


class ListedDocument(_Shown):
    """A document on one line."""

    number: str
    seller: str
    kind: Kind
    order_id: str
    part_id: str
    currency: str
    total: AmountText
    issued_on: date
    issued_at: datetime


class DocumentLine(_Shown):
    """Units of a line. `unit_price`: as the customer saw it. Rates are in percent."""

    line_id: str
    sku: str
    description: str
    quantity: int
    unit_price: AmountText
    discount: AmountText
    tax_rate: str | None
    tax_category: str | None
    net: AmountText
    tax: AmountText
    total: AmountText


class DocumentFee(_Shown):
    """A fee of the order, and the document's share of it."""

    name: str
    tax_rate: str | None
    tax_category: str | None
    net: AmountText
    tax: AmountText
    total: AmountText


class DocumentTax(_Shown):
    """The tax of one rate, in percent; null: the order says none."""

    rate: str | None
    category: str | None
    net: AmountText
    tax: AmountText


class ShownDocument(_Shown):
    """All that is printed. `buyer` and `deliver_to` are null for a key without `customers:read`.

    net = lines − restocking + allowance + shipping + fees, tax likewise, and net + tax + rounding =
    total. `restocking`: a fee that is not credited. `allowance`: the credit for no unit in
    particular. `reason` and `invoices` are a credit note's.
    """

    number: str
    kind: Kind
    issued_on: date
    ordered_on: date
    supplied_on: date | None
    order_id: str
    part_id: str
    language: Language
    currency: str
    prices_include_tax: bool
    seller: Party
    buyer: Party | None
    deliver_to: Party | None
    lines: tuple[DocumentLine, ...]
    allowance: AmountText
    allowance_tax: AmountText
    restocking: AmountText
    restocking_tax: AmountText
    shipping: AmountText
    shipping_tax: AmountText
    shipping_tax_rate: str | None
    shipping_tax_category: str | None
    fees: tuple[DocumentFee, ...]
    taxes: tuple[DocumentTax, ...]
    net: AmountText
    tax: AmountText
    rounding: AmountText
    total: AmountText
    reason: str
    invoices: tuple[Reference, ...]


Media = Literal["application/json", "application/pdf"]


def listed(document: DocumentRow) -> ListedDocument:
    """A document of a list."""
    return ListedDocument(**told(document))


def shown(document: Issued, *, with_person: bool) -> ShownDocument:
    """A document as it was issued."""
    currency = document.currency
    person = {} if with_person else {"buyer": None, "deliver_to": None}
    parts = {
        "lines": tuple(DocumentLine(**told(one, currency)) for one in document.lines),
        "fees": tuple(DocumentFee(**told(one, currency)) for one in document.fees),
        "taxes": tuple(DocumentTax(**told(one, currency)) for one in document.taxes),
    }
    return ShownDocument(**{**told(document), **parts, **person})
