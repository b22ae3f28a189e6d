"""`orderloom purchase-orders acknowledge, agree, …`: what suppliers and docks report."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Annotated, Any

import typer

from domain.errors import InvalidInput
from domain.fields import Day, Document
from domain.purchasing.purchase_orders import Acknowledged
from starter.cli.terminal.options import (
    Json,
    Key,
    Who,
    fresh_id,
    read_model,
    read_reason,
    read_units,
    reporter,
)
from starter.cli.terminal.output import Output, money, wire
from starter.service.connection import records
from starter.service.purchase_records import PurchaseRecords
from store.purchasing.purchase_reads import PurchaseOrder

app = typer.Typer(rich_markup_mode="markdown", add_completion=False)

PurchaseId = Annotated[
    str,
    typer.Argument(metavar="PO", help="Purchase order, such as PO-5ff1c0de.", show_default=False),
]
Counts = Annotated[
    list[str] | None,
    typer.Option(
        "--count",
        metavar="SKU=UNITS",
        help="Units; may be given several times. Left out: all that is outstanding.",
        show_default=False,
    ),
]


def orders_table(out: Output, orders: Sequence[PurchaseOrder]) -> None:
    """Purchase orders, for people."""
    out.table(
        [
            *("purchase order", "state", "supplier", "location", ">ordered", ">received"),
            *(">outstanding", ">worth", "due", "attention"),
        ],
        [
            (
                *(order.po_id, order.state, order.supplier, order.location),
                sum(line.quantity for line in order.lines),
                sum(line.received for line in order.lines),
                order.outstanding,
                money(order.worth.minor, order.currency),
                order.due_on,
                order.attention,
            )
            for order in orders
        ],
    )


def tell_order(order: PurchaseOrder, out: Output) -> None:
    """A purchase order as it is now."""
    if out.as_json:
        out.document(wire(order))
    else:
        orders_table(out, [order])


class _Answer(Document):
    due_on: Day | None


@app.command()
def acknowledge(
    po_id: PurchaseId,
    count: Counts = None,
    due: Annotated[
        str | None, typer.Option("--due", metavar="DATE", help="When it comes; else as asked.")
    ] = None,
    key: Key = None,
    by: Who = "",
    as_json: Json = False,
) -> None:
    """Report a supplier's answer: how many units will arrive in all, and when.

    Units that the supplier will not send are cancelled; SKUs without a count arrive as ordered. If
    the day slips, report it again under another key.

    Example: `orderloom purchase-orders acknowledge PO-5ff1c0de9a3b --due 2026-12-08`
    """
    due_on = read_model(_Answer, {"due_on": due}, where="--due").due_on
    counts = {} if count is None else read_units(count)

    async def work(buying: PurchaseRecords) -> None:
        order = await buying.order(po_id)
        lines = {line.sku: line for line in order.lines}
        if unknown := sorted(set(counts) - set(lines)):
            raise InvalidInput(f"{po_id} has no {', '.join(unknown)}", where="--count")
        answer = {
            sku: Acknowledged(
                quantity=counts.get(sku, line.quantity - line.cancelled),
                due_on=due_on or line.due_on,
            )
            for sku, line in lines.items()
        }
        await buying.acknowledge(po_id, key or fresh_id("cli"), answer, who=reporter(by))

    _report(po_id, work, as_json=as_json)


@app.command()
def agree(
    po_id: PurchaseId,
    reason: Annotated[str, typer.Option("--reason", help="Why.")] = "",
    key: Key = None,
    by: Who = "",
    as_json: Json = False,
) -> None:
    """Take what a supplier has answered, although it is not what was ordered.

    Nobody has to look at that answer any more. It changes no unit and no day.

    Example: `orderloom purchase-orders agree PO-5ff1c0de9a3b --by kim`
    """

    async def work(buying: PurchaseRecords) -> None:
        await buying.agree(po_id, key or fresh_id("cli"), who=reporter(by), why=reason)

    _report(po_id, work, as_json=as_json)


def parcel_named(carrier: str | None, number: str | None) -> tuple[str, str] | None:
    """The parcel that goes to a customer, if it is told. Raises InvalidInput for one half."""
    if carrier is None and number is None:
        return None
    if not carrier or not number:
        raise InvalidInput("a parcel has both, or none is told", where="--carrier")
    return carrier, number


@app.command()
def ship(
    po_id: PurchaseId,
    count: Counts = None,
    carrier: Annotated[
        str | None, typer.Option("--carrier", help="Who carries it, where a customer gets it.")
    ] = None,
    tracking_number: Annotated[
        str | None, typer.Option("--tracking-number", help="The carrier's number of it.")
    ] = None,
    key: Key = None,
    by: Who = "",
    as_json: Json = False,
) -> None:
    """Report that a supplier has sent units on their way.

    What goes straight to a customer is handed over with that.

    Example: `orderloom purchase-orders ship PO-5ff1c0de9a3b --count TEA-ASSAM-250=24`
    """
    units = None if count is None else read_units(count)

    async def work(buying: PurchaseRecords) -> None:
        await buying.ship(
            *(po_id, key or fresh_id("cli"), units),
            parcel=parcel_named(carrier, tracking_number),
            who=reporter(by),
        )

    _report(po_id, work, as_json=as_json)


@app.command()
def receive(
    po_id: PurchaseId,
    count: Counts = None,
    rest_is_cancelled: Annotated[
        bool, typer.Option("--rest-is-cancelled", help="What did not come is not awaited.")
    ] = False,
    key: Key = None,
    by: Who = "",
    as_json: Json = False,
) -> None:
    """Report goods that arrived. Missing ones may still arrive, unless the rest is cancelled.

    Refused for an order that is closed, and for more than was ordered and the tolerance.

    Example: `orderloom purchase-orders receive PO-5ff1c0de9a3b --count TEA-ASSAM-250=24`
    """
    units = None if count is None else read_units(count)

    async def work(buying: PurchaseRecords) -> None:
        await buying.receive(
            po_id,
            key or fresh_id("cli"),
            units,
            rest_is_cancelled=rest_is_cancelled,
            who=reporter(by),
        )

    _report(po_id, work, as_json=as_json)


@app.command()
def refuse(
    po_id: PurchaseId,
    reason: Annotated[str, typer.Option("--reason", help="Why, as the supplier says.")],
    by: Who = "",
    as_json: Json = False,
) -> None:
    """Report that a supplier will not serve an order, or its rest; another supplier is asked.

    Example: `orderloom purchase-orders refuse PO-5ff1c0de9a3b --reason 'out of production'`
    """
    why = read_reason(reason)

    async def work(buying: PurchaseRecords) -> None:
        await buying.refuse(po_id, why, who=reporter(by))

    _report(po_id, work, as_json=as_json)


def _report(
    po_id: str, work: Callable[[PurchaseRecords], Awaitable[Any]], *, as_json: bool
) -> None:
    async def do() -> PurchaseOrder:
        async with records() as here:
            await work(here.purchasing)
            return await here.purchasing.order(po_id)

    tell_order(asyncio.run(do()), Output(as_json=as_json))
