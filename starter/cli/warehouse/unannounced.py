"""Parcels that nobody announced: written down at the dock, and made returns of."""

from __future__ import annotations

import asyncio
from typing import Annotated

import typer

from starter.cli.terminal.named import OfOrder, perhaps_order_named
from starter.cli.terminal.options import Json, Limit, Who, fresh_id, read_reason, reporter
from starter.cli.terminal.output import Output, local
from starter.cli.warehouse.return_count import found_goods
from starter.service.connection import from_records, service
from starter.service.updates import answered
from store.aftersales.unannounced import Unannounced

ParcelNo = Annotated[
    int, typer.Argument(metavar="PARCEL", min=1, help="Its number, such as 17.", show_default=False)
]


def receive_unannounced(
    location: Annotated[str, typer.Option("--location", help="Where it lies.")],
    found: Annotated[
        list[str],
        typer.Option(
            "--found",
            metavar="SKU=UNITS:CONDITION[:PHOTO]",
            help="Units of an item in a condition (new, opened, used, damaged), and a photo's id.",
        ),
    ],
    order: OfOrder = None,
    key: Annotated[
        str | None,
        typer.Option(
            "--key", help="Your own id of this parcel: repeated, it is one.", show_default=False
        ),
    ] = None,
    by: Who = "",
    as_json: Json = False,
) -> None:
    """Write a parcel down that no return announced. Without an order, a person finds out whose.

    With one, a return is made of it, if the rules of returns approve that.

    Example: `orderloom warehouse receive-unannounced --order web-1001 --found TEA=1:opened
    --location main --key dock-17`
    """
    order_id, who = perhaps_order_named(order), reporter(by)
    goods, key = found_goods(found, "--found"), key or fresh_id("cli")
    parcel = from_records(
        lambda here: here.unannounced.receive(
            key, goods, location=location, order_id=order_id, who=who
        )
    )
    if order_id is not None:
        parcel = asyncio.run(_take(parcel.parcel_no, None, late=False, who=who))
    _say(parcel, Output(as_json=as_json))


def parcels(
    everything: Annotated[
        bool, typer.Option("--all", help="Also those that have been dealt with.")
    ] = False,
    limit: Limit = 100,
    as_json: Json = False,
) -> None:
    """List parcels at the dock that nobody announced, the newest first.

    Example: `orderloom returns parcels`
    """
    found = from_records(
        lambda here: here.unannounced.list(open_only=not everything, at_most=limit)
    )
    out = Output(as_json=as_json)
    if as_json:
        out.document({"parcels": [one.model_dump(mode="json") for one in found]})
    elif not found:
        out.say("no parcels")
    else:
        out.table(
            ["parcel", "order", "at", "units", "since", "return", "why"],
            [
                (
                    one.parcel_no,
                    one.order_id,
                    one.location,
                    ", ".join(f"{x.quantity} {x.sku} {x.condition}" for x in one.units),
                    local(one.since),
                    one.return_id,
                    one.why or one.note,
                )
                for one in found
            ],
        )


def take_parcel(
    parcel: ParcelNo,
    order: OfOrder = None,
    late: Annotated[bool, typer.Option("--late", help="Also after the return window.")] = False,
    by: Who = "customer service",
    as_json: Json = False,
) -> None:
    """Make a return of a parcel at the dock: of its order, or of the one that is named.

    It is counted by itself once it is approved.

    Example: `orderloom returns take-parcel 17 --order web-1001`
    """
    order_id = perhaps_order_named(order)
    taken = asyncio.run(_take(parcel, order_id, late=late, who=by))
    _say(taken, Output(as_json=as_json))


def settle_parcel(
    parcel: ParcelNo,
    note: Annotated[str, typer.Option("--note", help="What became of it.")],
    as_json: Json = False,
) -> None:
    """Say that a parcel at the dock was dealt with: nothing is paid back for it.

    Example: `orderloom returns settle-parcel 17 --note 'sent back to the customer'`
    """
    why = read_reason(note)
    from_records(lambda here: here.unannounced.settle(parcel, why))
    out = Output(as_json=as_json)
    if as_json:
        out.document({"parcel_no": parcel, "note": why})
    else:
        out.say(f"parcel {parcel} is settled")


async def _take(parcel_no: int, order_id: str | None, *, late: bool, who: str) -> Unannounced:
    async with service() as here:
        return await answered(
            here.unannounced.take(parcel_no, order_id, late=late, who=who),
            again="ask again with the same command",
        )


def _say(parcel: Unannounced, out: Output) -> None:
    if out.as_json:
        out.document(parcel.model_dump(mode="json"))
    elif parcel.return_id is not None:
        out.say(f"parcel {parcel.parcel_no} is return {parcel.return_id}")
    else:
        out.say(f"parcel {parcel.parcel_no} is written down: {parcel.why or 'its order is asked'}")
