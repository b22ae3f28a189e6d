"""`orderloom orders`: a list, from PostgreSQL."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any

import typer

from domain.views.order_snapshot import OrderState
from starter.cli.terminal.options import Json, Limit, read_moment
from starter.cli.terminal.output import Output, wire
from starter.cli.terminal.rendering import attention_list, orders_table
from starter.service.connection import records

app = typer.Typer(rich_markup_mode="markdown", add_completion=False)


@app.command()
def orders(
    state: Annotated[OrderState | None, typer.Option("--state", help="Only in this state.")] = None,
    channel: Annotated[
        str | None, typer.Option("--channel", metavar="CODE", help="Only from here.")
    ] = None,
    seller: Annotated[
        str | None, typer.Option("--seller", metavar="CODE", help="Only of this seller.")
    ] = None,
    customer: Annotated[
        str | None, typer.Option("--customer", metavar="ID", help="Only of this customer.")
    ] = None,
    attention: Annotated[
        bool | None,
        typer.Option(
            "--attention/--no-attention",
            help="Only those that need attention, or only the others.",
            show_default=False,
        ),
    ] = None,
    placed_from: Annotated[
        str | None,
        typer.Option("--placed-from", metavar="TIME", help="Placed then or later; 2026-11-22."),
    ] = None,
    placed_to: Annotated[
        str | None, typer.Option("--placed-to", metavar="TIME", help="Placed before then.")
    ] = None,
    limit: Limit = 100,
    as_json: Json = False,
) -> None:
    """List orders, newest first. With --attention also the steps that a person must decide.

    Example: `orderloom orders --state delivered --placed-from 2026-11-01`
    """
    filters = {
        "state": state,
        "channel": channel,
        "seller": seller,
        "customer_id": customer,
        "attention": attention,
        "placed_from": read_moment(placed_from, "--placed-from"),
        "placed_to": read_moment(placed_to, "--placed-to"),
    }
    asyncio.run(_list(filters, limit, Output(as_json=as_json)))


async def _list(filters: dict[str, Any], limit: int, out: Output) -> None:
    async with records() as here:
        # One more than is shown tells whether there are more.
        found = await here.orders.list(**filters, at_most=limit + 1)
        shown = found[:limit]
        ids = [order.order_id for order in shown if order.attention]
        steps = await here.orders.attention(ids) if filters["attention"] else []
    if out.as_json:
        told = {"steps": [wire(step) for step in steps]} if filters["attention"] else {}
        content = {"orders": [wire(order) for order in shown], **told, "more": len(found) > limit}
        out.document(content)
        return
    if not shown:
        out.say("no orders")
        return
    orders_table(out, shown)
    if steps:
        out.say()
        attention_list(out, steps)
    if len(found) > limit:
        out.say(f"… and more: --limit shows more than {limit}")
