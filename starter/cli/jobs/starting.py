"""Commands of `orderloom jobs` that make jobs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Annotated, Any, Final, Literal, NamedTuple

import typer

from domain.errors import InvalidInput
from domain.fields import Document
from domain.jobs.jobs import Job, Kind, Maker
from domain.jobs.options import (
    OPTIONS,
    ManyCancellations,
    ManyReleases,
    NoOptions,
    OrdersImport,
    Print,
    StockImport,
)
from domain.views.order_snapshot import OrderState
from starter.channels.documents import label, load
from starter.cli.terminal.options import Json, Who, read_model, read_moment, reporter
from starter.cli.terminal.output import Output
from starter.jobs.reading import check_readable
from starter.service.connection import from_records
from starter.service.jobs import FILE_BYTES_MAX
from starter.service.service import Records

Channel = Annotated[str | None, typer.Option("--channel", metavar="CODE", help="Only from here.")]
Seller = Annotated[str | None, typer.Option("--seller", metavar="CODE", help="Only of this one.")]
InState = Annotated[OrderState | None, typer.Option("--state", help="Only in this state.")]
PlacedFrom = Annotated[
    str | None, typer.Option("--placed-from", metavar="TIME", help="Placed then or later.")
]
PlacedTo = Annotated[
    str | None, typer.Option("--placed-to", metavar="TIME", help="Placed before then.")
]
Orders = Annotated[
    list[str] | None,
    typer.Argument(metavar="[ORDER]...", help="Their ids; left out: by the filters."),
]


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
    _made(kind, options, by, as_json=as_json, data=data)


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
    filters = _filters(channel, seller, state, placed_from, placed_to)
    others = {"sku": sku, "location": location, "format": form, "from": first, "to": last}
    given = filters | {name: value for name, value in others.items() if value is not None}
    if alien := sorted(given.keys() - _EXPORTED_BY[what]):
        named = ", ".join(f"--{name.replace('_', '-')}" for name in alien)
        raise InvalidInput(f"is no choice for an export of {what}", where=named)
    if what == "ledger":
        given = {"seller": "main", "format": "beancount"} | given
    kind: Kind = _kind("export", what)
    _made(kind, read_model(OPTIONS[kind], given, where=what), by, as_json=as_json)


_EXPORTED_BY: Final = {
    "orders": {"channel", "seller", "state", "placed_from", "placed_to"},
    "stock": {"sku", "location"},
    "ledger": {"seller", "format", "from", "to"},
}
"""What an export is of → what can be chosen of it."""


def cancel_orders(
    reason: Annotated[
        str, typer.Option("--reason", help="Why; kept in each story.", show_default=False)
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
    """Cancel many orders, each as if it had been asked alone.

    Example: `orderloom jobs cancel-orders --channel web --state held --reason 'the shop closes'`
    """
    wanted = _of(orders, _filters(channel, seller, state, placed_from, placed_to))
    options = read_model(ManyCancellations, {**wanted, "reason": reason}, where="cancel-orders")
    _made("cancel_orders", options, by, as_json=as_json)


def release_orders(
    note: Annotated[
        str, typer.Option("--note", help="Why; kept in each story.", show_default=False)
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
    """End the holds of many orders, each as if it had been asked alone.

    Example: `orderloom jobs release-orders --channel web --state held --note 'the sale is over'`
    """
    wanted = _of(orders, _filters(channel, seller, state, placed_from, placed_to))
    options = read_model(ManyReleases, {**wanted, "note": note}, where="release-orders")
    _made("release_orders", options, by, as_json=as_json)


def print_papers(
    what: Annotated[
        Literal["pick-list", "packing-slips", "documents"],
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

    documents: their invoices and credit notes.

    Example: `orderloom jobs print pick-list --channel web --state confirmed`
    """
    wanted = _of(orders, _filters(channel, seller, state, placed_from, placed_to))
    options = read_model(Print, wanted, where=what)
    _made(_kind("print", what), options, by, as_json=as_json)


def _kind(verb: str, what: str) -> Kind:
    kind: Kind = f"{verb}_{what.replace('-', '_')}"  # type: ignore[assignment]  # a command's choice
    return kind


def _filters(
    channel: str | None,
    seller: str | None,
    state: str | None,
    placed_from: str | None,
    placed_to: str | None,
) -> dict[str, Any]:
    given = {
        "channel": channel,
        "seller": seller,
        "state": state,
        "placed_from": read_moment(placed_from, "--placed-from"),
        "placed_to": read_moment(placed_to, "--placed-to"),
    }
    return {name: value for name, value in given.items() if value is not None}


def _of(orders: Sequence[str] | None, filters: dict[str, Any]) -> dict[str, Any]:
    """The orders that are named, or those that match."""
    if orders and filters:
        raise InvalidInput("name the orders, or give filters, and not both", where="orders")
    if not orders and not filters:
        raise InvalidInput(
            "name the orders, or give a filter: all of them is too many", where="orders"
        )
    return {"order_ids": tuple(orders)} if orders else {"where": filters}


def _made(
    kind: Kind,
    options: Document,
    by: str,
    *,
    as_json: bool,
    data: bytes = b"",
) -> None:
    """Make the job, and tell how to follow it."""
    maker = Maker(reporter(by))

    async def work(here: Records) -> Job:
        job_id = here.jobs.new_id()
        return await here.jobs.make(job_id, kind, options, maker, data=data)

    job = from_records(work)
    out = Output(as_json=as_json)
    if as_json:
        out.document(job.model_dump(mode="json"))
    else:
        out.say(
            f"{job.job_id} waits to begin; `orderloom jobs show {job.job_id} --wait` follows it"
        )


class Command(NamedTuple):
    """A command and its name."""

    name: str
    run: Callable[..., Any]


COMMANDS: Final = (
    Command("import", import_file),
    Command("export", export_file),
    Command("cancel-orders", cancel_orders),
    Command("release-orders", release_orders),
    Command("print", print_papers),
)
