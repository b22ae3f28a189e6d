"""What is wanted of a job, by its kind."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Final, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from domain.customers.care import ConsentKind
from domain.fields import (
    CurrencyOnceUsed,
    Day,
    Document,
    Id,
    Printable,
    Reason,
    Shape,
    Sku,
    Who,
    inconsistent,
)
from domain.jobs.jobs import Kind, NewItem
from domain.orders.hold_messages import AskedReason
from domain.sellers import Code
from domain.views.order_filters import OrderFilters

ITEMS_MAX: Final = 10_000
"""So many things may be named in one request."""

ANSWERS_MAX: Final = 1_000
"""So many steps may be answered in one request."""

PRINTED_MAX: Final = 500
"""Orders of one print. One file of more would not go through a printer in a day."""

OrderId = Annotated[
    str,
    StringConstraints(min_length=1, max_length=200),
    Shape(r"^[A-Za-z0-9._~-]+$", "an order's id, such as web-1001"),
]


class NoOptions(Document):
    """There is nothing to choose."""


class OrdersImport(Document):
    """`channel`: of a marketplace's file, which names none. Other files name their own."""

    channel: Code = "marketplace"


class StockImport(Document):
    """`new_locations`: made where they are not there. `reason`: kept with each movement."""

    new_locations: Annotated[tuple[Id, ...], Field(max_length=100)] = ()
    reason: Reason | None = None
    by: Who | None = None


ContactsFormat = Literal["hubspot", "salesforce", "jsonl"]


class CustomersExport(Document):
    """Customers for a CRM. `segment`: who belongs to it; `consent`: who wishes these messages."""

    format: ContactsFormat = "jsonl"
    segment: Id | None = None
    consent: ConsentKind | None = None


class StockExport(Document):
    """Left out: every SKU, every location."""

    sku: Sku | None = None
    location: Id | None = None


class LedgerExport(Document):
    """A seller's entries of some days, for another program.

    Left out: from the first day, until today. `final`: only if the days are closed. `daily`: one
    entry for each day and currency. `currency`, `tax_rate`: of csv formats alone.
    """

    seller: Code
    format: Literal["beancount", "csv-quickbooks", "csv-xero", "json"]
    first: Annotated[Day | None, Field(alias="from")] = None
    last: Annotated[Day | None, Field(alias="to")] = None
    final: bool = False
    daily: bool = False
    currency: CurrencyOnceUsed | None = None
    tax_rate: Printable | None = None


class _OfOrders(Document):
    """`order_ids`: of these orders; or `where`: of those that match when the job begins."""

    order_ids: Annotated[tuple[OrderId, ...], Field(min_length=1, max_length=ITEMS_MAX)] | None = (
        None
    )
    where: OrderFilters | None = None

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        if (self.order_ids is None) == (self.where is None):
            raise inconsistent("order_ids", "name the orders, or say by `where` which ones")
        if self.where is not None and not self.where.model_fields_set:
            raise inconsistent("where", "must hold a filter: without one it would be every order")
        return self


class ManyCancellations(_OfOrders):
    """Cancel what can be cancelled of these orders, whole orders at a time."""

    reason: Reason
    by: Who | None = None


class ManyHolds(_OfOrders):
    """Keep the goods of these orders here until a person lets them go."""

    reason: AskedReason
    note: Reason
    by: Who | None = None


class ManyReleases(_OfOrders):
    """End the holds of these orders that people and rules have placed."""

    note: Reason
    by: Who | None = None


class ManyCharges(_OfOrders):
    """Charge these orders, which wait for somebody to say so."""

    note: Reason
    by: Who | None = None


class Print(_OfOrders):
    """A page for each parcel of these orders, 500 orders at most."""

    order_ids: (
        Annotated[tuple[OrderId, ...], Field(min_length=1, max_length=PRINTED_MAX)] | None
    ) = None


class StepAnswer(Document):
    """What somebody has decided about a step that waits for a person: as `resolve` takes it."""

    order_id: OrderId
    step: Annotated[
        str,
        StringConstraints(max_length=200),
        Shape(r"^[!-~][ -~]*$", "a step as the list of what needs attention names it"),
    ]
    action: Literal["retry", "done", "cancel", "store_credit"]
    note: Reason


class StepAnswers(Document):
    """Answers to steps, each of which takes one. `by`: who decides it."""

    answers: Annotated[tuple[StepAnswer, ...], Field(min_length=1, max_length=ANSWERS_MAX)]
    by: Who | None = None


def items_named(options: Document) -> list[NewItem] | None:
    """The items that are named with what is wanted; None: they are found when the job begins.

    An order that is named twice is done once.
    """
    if isinstance(options, StepAnswers):
        return [
            NewItem(one.model_dump(mode="json", exclude={"order_id"}), one.order_id)
            for one in options.answers
        ]
    if isinstance(options, _OfOrders) and options.order_ids is not None:
        return [NewItem({}, one) for one in dict.fromkeys(options.order_ids)]
    return None


OPTIONS: Final[Mapping[Kind, type[Document]]] = {
    "import_orders": OrdersImport,
    "import_stock": StockImport,
    "import_items": NoOptions,
    "import_kits": NoOptions,
    "import_supplier_terms": NoOptions,
    "export_orders": OrderFilters,
    "export_stock": StockExport,
    "export_customers": CustomersExport,
    "export_ledger": LedgerExport,
    "cancel_orders": ManyCancellations,
    "hold_orders": ManyHolds,
    "release_orders": ManyReleases,
    "charge_orders": ManyCharges,
    "resolve_steps": StepAnswers,
    "print_pick_list": Print,
    "print_packing_slips": Print,
    "print_labels": Print,
    "print_documents": Print,
}
"""Kind → the model of its options."""
