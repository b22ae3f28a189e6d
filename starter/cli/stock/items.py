"""`orderloom items`: the shop's settings for SKUs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import typer

from domain.stock.items import Item
from domain.words import count_of
from starter.channels.items_csv import read_items
from starter.cli.terminal.options import DryRun, Json, Limit
from starter.cli.terminal.output import Output
from starter.cli.terminal.pages import page_of
from starter.cli.terminal.rows import import_rows
from starter.service.connection import from_records
from starter.service.service import Records

app = typer.Typer(rich_markup_mode="markdown", add_completion=False, no_args_is_help=True)


@app.callback()
def items() -> None:
    """Settings for SKUs: may they be backordered, when are they on sale, are they discontinued."""


@app.command("list")
def list_items(
    sku: Annotated[str | None, typer.Option("--sku", help="Only this SKU.")] = None,
    limit: Limit = 100,
    after: Annotated[
        str | None,
        typer.Option("--after", metavar="SKU", help="Begin behind this SKU: the next page."),
    ] = None,
    as_json: Json = False,
) -> None:
    """List the SKUs that have settings; all others may not be backordered.

    Example: `orderloom items list`
    """

    async def work(here: Records) -> Sequence[Item]:
        return await here.catalogue.items(sku=sku, after=after, at_most=limit + 1)

    page = page_of(from_records(work), limit, lambda item: item.sku)
    found = page.rows
    out = Output(as_json=as_json)
    if as_json:
        out.document({"items": [item.model_dump(mode="json") for item in found], **page.told})
    elif not found:
        out.say("nothing is said of any SKU; `orderloom items import FILE.csv` does")
    else:
        out.table(
            ["sku", "name", "backorder", "available from", "discontinued"],
            [
                (
                    item.sku,
                    item.name,
                    "yes" if item.backorder else "",
                    item.available_from,
                    "yes" if item.discontinued else "",
                )
                for item in found
            ],
        )
        page.tell(out)


@app.command("import")
def import_items(
    file: Annotated[str, typer.Argument(metavar="FILE|-", help="CSV; - is standard input.")],
    dry_run: DryRun = False,
    as_json: Json = False,
) -> None:
    """Set SKUs from a CSV file: sku, name, backorder, available_from, discontinued.

    A Northwind products.csv works as well: its products may be backordered, except discontinued
    ones. Wrong rows are reported with their line, and the others are imported.

    Example: `orderloom items import examples/items.csv`
    """
    out = Output(as_json=as_json, dry_run=dry_run)
    rows, faults = import_rows(
        file, read_items, lambda here, some: here.catalogue.set_items(some), out
    )
    if as_json:
        out.document({"rows": rows, **faults.told})
    else:
        out.say(f"{count_of(rows, 'row')} set")
    faults.end()
