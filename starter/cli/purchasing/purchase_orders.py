"""`orderloom purchase-orders`: goods on order, and people's decisions about them."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Annotated, Any

import typer
from pydantic import Field

from domain import fields
from domain.errors import OrderloomError
from domain.fields import Document, Id, Sku
from domain.money import price_text
from domain.purchasing.purchase_orders import OnOrder
from domain.stock.stock_levels import Units
from domain.words import count_of
from starter.channels.csv_table import Entry, read_table
from starter.channels.documents import label, load
from starter.channels.read_results import Problem
from starter.channels.stock_csv import DEFAULT_LOCATION
from starter.cli.purchasing import purchase_document, purchase_reporting
from starter.cli.purchasing.purchase_reporting import PurchaseId, orders_table, tell_order
from starter.cli.terminal.options import (
    DryRun,
    Json,
    Limit,
    Location,
    Who,
    read_model,
    read_reason,
    read_units,
    reporter,
)
from starter.cli.terminal.output import Output, local, money, wire
from starter.cli.terminal.rows import as_rows, sort_out, tell_of
from starter.service.connection import records, service
from starter.service.service import Service
from starter.service.updates import answered
from store.purchasing.purchase_reads import PurchaseEvent, PurchaseOrder

app = typer.Typer(rich_markup_mode="markdown", add_completion=False, no_args_is_help=True)


@app.callback()
def purchase_orders() -> None:
    """Goods on order with suppliers: each purchase order is a durable workflow."""


@app.command("list")
def list_orders(
    all_of_them: Annotated[bool, typer.Option("--all", help="Also those that ended.")] = False,
    sku: Annotated[str | None, typer.Option("--sku", help="Only with this SKU.")] = None,
    supplier: Annotated[str | None, typer.Option("--supplier", help="Only from there.")] = None,
    limit: Limit = 100,
    as_json: Json = False,
) -> None:
    """List purchase orders, newest first; proposed ones wait for approval.

    Example: `orderloom purchase-orders list --sku TEA-ASSAM-250`
    """

    async def work() -> Sequence[PurchaseOrder]:
        async with records() as here:
            return await here.purchasing.orders(
                only_open=not all_of_them, sku=sku, supplier=supplier, at_most=limit
            )

    found = asyncio.run(work())
    out = Output(as_json=as_json)
    if as_json:
        out.document({"purchase_orders": [wire(order) for order in found]})
    elif not found:
        out.say("nothing is on order")
    else:
        orders_table(out, found)


@app.command("show")
def show_order(po_id: PurchaseId, as_json: Json = False) -> None:
    """Show a purchase order: its lines, and its story with who and why.

    Example: `orderloom purchase-orders show PO-5ff1c0de9a3b`
    """

    async def work() -> tuple[PurchaseOrder, Sequence[PurchaseEvent]]:
        async with records() as here:
            return await here.purchasing.order(po_id), await here.purchasing.story(po_id)

    order, story = asyncio.run(work())
    out = Output(as_json=as_json)
    if as_json:
        events = [event.model_dump(mode="json") for event in story]
        out.document({**wire(order), "events": events})
        return
    out.say(
        f"{order.po_id}  {order.state}, {order.supplier_name} ({order.supplier}) for "
        f"{order.location}, {money(order.worth.minor, order.currency)}"
    )
    if order.attention:
        out.say(f"needs attention: {order.attention}")
    out.table(
        [
            *("sku", ">ordered", ">acknowledged", ">shipped", ">received", ">cancelled"),
            *(">outstanding", ">price", "due"),
        ],
        [
            (
                *(line.sku, line.quantity, line.acknowledged, line.shipped or None),
                *(line.received, line.cancelled),
                *(line.outstanding, price_text(line.unit_price, order.currency), line.due_on),
            )
            for line in order.lines
        ],
    )
    for event in story:
        why = f": {event.why}" if event.why else ""
        out.say(f"{local(event.at)}  {event.what}, by {event.who}{why}")


class _Proposal(Document):
    supplier: Id
    location: Id
    po_id: Annotated[Id, Field(max_length=22)] | None
    units: dict[Sku, Units]
    who: fields.Who
    why: fields.Reason


@app.command()
def propose(
    supplier: Annotated[str, typer.Argument(metavar="SUPPLIER", show_default=False)],
    units: Annotated[
        list[str], typer.Argument(metavar="SKU=UNITS...", help="What to buy.", show_default=False)
    ],
    location: Location = DEFAULT_LOCATION,
    po_id: Annotated[
        str | None, typer.Option("--id", help="Names it; the same again is the same order.")
    ] = None,
    reason: Annotated[str, typer.Option("--reason", help="Why.")] = "by hand",
    by: Who = "",
    as_json: Json = False,
) -> None:
    """Buy by hand. Like any order, it needs no approval up to its limit.

    Units on order without an answer from the supplier are not ordered a second time.

    Example: `orderloom purchase-orders propose assam-gardens TEA-ASSAM-250=48`
    """
    content = {
        "supplier": supplier,
        "location": location,
        "po_id": po_id,
        "units": read_units(units),
        "who": reporter(by),
        "why": reason,
    }
    wanted = read_model(_Proposal, content, where="purchase-orders")

    async def work() -> PurchaseOrder:
        async with records() as here:
            made = await here.purchasing.propose(
                wanted.supplier,
                wanted.location,
                wanted.units,
                po_id=wanted.po_id,
                who=wanted.who,
                why=wanted.why,
            )
            return await here.purchasing.order(made)

    tell_order(asyncio.run(work()), Output(as_json=as_json))


@app.command()
def approve(
    po_id: PurchaseId,
    reason: Annotated[str, typer.Option("--reason", help="Why.")] = "",
    by: Who = "",
    as_json: Json = False,
) -> None:
    """Approve a purchase order that is above the limit; it is sent then.

    Example: `orderloom purchase-orders approve PO-5ff1c0de9a3b --by kim`
    """
    who = reporter(by)
    _decide(
        po_id, lambda here: here.purchasing.approve(po_id, by=who, reason=reason), as_json=as_json
    )


@app.command()
def cancel(
    po_id: PurchaseId,
    reason: Annotated[str, typer.Option("--reason", help="Why.")],
    by: Who = "",
    as_json: Json = False,
) -> None:
    """Cancel the outstanding units of a purchase order, if its supplier agrees.

    Example: `orderloom purchase-orders cancel PO-5ff1c0de9a3b --reason 'ordered by mistake'`
    """
    who, why = reporter(by), read_reason(reason)
    _decide(po_id, lambda here: here.purchasing.cancel(po_id, by=who, reason=why), as_json=as_json)


def _decide(po_id: str, do: Callable[[Service], Awaitable[None]], *, as_json: bool) -> None:
    async def work() -> PurchaseOrder:
        async with service() as here:
            await answered(do(here), again="saying it again changes nothing")
            return await here.purchasing.order(po_id)

    tell_order(asyncio.run(work()), Output(as_json=as_json))


@app.command("import")
def import_orders(
    file: Annotated[str, typer.Argument(metavar="FILE|-", help="CSV; - is standard input.")],
    reason: Annotated[str, typer.Option("--reason", help="Why.")] = "ordered before",
    by: Who = "",
    dry_run: DryRun = False,
    as_json: Json = False,
) -> None:
    """Enter goods that are on order already: supplier, sku, location, quantity, due_on.

    They count as sent and acknowledged. The rows of one supplier, location and day are one purchase
    order; the same file again changes nothing. Wrong rows are reported with their line, and the
    others are imported: correct those rows, and import them alone.

    Example: `orderloom purchase-orders import examples/on-order.csv`
    """
    out = Output(as_json=as_json, dry_run=dry_run)
    rows, problems = sort_out(read_table(load(file), OnOrder))
    who, why = reporter(by), read_reason(reason)
    entered = asyncio.run(_enter(rows, problems, who, why, dry_run=dry_run))
    problems.sort(key=lambda problem: problem.line)
    if as_json:
        out.document({"entered": entered, "problems": as_rows(problems)})
    else:
        out.say(f"{count_of(len(entered), 'purchase order')} entered")
    tell_of(problems, label(file), out)


async def _enter(
    rows: Sequence[Entry[OnOrder]], problems: list[Problem], who: str, why: str, *, dry_run: bool
) -> list[str]:
    """Enter rows; refused ones become problems. Returns the new ids."""
    grouped: dict[tuple[Any, ...], list[Entry[OnOrder]]] = {}
    for row in rows:
        key = row.content.supplier, row.content.location, row.content.due_on
        grouped.setdefault(key, []).append(row)
    entered: list[str] = []
    async with records(dry_run=dry_run) as here:
        for group in grouped.values():
            try:
                content = [row.content for row in group]
                entered += await here.purchasing.enter(content, who=who, why=why)
            except OrderloomError:
                for row in group:  # each by itself, so that one that is wrong costs only itself
                    try:
                        entered += await here.purchasing.enter([row.content], who=who, why=why)
                    except OrderloomError as error:
                        problems.append(Problem(row.line, "", str(error)))
    return entered


app.add_typer(purchase_document.app)
app.add_typer(purchase_reporting.app)
