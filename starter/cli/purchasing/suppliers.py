"""`orderloom suppliers`: the suppliers and their terms."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Annotated

import typer

from domain.money import price_text
from domain.purchasing.purchase_orders import SupplierItem
from domain.words import count_of
from starter.channels.csv_table import read_table
from starter.cli.terminal.options import DryRun, Json
from starter.cli.terminal.output import Output
from starter.cli.terminal.rows import import_rows
from starter.service.connection import records
from starter.service.service import Records
from store.purchasing.suppliers import Supplier

app = typer.Typer(rich_markup_mode="markdown", add_completion=False, no_args_is_help=True)


@app.callback()
def suppliers() -> None:
    """Suppliers and their terms: lead times, minimums, multiples and prices by SKU."""


@app.command("list")
def list_suppliers(as_json: Json = False) -> None:
    """List suppliers, with the numbers of their SKUs and open orders.

    Example: `orderloom suppliers list`
    """

    async def work() -> Sequence[Supplier]:
        async with records() as here:
            return await here.purchasing.suppliers()

    found = asyncio.run(work())
    out = Output(as_json=as_json)
    if as_json:
        out.document({"suppliers": [one.model_dump() for one in found]})
    elif not found:
        out.say("no suppliers; `orderloom suppliers import FILE.csv` makes some known")
    else:
        out.table(
            ["supplier", "name", ">SKUs", ">open orders"],
            [(one.supplier, one.name, one.skus, one.open_orders) for one in found],
        )


@app.command("show")
def show_supplier(
    supplier: Annotated[str, typer.Argument(metavar="SUPPLIER", show_default=False)],
    as_json: Json = False,
) -> None:
    """Show a supplier's SKUs and terms.

    Example: `orderloom suppliers show assam-gardens`
    """

    async def work() -> tuple[Supplier, Sequence[SupplierItem]]:
        async with records() as here:
            (found,) = await here.purchasing.suppliers(supplier)
            return found, await here.purchasing.terms(supplier=supplier)

    found, terms = asyncio.run(work())
    out = Output(as_json=as_json)
    if as_json:
        items = [item.model_dump(mode="json", exclude={"supplier", "name"}) for item in terms]
        out.document({**found.model_dump(), "terms": items})
        return
    out.say(f"{found.supplier}  {found.name}, {count_of(found.open_orders, 'open order')}")
    out.table(
        ["sku", ">lead days", ">minimum", ">multiple", ">unit price", "currency", ">priority"],
        [
            (
                x.sku,
                x.lead_time_days,
                x.minimum,
                x.multiple,
                price_text(x.unit_price, x.currency),
                x.currency,
                x.priority,
            )
            for x in terms
        ],
    )


@app.command("import")
def import_suppliers(
    file: Annotated[str, typer.Argument(metavar="FILE|-", help="CSV; - is standard input.")],
    dry_run: DryRun = False,
    as_json: Json = False,
) -> None:
    """Set suppliers' terms for SKUs: supplier, sku, lead_time_days, unit_price, currency.

    The file may also have name (of the supplier), minimum, multiple, and priority (the lowest is
    asked first). Wrong rows are reported with their line, and the others are imported.

    Example: `orderloom suppliers import examples/suppliers.csv`
    """
    out = Output(as_json=as_json, dry_run=dry_run)
    names: set[str] = set()

    async def save(here: Records, terms: Sequence[SupplierItem]) -> None:
        await here.purchasing.set_terms(terms)
        names.update(item.supplier for item in terms)

    rows, faults = import_rows(file, lambda source: read_table(source, SupplierItem), save, out)
    if as_json:
        out.document({"suppliers": sorted(names), "terms": rows, **faults.told})
    else:
        out.say(f"{count_of(rows, 'row')} of {count_of(len(names), 'supplier')} set")
    faults.end()
