"""`orderloom send-anew`: have a parcel sent once more that its carrier brings back."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from domain import ids
from domain.orders.interception_messages import ParcelAnew, SendAnewOutcome
from domain.orders.people import Address
from starter.cli.aftersales.request_options import Reason, RequestId
from starter.cli.terminal.named import part_named
from starter.cli.terminal.options import Json, Who, fresh_id, read_json_file, read_model
from starter.cli.terminal.output import Output
from starter.service.connection import service
from starter.service.updates import answered

app = typer.Typer(rich_markup_mode="markdown", add_completion=False)


@app.command()
def send_anew(
    parcel: Annotated[
        str, typer.Argument(metavar="PARCEL", help="Such as web-1001:1.", show_default=False)
    ],
    reason: Reason,
    address: Annotated[
        Path | None,
        typer.Option("--address", help="A JSON file with the whole address to send it to."),
    ] = None,
    request_id: RequestId = None,
    by: Who = "customer service",
    as_json: Json = False,
) -> None:
    """Have a parcel sent once more that could not be delivered, instead of paying it back.

    It goes out when the warehouse has counted it.

    Example: `orderloom send-anew web-1001:1 --address new.json --reason "she has moved"`
    """
    parcel = part_named(parcel)
    content = {
        "fulfilment_id": parcel,
        "reason": reason,
        "address": None if address is None else read_json_file(Address, address),
        "request_id": request_id or fresh_id("cli"),
        "by": by,
    }
    asked = read_model(ParcelAnew, content, where="send-anew")
    outcome = asyncio.run(_ask(asked))
    out = Output(as_json=as_json)
    if as_json:
        out.document({"order_id": ids.order_of(parcel), **outcome.model_dump(mode="json")})
    else:
        out.say(f"{parcel}: it goes out again when {outcome.return_id} is counted")


async def _ask(asked: ParcelAnew) -> SendAnewOutcome:
    async with service() as here:
        return await answered(
            here.interceptions.send_anew(ids.order_of(asked.fulfilment_id), asked),
            again=f"ask again with --request-id {asked.request_id}",
        )
