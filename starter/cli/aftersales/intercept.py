"""`orderloom intercept`: have a parcel stopped on its way."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from domain import ids
from domain.orders.interception_messages import Interception, InterceptOutcome, Way
from domain.orders.people import Address
from starter.cli.aftersales.request_options import Reason, RequestId
from starter.cli.terminal.named import part_named
from starter.cli.terminal.options import Json, Who, fresh_id, read_json_file, read_model
from starter.cli.terminal.output import Output
from starter.service.connection import service
from starter.service.updates import answered

app = typer.Typer(rich_markup_mode="markdown", add_completion=False)


@app.command()
def intercept(
    parcel: Annotated[
        str, typer.Argument(metavar="PARCEL", help="Such as web-1001:1.", show_default=False)
    ],
    way: Annotated[Way, typer.Argument(metavar="redirect|return")],
    reason: Reason,
    address: Annotated[
        Path | None,
        typer.Option("--address", help="A JSON file with the whole address to redirect it to."),
    ] = None,
    request_id: RequestId = None,
    by: Who = "customer service",
    as_json: Json = False,
) -> None:
    """Have the carrier redirect a parcel to another address, or return it to the sender.

    Its scans tell what comes of it. Some carriers cannot.

    Example: `orderloom intercept web-1001:1 return --reason "the address is wrong"`
    """
    parcel = part_named(parcel)
    content = {
        "fulfilment_id": parcel,
        "way": way,
        "reason": reason,
        "address": None if address is None else read_json_file(Address, address),
        "request_id": request_id or fresh_id("cli"),
        "by": by,
    }
    asked = read_model(Interception, content, where="intercept")
    outcome = asyncio.run(_ask(asked))
    out = Output(as_json=as_json)
    if as_json:
        fee = None if outcome.fee is None else str(outcome.fee)
        document = {**outcome.model_dump(mode="json"), "fee": fee}
        out.document({"order_id": ids.order_of(parcel), **document})
    else:
        costs = "" if outcome.fee is None else f", for {outcome.fee}"
        where = "to the new address" if way == "redirect" else "back to the sender"
        out.say(f"{parcel}: the carrier sends it {where}{costs}")


async def _ask(asked: Interception) -> InterceptOutcome:
    async with service() as here:
        return await answered(
            here.interceptions.intercept(ids.order_of(asked.fulfilment_id), asked),
            again=f"ask again with --request-id {asked.request_id}",
        )
