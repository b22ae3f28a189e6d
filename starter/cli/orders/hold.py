"""`orderloom hold`: keep an order's goods here until somebody has looked."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any

import typer

from domain.orders.hold_messages import AskedReason, HoldOutcome, HoldRequest
from starter.cli.aftersales.request_options import RequestId
from starter.cli.orders.hold_options import AtEnd, Note, show_answer
from starter.cli.terminal.named import OrderName, order_named
from starter.cli.terminal.options import Json, Who, fresh_id, read_model, reporter
from starter.cli.terminal.output import Output
from starter.service.connection import service
from starter.service.updates import answered

app = typer.Typer(rich_markup_mode="markdown", add_completion=False)


@app.command()
def hold(
    order: OrderName,
    reason: Annotated[AskedReason, typer.Option("--reason", help="What for.", show_default=False)],
    note: Note,
    owner: Annotated[
        str, typer.Option("--owner", help="Who is to see to it: a role, or somebody's name.")
    ] = "customer service",
    until: Annotated[
        str | None,
        typer.Option(
            "--until",
            metavar="2026-12-01T12:00Z",
            help="Then it ends by itself. Left out: a person ends it.",
            show_default=False,
        ),
    ] = None,
    at_end: Annotated[
        AtEnd, typer.Option("--at-end", help="What becomes of the order at the deadline.")
    ] = "release",
    tell: Annotated[
        bool,
        typer.Option("--tell", help="Tell the customer, also when the order goes on."),
    ] = False,
    request_id: RequestId = None,
    by: Who = "",
    as_json: Json = False,
) -> None:
    """Hold an order: nothing of it is picked, labelled or handed over until the hold ends.

    Several may stand at once. One with a deadline ends by itself: the order goes on, or is
    rejected.

    Example: `orderloom hold web-1001 --reason fraud_review --note "two names" --owner "risk team"`
    """
    order = order_named(order)
    content: dict[str, Any] = {"reason": reason, "note": note, "owner": owner, "until": until}
    content |= {
        "at_end": at_end,
        "tell": tell,
        "by": reporter(by),
        "request_id": request_id or fresh_id("cli"),
    }
    request = read_model(HoldRequest, content, where="hold")
    answer = asyncio.run(_ask(order, request))
    show_answer(order, answer, Output(as_json=as_json), as_json=as_json)


async def _ask(order_id: str, request: HoldRequest) -> HoldOutcome:
    async with service() as here:
        return await answered(
            here.holds.hold(order_id, request),
            again=f"ask again with --request-id {request.request_id}",
        )
