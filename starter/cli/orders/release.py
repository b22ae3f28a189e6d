"""`orderloom release`: end the holds of an order."""

from __future__ import annotations

import asyncio

import typer

from domain.orders.hold_messages import HoldOutcome, ReleaseRequest
from starter.cli.aftersales.request_options import RequestId
from starter.cli.orders.hold_options import Note, Which, show_answer
from starter.cli.terminal.named import OrderName, order_named
from starter.cli.terminal.options import Json, Who, fresh_id, read_model, reporter
from starter.cli.terminal.output import Output
from starter.service.connection import service
from starter.service.updates import answered

app = typer.Typer(rich_markup_mode="markdown", add_completion=False)


@app.command()
def release(
    order: OrderName,
    note: Note,
    hold: Which = None,
    request_id: RequestId = None,
    by: Who = "",
    as_json: Json = False,
) -> None:
    """End one hold of an order, or all that people and rules have placed. The order goes on.

    A hold for the payment ends when the order is paid: `orderloom pay`.

    Example: `orderloom release web-1001 --note "the customer was called"`
    """
    order = order_named(order)
    content = {"note": note, "hold": hold}
    content |= {"by": reporter(by), "request_id": request_id or fresh_id("cli")}
    request = read_model(ReleaseRequest, content, where="release")
    answer = asyncio.run(_ask(order, request))
    show_answer(order, answer, Output(as_json=as_json), as_json=as_json)


async def _ask(order_id: str, request: ReleaseRequest) -> HoldOutcome:
    async with service() as here:
        return await answered(
            here.holds.release(order_id, request),
            again=f"ask again with --request-id {request.request_id}",
        )
