"""What the floor needs: places of goods, codes on goods, the sheet of commands, and manifests."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from typing import Annotated

import typer

from domain.sellers import LANGUAGES, Language
from domain.warehouse.packing import GRAMS_MAX
from domain.warehouse.places import ItemCode, PlacedItem
from starter.channels.places_csv import read_item_codes, read_places
from starter.cli.terminal.files import STANDARD_OUTPUT, write_bytes
from starter.cli.terminal.options import DryRun, Json
from starter.cli.terminal.output import Output
from starter.cli.terminal.rows import import_rows
from starter.cli.warehouse.papers import PdfFile
from starter.service.connection import from_records
from starter.service.service import Records

Box = Annotated[
    str | None, typer.Option("--box", help="In which box, for the story.", show_default=False)
]
Grams = Annotated[
    int | None,
    typer.Option("--grams", min=1, max=GRAMS_MAX, help="What it weighs.", show_default=False),
]
File = Annotated[str, typer.Argument(metavar="FILE|-", help="CSV; - is standard input.")]


def import_places(file: File, dry_run: DryRun = False, as_json: Json = False) -> None:
    """Say where SKUs lie, from a CSV file: location, sku, place, walk, zone, rank.

    Pickers walk by `walk`, the lowest first. A SKU may lie at several places: that of the lowest
    `rank` first. A row without a place forgets where the SKU lay.

    Example: `orderloom warehouse import-places places.csv`
    """
    out = Output(as_json=as_json, dry_run=dry_run)

    async def save(here: Records, some: Sequence[PlacedItem]) -> None:
        await here.warehouse.place_items(some)

    saved, faults = import_rows(file, read_places, save, out)
    if as_json:
        out.document({"saved": saved, **faults.told})
    else:
        out.say(f"places: {saved} saved")
    faults.end()


def import_barcodes(file: File, dry_run: DryRun = False, as_json: Json = False) -> None:
    """Say by which codes goods are scanned, from a CSV file: code, sku, units.

    A code stands for so many units: one on a box of twelve for twelve. With 0 it counts no more.

    Example: `orderloom warehouse import-barcodes barcodes.csv`
    """
    out = Output(as_json=as_json, dry_run=dry_run)

    async def save(here: Records, some: Sequence[ItemCode]) -> None:
        await here.warehouse.save_item_codes(some)

    saved, faults = import_rows(file, read_item_codes, save, out)
    if as_json:
        out.document({"saved": saved, **faults.told})
    else:
        out.say(f"codes: {saved} saved")
    faults.end()


def sheet(
    out_file: PdfFile,
    language: Annotated[
        Language, typer.Option("--language", help=f"One of {', '.join(LANGUAGES)}.")
    ] = "en",
    as_json: Json = False,
) -> None:
    """Print the sheet of commands that pickers scan, and the spots of a cart.

    Example: `orderloom warehouse sheet -o commands.pdf`
    """
    draw = import_module("starter.warehouse.command_sheet").command_sheet_pdf
    write_bytes(draw(language), out_file)
    _say(out_file, "commands", as_json=as_json)


def manifest(
    number: Annotated[int, typer.Argument(min=1, metavar="NUMBER", help="As the floor shows it.")],
    out_file: PdfFile,
    language: Annotated[
        Language, typer.Option("--language", help=f"One of {', '.join(LANGUAGES)}.")
    ] = "en",
    as_json: Json = False,
) -> None:
    """Print which parcels a carrier has taken at once.

    Example: `orderloom warehouse manifest 12 -o manifest.pdf`
    """
    found = from_records(lambda here: here.warehouse.manifest(number))
    write_bytes(import_module("starter.warehouse.manifest").manifest_pdf(found, language), out_file)
    _say(out_file, f"manifest {number}", as_json=as_json)


def _say(out_file: str, what: str, *, as_json: bool) -> None:
    if out_file == STANDARD_OUTPUT:
        return
    out = Output(as_json=as_json)
    if as_json:
        out.document({"written": out_file})
    else:
        out.say(f"{what} written to {out_file}")
