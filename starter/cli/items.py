"""`orderloom items`: what the shop says of SKUs."""

from __future__ import annotations

from typing import Annotated

import typer

from starter.channels.documents import label, load
from starter.channels.items_csv import read_items
from starter.cli.options import Json
from starter.cli.output import Output, count_of
from starter.cli.rows import as_rows, sort_out, tell_of
from starter.connection import at_the_desk
from starter.desk import Desk

app = typer.Typer(rich_markup_mode="markdown", add_completion=False, no_args_is_help=True)


@app.callback()
def items() -> None:
    """What the shop says of SKUs: may they be backordered, from when on, or no more."""


@app.command("list")
def list_items(as_json: Json = False) -> None:
    """List the SKUs of which something is said; all others may not be backordered.

    Example: `orderloom items list`
    """

    found = at_the_desk(Desk.items)
    out = Output(as_json=as_json)
    if as_json:
        out.document({"items": [item.model_dump(mode="json") for item in found]})
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


@app.command("import")
def import_items(
    file: Annotated[str, typer.Argument(metavar="FILE|-", help="CSV; - is standard input.")],
    as_json: Json = False,
) -> None:
    """Say of SKUs what a CSV file says: sku, name, backorder, available_from, discontinued.

    A Northwind products.csv will do as well: its products may be backordered, but not those that
    are discontinued. Rows that are wrong are reported with their line, and the others are taken.

    Example: `orderloom items import examples/items.csv`
    """
    out = Output(as_json=as_json)
    found, problems = sort_out(read_items(load(file)))
    wanted = list({entry.content.sku: entry.content for entry in found}.values())

    if wanted:
        at_the_desk(lambda here: here.set_items(wanted))
    if as_json:
        out.document({"items": [item.sku for item in wanted], "problems": as_rows(problems)})
    else:
        out.say(f"{count_of(len(wanted), 'SKU')} set")
    tell_of(problems, label(file), out)
