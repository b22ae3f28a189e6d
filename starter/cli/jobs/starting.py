"""Commands of `orderloom jobs` that make jobs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, Final, Literal, NamedTuple

import typer

from domain.errors import InvalidInput
from domain.fields import Document
from domain.jobs.jobs import Kind
from domain.jobs.options import (
    OPTIONS,
    NoOptions,
    OrdersImport,
    Print,
    StockImport,
)
from starter.channels.documents import label, load
from starter.cli.jobs import many
from starter.cli.jobs.choosing import (
    Channel,
    InState,
    Orders,
    PlacedFrom,
    PlacedTo,
    Seller,
    filters,
    made,
    of,
)
from starter.cli.terminal.options import Json, Who, read_model
from starter.jobs.reading import check_readable
from starter.service.jobs import FILE_BYTES_MAX


def import_file(
    what: Annotated[
        Literal["orders", "stock", "items", "kits", "supplier-terms"],
        typer.Argument(help="What is in the file.", show_default=False),
    ],
    file: Annotated[str, typer.Argument(metavar="FILE|-", help="- is standard input.")],
    new_location: Annotated[
        list[str] | None,
        typer.Option("--new-location", metavar="LOCATION", help="stock: make this location."),
    ] = None,
    reason: Annotated[
        str | None, typer.Option("--reason", help="stock: kept with each movement.")
    ] = None,
    channel: Annotated[
        str | None,
        typer.Option("--channel", metavar="CODE", help="orders: of a marketplace's file."),
    ] = None,
    by: Who = "",
    as_json: Json = False,
) -> None:
    """Have a file taken in, with a result for each of its records.

    The files are those of `orderloom place`, `stock import`, `items import`, `kits import` and
    `suppliers import`. Stock is added once for each job.

    Example: `orderloom jobs import orders orders.jsonl`
    """
    kind: Kind = _kind("import", what)
    options: Document = NoOptions()
    if kind == "import_stock":
        content = {"new_locations": tuple(new_location or ()), "reason": reason}
        options = read_model(StockImport, content, where="stock")
    elif new_location or reason:
        raise InvalidInput("goes with stock alone", where="--new-location, --reason")
    if kind == "import_orders":
        options = read_model(OrdersImport, {"channel": channel} if channel else {}, where="orders")
    elif channel is not None:
        raise InvalidInput("goes with orders alone", where="--channel")
    data = load(file)
    if len(data) > FILE_BYTES_MAX:
        raise InvalidInput(f"is larger than {FILE_BYTES_MAX >> 20} MiB; cut it", where=label(file))
    try:
        check_readable(kind, data)
    except InvalidInput as error:
        raise InvalidInput(str(error).removeprefix("file: "), where=label(file)) from None
    made(kind, options, by, as_json=as_json, data=data)


def export_file(
    what: Annotated[
        Literal["orders", "stock", "ledger"],
        typer.Argument(help="What is to be in the file.", show_default=False),
    ],
    channel: Channel = None,
    seller: Seller = None,
    state: InState = None,
    placed_from: PlacedFrom = None,
    placed_to: PlacedTo = None,
    sku: Annotated[str | None, typer.Option("--sku", help="stock: only this SKU.")] = None,
    location: Annotated[str | None, typer.Option("--location", help="stock: only there.")] = None,
    form: Annotated[
        str | None,
        typer.Option("--format", help="ledger: as `orderloom ledger export`; beancount."),
    ] = None,
    first: Annotated[
        str | None, typer.Option("--from", metavar="DAY", help="ledger: the first day.")
    ] = None,
    last: Annotated[
        str | None, typer.Option("--to", metavar="DAY", help="ledger: the last day.")
    ] = None,
    by: Who = "",
    as_json: Json = False,
) -> None:
    """Have a file written: orders as JSON Lines, stock as CSV, or a seller's books.

    Example: `orderloom jobs export orders --channel web --state closed`
    """
    chosen = filters(channel, seller, state, placed_from, placed_to)
    others = {"sku": sku, "location": location, "format": form, "from": first, "to": last}
    given = chosen | {name: value for name, value in others.items() if value is not None}
    if alien := sorted(given.keys() - _EXPORTED_BY[what]):
        named = ", ".join(f"--{name.replace('_', '-')}" for name in alien)
        raise InvalidInput(f"is no choice for an export of {what}", where=named)
    if what == "ledger":
        given = {"seller": "main", "format": "beancount"} | given
    kind: Kind = _kind("export", what)
    made(kind, read_model(OPTIONS[kind], given, where=what), by, as_json=as_json)


_EXPORTED_BY: Final = {
    "orders": {"channel", "seller", "state", "placed_from", "placed_to"},
    "stock": {"sku", "location"},
    "ledger": {"seller", "format", "from", "to"},
}
"""What an export is of → what can be chosen of it."""


def print_papers(
    what: Annotated[
        Literal["pick-list", "packing-slips", "labels", "documents"],
        typer.Argument(help="What is to be printed.", show_default=False),
    ],
    orders: Orders = None,
    channel: Channel = None,
    seller: Seller = None,
    state: InState = None,
    placed_from: PlacedFrom = None,
    placed_to: PlacedTo = None,
    by: Who = "",
    as_json: Json = False,
) -> None:
    """Print papers of many orders as one PDF, of 500 orders at most.

    labels: of parcels that wait to be handed over. documents: invoices and credit notes.

    Example: `orderloom jobs print pick-list --channel web --state confirmed`
    """
    wanted = of(orders, filters(channel, seller, state, placed_from, placed_to))
    options = read_model(Print, wanted, where=what)
    made(_kind("print", what), options, by, as_json=as_json)


def _kind(verb: str, what: str) -> Kind:
    kind: Kind = f"{verb}_{what.replace('-', '_')}"  # type: ignore[assignment]  # a command's choice
    return kind


class Command(NamedTuple):
    """A command and its name."""

    name: str
    run: Callable[..., Any]


COMMANDS: Final = (
    Command("import", import_file),
    Command("export", export_file),
    Command("cancel-orders", many.cancel_orders),
    Command("hold-orders", many.hold_orders),
    Command("release-orders", many.release_orders),
    Command("charge-orders", many.charge_orders),
    Command("print", print_papers),
)
