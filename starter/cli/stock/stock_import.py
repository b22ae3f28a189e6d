"""`orderloom stock import`: deliveries of any size, from CSV."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from domain.fields import Document, Id, Reason
from domain.words import count_of
from starter.channels.documents import Source, label, opened
from starter.channels.read_results import Problem
from starter.channels.stock_csv import StockRow, read_stock
from starter.cli.terminal.options import DryRun, Json, Key, Who, read_model, reporter
from starter.cli.terminal.output import Output
from starter.cli.terminal.progress import Bar, progress
from starter.cli.terminal.rows import Faults
from starter.service.connection import records
from store.stock.receipts import Arrival, Delivery, Rejection

app = typer.Typer(rich_markup_mode="markdown", add_completion=False)

ROWS_AT_ONCE: Final = 5_000
"""So many rows of the file are in memory."""


class _Booking(Document):
    """Under which key rows are taken in, why, and to which new locations."""

    key: Id | None
    why: Reason
    new_locations: tuple[Id, ...]


@dataclass
class _Result:
    """The result of a file: stock rows and units imported, and rows imported before."""

    key: str = ""
    rows: int = 0
    units: int = 0
    before: int = 0
    made: Sequence[str] = ()


@app.command("import")
def import_stock(
    file: Annotated[str, typer.Argument(metavar="FILE|-", help="CSV; - is standard input.")],
    new_location: Annotated[
        list[str] | None,
        typer.Option(
            "--new-location",
            metavar="LOCATION",
            help="Make this location; may be given several times.",
            show_default=False,
        ),
    ] = None,
    key: Key = None,
    reason: Annotated[str, typer.Option("--reason", help="Why; kept with each movement.")] = "",
    by: Who = "",
    dry_run: DryRun = False,
    as_json: Json = False,
) -> None:
    """Import stock from a CSV file with the columns sku,location,quantity.

    The columns unit_cost,currency may give the cost of each unit. A Northwind products.csv works,
    too. The quantities are added to what is on hand. The same file again changes nothing, unless
    --key names it as another delivery. If an import stops halfway, import the same file again: it
    adds the rest.

    Wrong rows are reported with their line, and the others are imported. Correct these rows, and
    import the corrected file with the --key that is printed: no row is added twice.

    An unknown location is wrong, unless --new-location names it. The first import of a new shop
    creates the locations that it names.

    Example: `orderloom stock import examples/stock.csv`
    """
    out = Output(as_json=as_json, dry_run=dry_run)
    booking = read_model(
        _Booking,
        {
            "key": key,
            "why": reason or f"import of {Path(label(file)).name}"[:500],
            "new_locations": tuple(new_location or ()),
        },
        where="stock",
    )
    faults = Faults(label(file), out)
    with opened(file) as source, progress() as bar:
        result = asyncio.run(_take_in(source, booking, reporter(by), faults, bar, dry_run=dry_run))
    if as_json:
        out.document(_told(result, faults))
    elif result.rows or result.before or not faults.count:
        for line in _sentences(result):
            out.say(line)
    faults.end(
        f"the other rows were taken in: correct these, and import the file again with "
        f"--key {result.key}"
        if result.rows or result.before
        else "nothing was taken in: correct it and import it again"
    )


async def _take_in(
    source: Source, booking: _Booking, who: str, faults: Faults, bar: Bar, *, dry_run: bool
) -> _Result:
    async with (
        records(dry_run=dry_run) as here,
        here.stock.delivery(new=booking.new_locations) as delivery,
    ):
        bar.begin("reading", source.size)
        rows: list[StockRow] = []
        for found in read_stock(source):
            if isinstance(found, Problem):
                faults.add(found)
            else:
                rows.append(found)
            if len(rows) == ROWS_AT_ONCE:
                await _add(delivery, rows, faults)
                rows = []
                bar.reached(source.bytes_read)
        await _add(delivery, rows, faults)
        result = _Result(booking.key or f"import-{source.digest[:16]}")
        wanted = await delivery.rows()
        if not wanted:
            return result
        result.made = sorted(delivery.made)
        bar.begin("taking in", wanted)
        async for booked in delivery.book(result.key, who=who, why=booking.why):
            _tell(booked.rejected, faults)
            result.rows, result.units, result.before = booked.rows, booked.units, booked.before
            bar.reached(booked.rows + booked.before)
        return result


async def _add(delivery: Delivery, rows: Sequence[StockRow], faults: Faults) -> None:
    arrivals = [Arrival(row.line, row.sku, row.location, row.quantity, row.cost) for row in rows]
    _tell(await delivery.add(arrivals) if arrivals else [], faults)


def _tell(rejected: Sequence[Rejection], faults: Faults) -> None:
    for one in rejected:
        faults.add(Problem(one.line, "", one.reason))


def _told(result: _Result, faults: Faults) -> dict[str, Any]:
    return {
        "key": result.key,
        "stock_rows": result.rows,
        "units": result.units,
        "stock_rows_before": result.before,
        "new_locations": list(result.made),
        **faults.told,
    }


def _sentences(result: _Result) -> list[str]:
    said = []
    if result.made:
        said.append(f"new: {', '.join(result.made)}")
    if result.rows or not result.before:
        rows = count_of(result.rows, "stock row")
        said.append(f"{count_of(result.units, 'unit')} taken in, {rows}, as {result.key}")
    if result.before:
        said.append(
            f"{count_of(result.before, 'stock row')} taken in before as {result.key}, and not again"
        )
    return said
