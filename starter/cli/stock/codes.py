"""`orderloom codes`: codes that are sold, and those that customers have. They are secrets."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import typer

from domain.stock.licences import Licence
from starter.channels.licences_csv import read_licences
from starter.cli.terminal.named import OrderName, order_named
from starter.cli.terminal.options import DryRun, Json, Who, reporter
from starter.cli.terminal.output import Output, local
from starter.cli.terminal.rows import import_rows
from starter.service.connection import from_records
from starter.service.service import Records

app = typer.Typer(rich_markup_mode="markdown", add_completion=False, no_args_is_help=True)

DIGITAL_LOCATION = "digital"


@app.callback()
def codes() -> None:
    """Codes that are sold, and the codes that customers have. They are secrets of the customers."""


@app.command()
def show(order: OrderName, as_json: Json = False) -> None:
    """Show the codes of an order: with which its goods are collected, and those that it bought.

    Example: `orderloom codes show web-1001`
    """
    order = order_named(order)
    found = from_records(lambda here: here.codes.of_order(order))
    out = Output(as_json=as_json)
    if as_json:
        out.document(found.model_dump(mode="json"))
        return
    if not found.to_collect and not found.bought:
        out.say(f"{order} has no codes")
    if found.to_collect:
        out.table(
            ["to collect", "code", "at", "ready", "collected"],
            [
                (
                    one.fulfilment_id,
                    one.code,
                    one.location,
                    local(one.ready_at),
                    local(one.collected_at) if one.collected_at else "",
                )
                for one in found.to_collect
            ],
        )
    if found.bought:
        out.table(
            ["line", "SKU", "code", "given", "revoked"],
            [
                (
                    one.line_id,
                    one.sku,
                    one.code,
                    local(one.given_at),
                    local(one.revoked_at) if one.revoked_at else "",
                )
                for one in found.bought
            ],
        )


@app.command("list")
def list_codes(
    sku: Annotated[str | None, typer.Option("--sku", help="Only this SKU.")] = None,
    as_json: Json = False,
) -> None:
    """List how many codes there are of each SKU: to sell, given out, and revoked.

    Example: `orderloom codes list`
    """
    found = from_records(lambda here: here.codes.counts(sku))
    out = Output(as_json=as_json)
    if as_json:
        out.document({"codes": [one.model_dump() for one in found]})
    elif not found:
        out.say("no codes; `orderloom codes import FILE.csv` adds some")
    else:
        out.table(
            ["sku", "location", "to sell", "given out", "revoked"],
            [(one.sku, one.location, one.free, one.given, one.revoked) for one in found],
        )


@app.command("import")
def import_codes(
    file: Annotated[str, typer.Argument(metavar="FILE|-", help="CSV; - is standard input.")],
    location: Annotated[
        str, typer.Option("--location", help="Where they are stock; one that is new is made.")
    ] = DIGITAL_LOCATION,
    by: Who = "",
    dry_run: DryRun = False,
    as_json: Json = False,
) -> None:
    """Add codes to sell from a CSV file: sku, code. The item of each SKU must be digital.

    Each code is one unit of stock. One that is known already changes nothing.

    Example: `orderloom codes import licences.csv`
    """
    out = Output(as_json=as_json, dry_run=dry_run)
    added: dict[str, int] = {}

    async def save(here: Records, some: Sequence[Licence]) -> None:
        for sku, units in (await here.codes.take_in(some, location, who=reporter(by))).items():
            added[sku] = added.get(sku, 0) + units

    _, faults = import_rows(file, read_licences, save, out)
    if as_json:
        out.document({"added": added, **faults.told})
    else:
        out.say(f"added: {', '.join(f'{n} × {sku}' for sku, n in added.items()) or 'none'}")
    faults.end()
