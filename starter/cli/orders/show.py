"""`orderloom show`: one order, from PostgreSQL."""

from __future__ import annotations

import typer

from starter.cli.terminal.named import OrderName, order_named
from starter.cli.terminal.options import Json
from starter.cli.terminal.output import Output, wire
from starter.cli.terminal.rendering import order_page
from starter.service.connection import from_records, ui_link

app = typer.Typer(rich_markup_mode="markdown", add_completion=False)


@app.command()
def show(order: OrderName, as_json: Json = False) -> None:
    """Show everything about an order: units, parcels, returns, money, and what needs attention.

    Example: `orderloom show web-1001`
    """
    order = order_named(order)
    detail = from_records(lambda here: here.orders.get(order))
    out = Output(as_json=as_json)
    if as_json:
        out.document(wire(detail, detail.summary.currency))
    else:
        order_page(out, detail, ui_link(order))
