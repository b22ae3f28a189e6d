"""`orderloom stock`: what is on the shelves, and what is put there."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from domain.errors import InvalidInput
from domain.money import Money
from starter.channels.documents import label, load
from starter.channels.records import Problem
from starter.channels.stock_csv import StockRow, read_stock
from starter.cli import stock_changes, stock_levels, stock_transfers
from starter.cli.kits import kits_table
from starter.cli.options import Json, Key, Limit, Who, reporter
from starter.cli.output import Output, complain, count_of
from starter.cli.pages import AfterRow, page_of, read_row
from starter.cli.stock_changes import levels_table
from starter.connection import desk
from store.promises import KitStock
from store.stock import StockLevel

app = typer.Typer(rich_markup_mode="markdown", add_completion=False, no_args_is_help=True)


@app.callback()
def stock() -> None:
    """What is on the shelves, and what is put there. Every change is booked with who and why."""


@app.command("list")
def list_stock(
    sku: Annotated[str | None, typer.Option("--sku", help="Only this SKU.")] = None,
    location: Annotated[str | None, typer.Option("--location", help="Only there.")] = None,
    limit: Limit = 100,
    after: AfterRow = None,
    as_json: Json = False,
) -> None:
    """List stock by SKU and location; available = on hand − allocated − set aside − safety.

    For a kit, list the stock of its parts, and how many kits these would make.

    Example: `orderloom stock list --location main`
    """

    async def work() -> tuple[list[StockLevel], Sequence[KitStock]]:
        async with desk() as here:
            kits = [] if sku is None else await here.kits(sku)
            parts: list[str | None] = [part for kit in kits for part in kit.parts]
            rows = [
                await here.stock(sku=one, location=location, after=begin, at_most=limit + 1)
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


@app.command("import")
def import_stock(
    file: Annotated[str, typer.Argument(metavar="FILE|-", help="CSV; - is standard input.")],
    key: Key = None,
    reason: Annotated[str, typer.Option("--reason", help="Why; kept with each movement.")] = "",
    by: Who = "",
    as_json: Json = False,
) -> None:
    """Take in stock from a CSV file with the columns sku,location,quantity.

    What each unit has cost may stand beside it, in unit_cost,currency. A Northwind products.csv
    will do as well. The quantities are added to what is on hand. The same file again changes
    nothing, unless --key names it as another delivery. When any row is wrong, all wrong ones are
    reported and nothing is taken in.

    Example: `orderloom stock import examples/stock.csv`
    """
    out = Output(as_json=as_json)
    data = load(file)
    rows = _sound_rows(data, label(file), out)
    delivery = key or f"import-{hashlib.sha256(data).hexdigest()[:16]}"
    totals: dict[tuple[str, str], int] = {}
    costs: dict[tuple[str, str], Money | None] = {}
    for row in rows:
        place = (row.sku, row.location)
        totals[place] = totals.get(place, 0) + row.quantity
        if costs.setdefault(place, row.cost) != row.cost:
            raise InvalidInput(
                f"{row.sku} at {row.location} has another unit_cost in a row above; nothing was "
                "taken in: one delivery has one cost",
                where=f"{label(file)}:{row.line}",
            )
    why = reason or f"import of {Path(label(file)).name}"
    levels = asyncio.run(_receive_all(delivery, totals, costs, reporter(by), why))
    if as_json:
        out.document({"key": delivery, "stock": [level.model_dump() for level in levels]})
        return
    units = sum(totals.values())
    out.say(
        f"{units} units of {len(levels)} SKUs taken in as {delivery}; the same again is nothing"
    )


def _sound_rows(data: bytes, file: str, out: Output) -> list[StockRow]:
    """The rows of a sound file. Reports every fault of another one, and raises InvalidInput."""
    found = list(read_stock(data))
    problems = [item for item in found if isinstance(item, Problem)]
    if not problems:
        return [item for item in found if isinstance(item, StockRow)]
    if out.as_json:
        out.document({"problems": [{"file": file, **asdict(problem)} for problem in problems]})
    else:
        for problem in problems:
            complain(f"{file}:{problem.line}: {problem}")
    raise InvalidInput(
        f"is wrong in {count_of(len(problems), 'place')}, first in line {problems[0].line} "
        f"({problems[0]}); nothing was taken in: correct it and import it again",
        where=file,
    )


async def _receive_all(
    key: str,
    totals: dict[tuple[str, str], int],
    costs: dict[tuple[str, str], Money | None],
    who: str,
    why: str,
) -> list[StockLevel]:
    async with desk() as here:
        return [
            await here.receive_stock(key, *place, units, unit_cost=costs[place], who=who, why=why)
            for place, units in sorted(totals.items())
            if units
        ]


app.add_typer(stock_changes.app)
app.add_typer(stock_transfers.app)
app.add_typer(stock_levels.app)
