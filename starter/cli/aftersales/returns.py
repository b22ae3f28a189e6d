"""`orderloom return`: ask to send units back."""

from __future__ import annotations

import asyncio

import typer

from domain.errors import Refused
from domain.orders.messages import ReturnOutcome, ReturnRequest
from starter.cli.aftersales.request_options import Lines, Reason, RequestId, request_content
from starter.cli.terminal.options import Json, OrderId, Who, read_model
from starter.cli.terminal.output import Output
from starter.service.connection import service
from starter.service.updates import answered

app = typer.Typer(rich_markup_mode="markdown", add_completion=False)


@app.command("return")
def request_return(
    order: OrderId,
    reason: Reason,
    line: Lines = None,
    request_id: RequestId = None,
    by: Who = "customer service",
    as_json: Json = False,
) -> None:
    """Ask to send delivered units back. They are paid back after the warehouse has counted them.

    Prints the return's id, which the customer writes on the parcel, and `orderloom warehouse
    receive-return` takes.

    Example: `orderloom return web-1001 --line 2=1 --reason "wrong size"`
    """
    content = request_content(line, reason, request_id, by)
    request = read_model(ReturnRequest, content, where="return")
    outcome = asyncio.run(_ask(order, request))
    out = Output(as_json=as_json)
    if as_json:
        out.document({"order_id": order, **outcome.model_dump(mode="json")})
    elif outcome.outcome == "approved":
        out.say(f"{outcome.return_id} approved: {outcome.message}")
        for units in outcome.lines:
            out.say(f"  line {units.line_id}: {units.quantity} to come back")
    if outcome.outcome == "refused":
        raise Refused(f"{order}: {outcome.message}")


async def _ask(order_id: str, request: ReturnRequest) -> ReturnOutcome:
    async with service() as here:
        return await answered(
            here.aftersales.request_return(order_id, request),
            again=f"ask again with --request-id {request.request_id}",
        )
