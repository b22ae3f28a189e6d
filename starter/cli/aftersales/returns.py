"""`orderloom return`: ask to send units back."""

from __future__ import annotations

import asyncio
from typing import Annotated

import typer

from domain.orders.messages import ReturnOutcome, ReturnRequest
from starter.cli.aftersales.request_options import Lines, Reason, RequestId, request_content
from starter.cli.terminal.answers import print_answer
from starter.cli.terminal.named import OrderName, order_named
from starter.cli.terminal.options import Json, Who, read_model
from starter.service.connection import service
from starter.service.updates import answered

app = typer.Typer(rich_markup_mode="markdown", add_completion=False)


@app.command("return")
def request_return(
    order: OrderName,
    reason: Reason,
    line: Lines = None,
    late: Annotated[
        bool, typer.Option("--late", help="Also after the return window, and of a closed order.")
    ] = False,
    request_id: RequestId = None,
    by: Who = "customer service",
    as_json: Json = False,
) -> None:
    """Ask to send delivered units back. They are paid back after the warehouse has counted them.

    Prints the return's id, which the customer writes on the parcel, and `orderloom warehouse
    receive-return` takes.

    Example: `orderloom return web-1001 --line 2=1 --reason "wrong size"`
    """
    order = order_named(order)
    content = {**request_content(line, reason, request_id, by), "late": late}
    request = read_model(ReturnRequest, content, where="return")
    outcome = asyncio.run(_ask(order, request))
    lines = [
        f"{outcome.return_id} approved: {outcome.message}",
        *(f"  line {units.line_id}: {units.quantity} to come back" for units in outcome.lines),
    ]
    print_answer(order, outcome, lines, as_json=as_json)


async def _ask(order_id: str, request: ReturnRequest) -> ReturnOutcome:
    async with service() as here:
        return await answered(
            here.aftersales.request_return(order_id, request),
            again=f"ask again with --request-id {request.request_id}",
        )
