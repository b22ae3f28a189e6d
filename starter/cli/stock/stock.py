"""`orderloom stock`: the stock, and every change of it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Annotated

import typer

from starter.cli.stock import stock_changes, stock_import, stock_levels, stock_transfers
from starter.cli.stock.kits import kits_table
from starter.cli.stock.stock_changes import levels_table
from starter.cli.terminal.options import Json, Limit
from starter.cli.terminal.output import Output
from starter.cli.terminal.pages import AfterRow, page_of, read_row
from starter.service.connection import records
from store.stock.promises import KitStock
from store.stock.stock import StockLevel

app = typer.Typer(rich_markup_mode="markdown", add_completion=False, no_args_is_help=True)


@app.callback()
def stock() -> None:
    """The stock, and every change of it. Each change is booked with who and why."""


@app.command("list")
def list_stock(
    sku: Annotated[str | None, typer.Option("--sku", help="Only this SKU.")] = None,
    location: Annotated[str | None, typer.Option("--location", help="Only there.")] = None,
    limit: Limit = 100,
    after: AfterRow = None,
    as_json: Json = False,
) -> None:
    """List stock by SKU and location; available = on hand − allocated − soft reserved − safety.

    For a kit, list the stock of its parts, and how many kits these would make.

    Example: `orderloom stock list --location main`
    """

    async def work() -> tuple[list[StockLevel], Sequence[KitStock]]:
        async with records() as here:
            kits = [] if sku is None else await here.catalogue.kits(sku)
            parts: list[str | None] = [part for kit in kits for part in kit.parts]
            rows = [
                await here.stock.list(sku=one, location=location, after=begin, at_most=limit + 1)
                for one in parts or [sku]
            ]
            return [level for levels in rows for level in levels], kits

    begin = read_row(after)
    found, kits = asyncio.run(work())
    page = page_of(found, limit, lambda level: f"{level.sku}@{level.location}")
    levels = page.rows
    out = Output(as_json=as_json)
    if as_json:
        told = {"kits": [kit.model_dump() for kit in kits]} if kits else {}
        out.document({"stock": [level.model_dump() for level in levels], **page.told, **told})
    elif not levels:
        out.say("no stock; `orderloom stock import FILE.csv` takes some in")
    else:
        levels_table(out, levels)
        page.tell(out)
        if kits:
            out.say()
            kits_table(out, kits)


app.add_typer(stock_import.app)
app.add_typer(stock_changes.app)
app.add_typer(stock_transfers.app)
app.add_typer(stock_levels.app)
