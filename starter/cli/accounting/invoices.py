"""`orderloom invoices`: what has been issued, from PostgreSQL."""

from __future__ import annotations

import asyncio
from typing import Annotated

import typer

from starter.cli.terminal.options import Json, Limit
from starter.cli.terminal.output import Output, money, wire
from starter.service.connection import database
from store.accounting.documents import DocumentRow, newest, of_order

app = typer.Typer(rich_markup_mode="markdown", add_completion=False)


@app.command()
def invoices(
    order: Annotated[
        str | None,
        typer.Argument(metavar="[ORDER]", help="Only of this order.", show_default=False),
    ] = None,
    limit: Limit = 100,
    as_json: Json = False,
) -> None:
    """List invoices and credit notes: an order's from the first on, or everybody's, newest first.

    Example: `orderloom invoices web-1001`
    """
    asyncio.run(_list(order, limit, Output(as_json=as_json)))


async def _list(order_id: str | None, limit: int, out: Output) -> None:
    async with database() as pool, pool.acquire() as conn:
        found = await newest(conn, limit) if order_id is None else await of_order(conn, order_id)
    if out.as_json:
        out.document({"documents": [wire(one) for one in found[:limit]]})
    elif not found:
        out.say("no documents")
    else:
        _table(found[:limit], out)


def _table(documents: list[DocumentRow], out: Output) -> None:
    out.table(
        ["number", "kind", "issued on", "order", "for", ">total"],
        [
            (
                one.number,
                one.kind.replace("_", " "),
                one.issued_on,
                one.order_id,
                one.part_id,
                money(one.total_minor, one.currency),
            )
            for one in documents
        ],
    )
