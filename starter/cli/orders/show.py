"""`orderloom show`: one order, from PostgreSQL."""

from __future__ import annotations

import asyncio

import typer

from starter.cli.terminal.options import Json, OrderId
from starter.cli.terminal.output import Output, wire
from starter.cli.terminal.rendering import order_page
from starter.service.connection import database, ui_link
from store.views import reads

app = typer.Typer(rich_markup_mode="markdown", add_completion=False)


@app.command()
def show(order: OrderId, as_json: Json = False) -> None:
    """All there is about one order: units, parcels, returns, money, and what needs attention.

    Example: `orderloom show web-1001`
    """
    asyncio.run(_show(order, Output(as_json=as_json)))


async def _show(order_id: str, out: Output) -> None:
    async with database() as pool, pool.acquire() as conn:
        detail = await reads.detail(conn, order_id)
    if out.as_json:
        out.document(wire(detail, detail.summary.currency))
    else:
        order_page(out, detail, ui_link(order_id))
