"""`orderloom kits`: SKUs that are sold as one and kept in stock as their parts."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Annotated

import typer

from domain.errors import OrderloomError, Unreachable
from domain.stock.kits import Kit
from domain.words import count_of
from starter.channels.csv_table import Entry
from starter.channels.documents import label, load
from starter.channels.kits_csv import read_kits
from starter.channels.read_results import Problem
from starter.cli.terminal.options import DryRun, Json
from starter.cli.terminal.output import Output
from starter.cli.terminal.rows import as_rows, sort_out, tell_of
from starter.service.connection import records
from store.stock.promises import KitStock

app = typer.Typer(rich_markup_mode="markdown", add_completion=False, no_args_is_help=True)


@app.callback()
def kits() -> None:
    """SKUs that are sold as one and kept in stock as their parts: gift boxes, sets, multipacks."""


@app.command("list")
def list_kits(as_json: Json = False) -> None:
    """List kits with their parts, and how many kits the free parts make.

    Example: `orderloom kits list`
    """

    async def work() -> list[KitStock]:
        async with records() as here:
            return list(await here.catalogue.kits())

    found = asyncio.run(work())
    out = Output(as_json=as_json)
    if as_json:
        out.document({"kits": [kit.model_dump() for kit in found]})
    elif not found:
        out.say("no kits; `orderloom kits import FILE.csv` says what they are made of")
    else:
        kits_table(out, found)


def kits_table(out: Output, kits: Sequence[KitStock]) -> None:
    """Kits, for people."""
    out.table(
        ["kit", "made of", "could be made up"],
        [(kit.sku, Kit(sku=kit.sku, parts=kit.parts), _where(kit)) for kit in kits],
    )


def _where(kit: KitStock) -> str:
    there = [f"{units} at {place}" for place, units in sorted(kit.available.items()) if units]
    return ", ".join(there) or "none"


@app.command("import")
def import_kits(
    file: Annotated[str, typer.Argument(metavar="FILE|-", help="CSV; - is standard input.")],
    dry_run: DryRun = False,
    as_json: Json = False,
) -> None:
    """Define kits from a CSV file with the columns kit,part,units.

    A kit has a row for each of its parts. The new parts apply from the next order on; kits that are
    not in the file stay as they are. A wrong row is reported with its line, and costs only its kit.

    Example: `orderloom kits import examples/kits.csv`
    """
    out = Output(as_json=as_json, dry_run=dry_run)
    found, problems = sort_out(read_kits(load(file)))
    made, refused = asyncio.run(_define(found, dry_run=dry_run))
    problems = sorted([*problems, *refused], key=lambda problem: problem.line)
    if as_json:
        out.document({"kits": [kit.sku for kit in made], "problems": as_rows(problems)})
    else:
        out.say(f"{count_of(len(made), 'kit')} set")
    tell_of(problems, label(file), out)


async def _define(found: Sequence[Entry[Kit]], *, dry_run: bool) -> tuple[list[Kit], list[Problem]]:
    made: list[Kit] = []
    refused: list[Problem] = []
    if found:
        async with records(dry_run=dry_run) as here:
            for entry in found:
                try:
                    await here.catalogue.define_kit(entry.content)
                    made.append(entry.content)
                except Unreachable:
                    raise
                except OrderloomError as error:
                    refused.append(Problem(entry.line, "kit", str(error)))
    return made, refused


@app.command()
def remove(
    kit: Annotated[str, typer.Argument(metavar="KIT", show_default=False)],
    as_json: Json = False,
) -> None:
    """Make a kit a plain SKU, from the next order on. Kits that orders have claimed stay kits.

    Example: `orderloom kits remove GIFT-TEA-FOR-TWO`
    """

    async def work() -> None:
        async with records() as here:
            await here.catalogue.remove_kit(kit)

    asyncio.run(work())
    out = Output(as_json=as_json)
    if as_json:
        out.document({"removed": kit})
    else:
        out.say(f"{kit} is no kit any more")
