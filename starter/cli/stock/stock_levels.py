"""`orderloom stock levels, import-levels`: when SKUs are bought automatically, and how many."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Annotated

import typer

from domain.stock.stock_levels import StockLevels
from domain.words import count_of
from starter.channels.csv_table import read_table
from starter.channels.stock_csv import DEFAULT_LOCATION
from starter.cli.stock.stock_changes import levels_table
from starter.cli.terminal.options import (
    UNITS_MAX,
    DryRun,
    Json,
    Limit,
    Location,
    read_model,
)
from starter.cli.terminal.output import Output
from starter.cli.terminal.pages import AfterRow, page_of, read_row
from starter.cli.terminal.rows import import_rows
from starter.service.connection import from_records, records
from starter.service.service import Records
from store.stock.stock import StockLevel
from store.stock.stock_levels import LevelRow

app = typer.Typer(rich_markup_mode="markdown", add_completion=False)


@app.command()
def levels(
    sku: Annotated[str | None, typer.Option("--sku", help="Only this SKU.")] = None,
    location: Annotated[str | None, typer.Option("--location", help="Only there.")] = None,
    limit: Limit = 100,
    after: AfterRow = None,
    as_json: Json = False,
) -> None:
    """List SKUs that are bought automatically: at or below the reorder point, up to the level.

    Position is on hand − allocated − safety − backordered + incoming.

    Example: `orderloom stock levels --location main`
    """

    async def work() -> Sequence[LevelRow]:
        async with records() as here:
            return await here.stock.levels(
                sku=sku, location=location, after=begin, at_most=limit + 1
            )

    begin = read_row(after)
    page = page_of(asyncio.run(work()), limit, lambda row: f"{row.sku}@{row.location}")
    found = page.rows
    out = Output(as_json=as_json)
    if as_json:
        out.document({"levels": [row.model_dump() for row in found], **page.told})
    elif not found:
        out.say("nothing is bought by itself; `orderloom stock import-levels FILE.csv` sets levels")
    else:
        out.table(
            ["sku", "location", ">position", ">reorder point", ">order up to", "service level"],
            [
                (x.sku, x.location, x.position, x.reorder_point, x.order_up_to, x.service_level)
                for x in found
            ],
        )
        page.tell(out)


@app.command()
def safety(
    sku: Annotated[str, typer.Argument(metavar="SKU", show_default=False)],
    units: Annotated[
        int,
        typer.Argument(min=0, max=UNITS_MAX, help="Units to keep back.", show_default=False),
    ],
    location: Location = DEFAULT_LOCATION,
    as_json: Json = False,
) -> None:
    """Keep units of a SKU back at a location: they are neither sold nor promised. 0 keeps none.

    Buying does not count them either. Units that orders have claimed stay theirs.

    Example: `orderloom stock safety TEA-ASSAM-250 5 --location main`
    """
    content = {"sku": sku, "location": location, "safety": units}
    wanted = read_model(StockLevels, content, where="stock")

    async def work(here: Records) -> Sequence[StockLevel]:
        await here.stock.set_levels([wanted])
        return await here.stock.list(sku=wanted.sku, location=wanted.location)

    (level,) = from_records(work)
    out = Output(as_json=as_json)
    if as_json:
        out.document(level.model_dump())
    else:
        levels_table(out, [level])


@app.command("import-levels")
def import_levels(
    file: Annotated[str, typer.Argument(metavar="FILE|-", help="CSV; - is standard input.")],
    dry_run: DryRun = False,
    as_json: Json = False,
) -> None:
    """Set levels from a CSV file: sku, location, reorder_point, order_up_to, service_level, safety.

    With a service level (such as 0.95) the levels follow demand. A row with safety alone sets the
    safety stock, and leaves the levels as they are. A row with none of these is not bought by
    itself any more. What is low is bought at once. Rows that are wrong are reported with their
    line, and the others are taken.

    Example: `orderloom stock import-levels examples/levels.csv`
    """
    out = Output(as_json=as_json, dry_run=dry_run)

    async def save(here: Records, levels: Sequence[StockLevels]) -> None:
        await here.stock.set_levels(levels)

    rows, faults = import_rows(file, lambda source: read_table(source, StockLevels), save, out)
    if as_json:
        out.document({"levels": rows, **faults.told})
    else:
        out.say(f"{count_of(rows, 'level')} set")
    faults.end()
