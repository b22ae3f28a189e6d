"""`orderloom charge`: charge an order whose policy is `manual`."""

from __future__ import annotations

import asyncio
from typing import Annotated

import typer

from domain.orders.messages import ChargeRequest, PayOutcome
from starter.cli.aftersales.request_options import RequestId
from starter.cli.terminal.answers import print_answer
from starter.cli.terminal.named import OrderName, order_named
from starter.cli.terminal.options import Json, Who, fresh_id, read_model, reporter
from starter.service.connection import service
from starter.service.updates import answered

app = typer.Typer(rich_markup_mode="markdown", add_completion=False)


@app.command()
def charge(
    order: OrderName,
    note: Annotated[str, typer.Option("--note", help="Why; kept with the order.")],
    request_id: RequestId = None,
    by: Who = "",
    as_json: Json = False,
) -> None:
    """Charge the whole of an order whose policy is `manual`; then its parcels are sent.

    An authorization that has ended is renewed; exits with 1 if the bank refuses that.

    Example: `orderloom charge b2b-1001 --note "credit check passed"`
    """
    order = order_named(order)
    content = {"note": note, "by": reporter(by), "request_id": request_id or fresh_id("cli")}
    request = read_model(ChargeRequest, content, where="charge")
    outcome = asyncio.run(_charge(order, request))
    print_answer(order, outcome, [f"{order}: charged"], as_json=as_json)


async def _charge(order_id: str, request: ChargeRequest) -> PayOutcome:
    async with service() as here:
        return await answered(
            here.payments.charge(order_id, request),
            again=f"ask again with --request-id {request.request_id}",
        )
