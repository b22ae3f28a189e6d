"""`orderloom extend`: give the holds of an order another deadline."""

from __future__ import annotations

import asyncio
from typing import Annotated

import typer

from domain.orders.hold_messages import ExtendRequest, HoldOutcome
from starter.cli.aftersales.request_options import RequestId
from starter.cli.orders.hold_options import AtEnd, Note, Which, show_answer
from starter.cli.terminal.named import OrderName, order_named
from starter.cli.terminal.options import Json, Who, fresh_id, read_model, reporter
from starter.cli.terminal.output import Output
from starter.service.connection import service
from starter.service.updates import answered

app = typer.Typer(rich_markup_mode="markdown", add_completion=False)


@app.command()
def extend(
    order: OrderName,
    note: Note,
    until: Annotated[
        str | None,
        typer.Option(
            "--until",
            metavar="2026-12-05T12:00Z",
            help="The new deadline. Left out: none, a person ends it.",
            show_default=False,
        ),
    ] = None,
    hold: Which = None,
    at_end: Annotated[
        AtEnd | None,
        typer.Option("--at-end", help="What becomes of it then; left out: as before."),
    ] = None,
    request_id: RequestId = None,
    by: Who = "",
    as_json: Json = False,
) -> None:
    """Give one hold of an order another deadline, or all that people and rules have placed.

    Example: `orderloom extend web-1001 --until 2026-12-05T12:00Z --note "no answer yet"`
    """
    order = order_named(order)
    content = {"note": note, "until": until, "hold": hold, "at_end": at_end}
    content |= {"by": reporter(by), "request_id": request_id or fresh_id("cli")}
    request = read_model(ExtendRequest, content, where="extend")
    answer = asyncio.run(_ask(order, request))
    show_answer(order, answer, Output(as_json=as_json), as_json=as_json)


async def _ask(order_id: str, request: ExtendRequest) -> HoldOutcome:
    async with service() as here:
        return await answered(
            here.holds.extend(order_id, request),
            again=f"ask again with --request-id {request.request_id}",
        )
