"""`orderloom customers`: who ordered, shown, handed out whole, and erased."""

from __future__ import annotations

import json
from typing import Annotated, Any, Final

import typer

from domain.orders.people import Address, Customer
from domain.words import count_of
from starter.cli.customers import care, segments
from starter.cli.customers.care import OursArgument
from starter.cli.customers.rendering import customers_found, tell_page
from starter.cli.terminal.files import STANDARD_OUTPUT, write_file
from starter.cli.terminal.options import DryRun, Json, Limit, Who, read_reason, reporter
from starter.cli.terminal.output import Output, local, money, wire
from starter.service.connection import from_records
from starter.service.customer_pages import CustomerPage
from starter.service.customers import ErasedOrder, about
from starter.service.service import Records
from store.customers.people import KnownFor, PersonsOrder

app = typer.Typer(rich_markup_mode="markdown", add_completion=False, no_args_is_help=True)
app.add_typer(care.app)
app.add_typer(segments.app, name="segments")
app.add_typer(segments.told)

CustomerArgument = Annotated[
    str,
    typer.Argument(
        metavar="CUSTOMER",
        help="The customer's id as the channel has it, or a mail address.",
        show_default=False,
    ),
]

_PARTS: Final = {
    "customer": "who",
    "address": "where it goes",
    "billing": "whom it is billed to",
    "note": "note",
    "gift_message": "gift message",
    "extra": "extra",
}

_WHY: Final[dict[KnownFor, str]] = {
    "open": "it has not ended",
    "late": "something is done that came after its end",
    "attention": "it needs a person first, see `orderloom attention`",
    "claim": "a claim waits to be decided, see `orderloom claims list --open`",
    "dispute": "a bank questions its payment",
    "refund": "a refund of it is owed",
}

_FIELDS: Final = {
    "customer": tuple(Customer.model_fields),
    "address": tuple(Address.model_fields),
    "billing": tuple(Address.model_fields),
}


@app.callback()
def customers() -> None:
    """Who ordered: a customer's page; what is known of a person, handing it out, and erasing it."""


@app.command()
def find(
    text: Annotated[str, typer.Argument(metavar="TEXT", help="What to look for.")],
    limit: Limit = 20,
    as_json: Json = False,
) -> None:
    """Find customers by an id, a mail address, an order, the end of a phone number, or names.

    Of a phone number the last four or more digits; of names the beginnings of words.

    Example: `orderloom customers find 'kim min'`
    """
    found = from_records(lambda here: here.customer_pages.found(text.strip(), at_most=limit + 1))
    customers_found(found, limit, Output(as_json=as_json))


@app.command()
def show(customer: OursArgument, as_json: Json = False) -> None:
    """Show a customer's page: who it is, orders and what they come to, and what is to be done.

    Example: `orderloom customers show C-1`
    """

    async def asked(here: Records) -> CustomerPage:
        return await here.customer_pages.page(await here.customer_pages.id_of(customer.strip()))

    tell_page(from_records(asked), Output(as_json=as_json))


@app.command()
def orders(customer: CustomerArgument, as_json: Json = False) -> None:
    """Show what is known of a person, order by order.

    Example: `orderloom customers orders C-1`
    """
    found = from_records(lambda here: here.customers.orders_of(customer))
    out = Output(as_json=as_json)
    if as_json:
        out.document({"customer": customer, "orders": [_wire(order) for order in found]})
        return
    for order in found:
        out.say(
            f"{order.order_id}: {order.state}, received {local(order.received_at)}{_mark(order)}"
        )
        for part, value in about(order).items():
            out.say(f"  {_PARTS[part]}: {_told(part, value)}")
    out.say(count_of(len(found), "order"))


@app.command()
def export(
    customer: CustomerArgument,
    out: Annotated[
        str,
        typer.Option("--out", metavar="FILE", help="Write to this file; `-`: standard output."),
    ] = STANDARD_OUTPUT,
) -> None:
    """Write a person's data into one JSON document, for that person.

    Orders as they were placed, their stories, documents, parcels and scans, payments, refunds,
    returns, holds, tasks, and store credit. Without the files of labels, and without payment
    companies' raw messages. Only you can read the file.

    Example: `orderloom customers export C-1 --out C-1.json`
    """
    document = from_records(lambda here: here.customers.export(customer))
    text = json.dumps(document, ensure_ascii=False, indent=2, default=str) + "\n"
    write_file(text, out, private=True)


@app.command()
def erase(
    customer: CustomerArgument,
    reason: Annotated[
        str, typer.Option("--reason", help="Why, without a name: it stays in each order's story.")
    ],
    by: Who = "",
    dry_run: DryRun = False,
    as_json: Json = False,
) -> None:
    """Erase a person: names, addresses, notes, labels, and what people typed about the orders.

    Amounts, units and days stay, so that the books are whole. Invoices keep their buyer for as long
    as ORDERLOOM_DOCUMENTS_KEPT_YEARS says. An order that has not ended is erased when it has.

    Example: `orderloom customers erase C-1 --reason 'asked for on 2026-11-29' --dry-run`
    """
    out = Output(as_json=as_json, dry_run=dry_run)
    who, why = reporter(by), read_reason(reason)
    done = from_records(
        lambda here: here.customers.erase(customer, who=who, why=why), dry_run=dry_run
    )
    if as_json:
        out.document(wire(done))
        return
    for order in done.orders:
        out.say(f"{order.order_id}: {_became(order)}")
    for account in done.credit:
        kept = money(account.balance_minor, account.currency)
        out.say(f"store credit of {kept} is kept under this id until it is spent")


def _became(order: ErasedOrder) -> str:
    if order.known_for is not None:
        return f"kept, because {_WHY[order.known_for]}; erased by itself as soon as that is over"
    said = "erased" if order.outcome == "erased" else "erased before"
    if not order.documents:
        return said
    papers = count_of(order.documents, "document")
    return f"{said}; {papers} kept whole until {order.documents_until}, as tax law wants"


def _mark(order: PersonsOrder) -> str:
    if order.erased_at is not None:
        return f", erased {local(order.erased_at)}"
    return ", to be erased when it is over" if order.asked_at is not None else ""


def _told(part: str, value: Any) -> str:
    if fields := _FIELDS.get(part):
        return ", ".join(str(value[field]) for field in fields if value.get(field))
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _wire(order: PersonsOrder) -> dict[str, Any]:
    told: dict[str, Any] = order.model_dump(mode="json", exclude={"document", "order_no"})
    return {**told, "about": about(order)}
