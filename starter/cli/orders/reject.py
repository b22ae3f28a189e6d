"""`orderloom reject`: cancel an order that is held."""

from __future__ import annotations

import asyncio

import typer

from domain.errors import Refused
from domain.orders.hold_messages import RejectOutcome, RejectRequest
from starter.cli.aftersales.request_options import RequestId
from starter.cli.orders.hold_options import Note, show_answer
from starter.cli.terminal.named import OrderName, order_named
from starter.cli.terminal.options import Json, Who, fresh_id, read_model, reporter
from starter.cli.terminal.output import Output
from starter.service.connection import service
from starter.service.updates import answered

app = typer.Typer(rich_markup_mode="markdown", add_completion=False)


@app.command()
def reject(
    order: OrderName,
    note: Note,
    request_id: RequestId = None,
    by: Who = "",
    as_json: Json = False,
) -> None:
    """Reject an order that is held: cancel and pay back all that has not left, and end its holds.

    Exits with 1 if any unit had left before.

    Example: `orderloom reject web-1001 --note "the card was stolen"`
    """
    order = order_named(order)
    content: dict[str, str | None] = {"note": note}
    content |= {"by": reporter(by), "request_id": request_id or fresh_id("cli")}
    request = read_model(RejectRequest, content, where="reject")
    answer = asyncio.run(_ask(order, request))
    show_answer(order, answer, Output(as_json=as_json), as_json=as_json)
    if answer.outcome != "rejected":
        raise Refused(f"{order}: {answer.message}")


async def _ask(order_id: str, request: RejectRequest) -> RejectOutcome:
    async with service() as here:
        return await answered(
            here.holds.reject(order_id, request),
            again=f"ask again with --request-id {request.request_id}",
        )
