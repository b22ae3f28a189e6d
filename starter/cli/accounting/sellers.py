"""`orderloom sellers`: the legal entity that documents name, and whose days the books go by."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from domain.sellers import Seller, Sellers
from starter.cli.terminal.options import DryRun, Json, read_json_file
from starter.cli.terminal.output import Output
from starter.service.connection import from_records

app = typer.Typer(rich_markup_mode="markdown", add_completion=False, no_args_is_help=True)


@app.callback()
def sellers() -> None:
    """Who sells: name, address, tax number and time zone, as documents and the books have them."""


@app.command("list")
def list_sellers(as_json: Json = False) -> None:
    """List the sellers: as yet, one.

    Example: `orderloom sellers list --json > sellers.json`
    """
    found: Sequence[Seller] = from_records(lambda here: here.sellers.list())
    out = Output(as_json=as_json)
    if as_json:
        document = Sellers(sellers=tuple(found))
        out.document(document.model_dump(mode="json", exclude_none=True))
    else:
        out.table(
            ["seller", "name", "address", "tax number", "time zone"],
            [
                (one.seller, one.name, ", ".join(one.address), one.tax_number, one.time_zone)
                for one in found
            ],
        )


@app.command("import")
def import_sellers(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="JSON, as `list --json` prints it.")],
    dry_run: DryRun = False,
    as_json: Json = False,
) -> None:
    """Replace what is known of the seller. What was issued before keeps the old name and day.

    `orderloom schema sellers` describes the file.

    Example: `orderloom sellers import examples/sellers.json`
    """
    (seller,) = read_json_file(Sellers, file).sellers
    from_records(lambda here: here.sellers.save(seller), dry_run=dry_run)
    out = Output(as_json=as_json, dry_run=dry_run)
    if as_json:
        out.document({"sellers": [seller.seller]})
    else:
        out.say(f"{seller.seller} is {seller.name}, in {seller.time_zone}")
