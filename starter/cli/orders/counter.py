"""`orderloom counter`: sales of what customers have in their hands."""

from __future__ import annotations

import asyncio
from typing import Annotated

import typer

from domain.errors import InvalidInput, Refused
from domain.words import count_of
from starter.channels.documents import label, load, read_orders
from starter.channels.marketplace import CHANNEL
from starter.cli.terminal.options import Json, Who, reporter
from starter.cli.terminal.output import Output, complain
from starter.service.connection import service
from starter.service.counter_sales import Sale

app = typer.Typer(rich_markup_mode="markdown", add_completion=False, no_args_is_help=True)


@app.callback()
def counter() -> None:
    """Sales of what customers have in their hands: placed, paid and handed over in one answer."""


@app.command()
def sale(
    file: Annotated[
        str, typer.Argument(metavar="FILE|-", help="The sales, as orders; - is standard input.")
    ],
    location: Annotated[str, typer.Option("--location", help="Where the counter is.")],
    is_gone: Annotated[
        bool,
        typer.Option(
            "--is-gone",
            help="They were sold while there was no network: taken in whatever the count says.",
        ),
    ] = False,
    by: Who = "",
    as_json: Json = False,
) -> None:
    """Sell over the counter: place an order, have it paid and hand it over.

    A sale needs no customer and no address. It is one sale however often it is told. Sales of a
    file are taken in one after the other.

    Example: `orderloom counter sale sale.json --location shop`
    """
    out = Output(as_json=as_json)
    orders, wrong = [], 0
    for record in read_orders(load(file), None, channel=CHANNEL):
        if record.order is None:
            wrong += 1
            for problem in record.problems:
                complain(f"{label(file)}:{problem.line}: {problem}")
        else:
            orders.append(record.order)

    async def work() -> list[Sale]:
        async with service() as here:
            return [
                await here.counter_sales.sell(order, location, is_gone=is_gone, who=reporter(by))
                for order in orders
            ]

    sales = asyncio.run(work()) if orders else []
    if as_json:
        out.document({"sales": [one.model_dump() for one in sales]})
    else:
        for one in sales:
            more = "".join(
                f"; {units} × {sku} more than was counted"
                for sku, units in one.more_than_counted.items()
            )
            why = f": {one.reason}" if one.reason else ""
            out.say(f"{one.order_id}  {one.outcome.replace('_', ' ')}{why}{more}")
    if wrong:
        raise InvalidInput(
            f"{count_of(wrong, 'sale')} could not be read: correct them and tell the file again",
            where=label(file),
        )
    unsold = [one for one in sales if one.outcome in ("rejected", "held")]
    if unsold:
        raise Refused(f"{unsold[0].order_id} is not sold: {unsold[0].reason}")
