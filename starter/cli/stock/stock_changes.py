"""`orderloom stock receive, adjust, count, write-off`: one SKU at one location; and its history."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Annotated, Final

import typer

from domain import fields
from domain.accounting.costs import Priced
from domain.fields import Document, Id, Sku
from starter.channels.stock_csv import DEFAULT_LOCATION
from starter.cli.terminal.options import (
    NEGATIVE,
    UNITS_MAX,
    Json,
    Key,
    Limit,
    Location,
    Who,
    fresh_id,
    read_model,
    reporter,
)
from starter.cli.terminal.output import Output, local
from starter.service.connection import from_records, records
from starter.service.service import Records
from store.stock.movements import Movement
from store.stock.stock import StockLevel

app = typer.Typer(rich_markup_mode="markdown", add_completion=False)

SkuArgument = Annotated[str, typer.Argument(metavar="SKU", show_default=False)]

_SENTENCES: Final = {
    "received": "{units} received",
    "allocated": "{claimed} claimed",
    "released": "{claimed} given back",
    "shipped": "{units} shipped",
    "returned": "{units} came back",
    "adjusted": "{change:+} adjusted",
    "counted": "counted {counted} ({change:+})",
    "transferred": "{change:+} transferred",
    "written_off": "{units} written off",
    "to_supplier": "{units} back to the supplier",
}


def levels_table(out: Output, levels: Sequence[StockLevel]) -> None:
    """Stock rows, for people."""
    out.table(
        [
            *("sku", "location", ">on hand", ">allocated", ">soft reserved", ">safety"),
            *(">available", ">incoming"),
        ],
        [
            (
                *(x.sku, x.location, x.on_hand, x.allocated, x.soft_reserved, x.safety),
                *(x.available, x.incoming),
            )
            for x in levels
        ],
    )


@app.command(context_settings=NEGATIVE)
def receive(
    sku: SkuArgument,
    quantity: Annotated[
        int, typer.Argument(min=1, max=UNITS_MAX, help="Units that arrived.", show_default=False)
    ],
    location: Location = DEFAULT_LOCATION,
    unit_cost: Annotated[
        str | None, typer.Option("--unit-cost", help="What each has cost, such as 6.20.")
    ] = None,
    currency: Annotated[str | None, typer.Option("--currency", help="Of the unit cost.")] = None,
    reason: Annotated[str, typer.Option("--reason", help="Why.")] = "received",
    new_location: Annotated[
        bool, typer.Option("--new-location", help="Make the location if it is not there.")
    ] = False,
    key: Key = None,
    by: Who = "",
    as_json: Json = False,
) -> None:
    """Book goods that arrived. Without a unit cost they take the average cost of their SKU.

    A location that is not known is refused, unless --new-location says that it is new.

    Example: `orderloom stock receive TEA-ASSAM-250 40 --unit-cost 6.20 --currency EUR`
    """
    priced = read_model(Priced, {"unit_cost": unit_cost, "currency": currency}, where="stock")
    booking = _booking(sku, location, reason, by)
    key = key or fresh_id("cli")

    async def work(here: Records) -> StockLevel:
        return await here.stock.receive(
            *(key, booking.sku, booking.location, quantity),
            unit_cost=priced.cost,
            new_location=new_location,
            who=booking.who,
            why=booking.why,
        )

    _change(work, Output(as_json=as_json))


@app.command(context_settings=NEGATIVE)
def adjust(
    sku: SkuArgument,
    change: Annotated[
        int,
        typer.Argument(
            min=-UNITS_MAX,
            max=UNITS_MAX,
            help="Units to add, such as 3, or -3.",
            show_default=False,
        ),
    ],
    reason: Annotated[str, typer.Option("--reason", help="Why it is corrected.")],
    location: Location = DEFAULT_LOCATION,
    key: Key = None,
    by: Who = "",
    as_json: Json = False,
) -> None:
    """Add units to on hand, or take some off, with the reason.

    If fewer are left than orders hold, baskets give way first, then backorders, then the newest
    orders that nobody has picked yet: these wait again, in their old places. Units that have left
    the shelf for an order cannot be taken off.

    Example: `orderloom stock adjust TEA-ASSAM-250 -3 --reason "water damage"`
    """
    booking = _booking(sku, location, reason, by)
    key = key or fresh_id("cli")

    async def work(here: Records) -> StockLevel:
        return await here.stock.adjust(
            key, booking.sku, booking.location, change, who=booking.who, why=booking.why
        )

    _change(work, Output(as_json=as_json))


class _Booking(Document):
    """The SKU and location of a change, its author and its reason."""

    sku: Sku
    location: Id
    who: fields.Who
    why: fields.Reason


def _booking(sku: str, location: str, reason: str, by: str) -> _Booking:
    content = {"sku": sku, "location": location, "who": reporter(by), "why": reason}
    return read_model(_Booking, content, where="stock")


def _change(work: Callable[[Records], Awaitable[StockLevel]], out: Output) -> None:
    level = from_records(work)
    if out.as_json:
        out.document(level.model_dump())
    else:
        levels_table(out, [level])


@app.command(context_settings=NEGATIVE)
def count(
    sku: SkuArgument,
    counted: Annotated[
        int, typer.Argument(min=0, max=UNITS_MAX, help="Units found.", show_default=False)
    ],
    location: Location = DEFAULT_LOCATION,
    reason: Annotated[str, typer.Option("--reason", help="Why.")] = "cycle count",
    key: Key = None,
    by: Who = "",
    as_json: Json = False,
) -> None:
    """Enter a count: on hand becomes the number found, and the journal keeps the count.

    If that is less than orders hold, the newest of them wait again, as with `stock adjust`.

    Example: `orderloom stock count TEA-ASSAM-250 37`
    """
    booking = _booking(sku, location, reason, by)
    key = key or fresh_id("cli")

    async def work(here: Records) -> StockLevel:
        return await here.stock.count(
            key, booking.sku, booking.location, counted, who=booking.who, why=booking.why
        )

    _change(work, Output(as_json=as_json))


@app.command("write-off", context_settings=NEGATIVE)
def write_off(
    sku: SkuArgument,
    quantity: Annotated[
        int, typer.Argument(min=1, max=UNITS_MAX, help="Units to write off.", show_default=False)
    ],
    reason: Annotated[str, typer.Option("--reason", help="Damaged, expired, stolen: what it was.")],
    location: Location = DEFAULT_LOCATION,
    key: Key = None,
    by: Who = "",
    as_json: Json = False,
) -> None:
    """Write off units that cannot be sold any more, with the reason.

    If fewer are left than orders hold, the newest of them wait again, as with `stock adjust`. Units
    that have left the shelf for an order cannot be written off.

    Example: `orderloom stock write-off TEA-ASSAM-250 2 --reason "torn bags"`
    """
    booking = _booking(sku, location, reason, by)
    key = key or fresh_id("cli")

    async def work(here: Records) -> StockLevel:
        return await here.stock.write_off(
            key, booking.sku, booking.location, quantity, who=booking.who, why=booking.why
        )

    _change(work, Output(as_json=as_json))


@app.command()
def history(
    sku: SkuArgument,
    location: Annotated[str | None, typer.Option("--location", help="Only there.")] = None,
    limit: Limit = 1000,
    as_json: Json = False,
) -> None:
    """Show the story of a SKU: each movement, who made it and why, and the units left after it.

    Example: `orderloom stock history TEA-ASSAM-250 --location main`
    """

    async def work() -> list[Movement]:
        async with records() as here:
            return list(await here.stock.history(sku, location=location, at_most=limit))

    moved = asyncio.run(work())
    out = Output(as_json=as_json)
    if as_json:
        out.document({"sku": sku, "movements": [one.model_dump(mode="json") for one in moved]})
        return
    if not moved:
        out.say(f"nothing ever happened to {sku}; `orderloom stock list` shows what is kept")
    for one in moved:
        out.say(_sentence(one))


def _sentence(one: Movement) -> str:
    what = _SENTENCES[one.kind].format(
        change=one.on_hand_change,
        units=abs(one.on_hand_change),
        claimed=abs(one.allocated_change),
        counted=one.counted,
    )
    of = f" for {one.order_id}" if one.order_id else ""
    why = f": {one.why}" if one.why else ""
    left = f"{one.on_hand} on hand, {one.allocated} allocated"
    return f"{local(one.at)}  {one.location}: {what}{of}, by {one.who}{why}; then {left}"
