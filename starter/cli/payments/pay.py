"""`orderloom pay`: a new token for an order that is held for payment."""

from __future__ import annotations

import asyncio
from typing import Annotated

import typer

from domain.orders.messages import PayOutcome, PayRequest
from starter.cli.aftersales.request_options import RequestId
from starter.cli.terminal.answers import print_answer
from starter.cli.terminal.named import OrderName, order_named
from starter.cli.terminal.options import Json, Who, fresh_id, read_model
from starter.service.connection import service
from starter.service.updates import answered

app = typer.Typer(rich_markup_mode="markdown", add_completion=False)


@app.command()
def pay(
    order: OrderName,
    token: Annotated[str, typer.Argument(help="The provider's token.", show_default=False)],
    provider: Annotated[
        str | None,
        typer.Option("--provider", help="Left out: the one that the order was placed with."),
    ] = None,
    request_id: RequestId = None,
    by: Who = "customer",
    as_json: Json = False,
) -> None:
    """Pay an order that is held: the payment was confirmed, or the customer has a new token.

    A token that is refused leaves the order held; exits with 1 then.

    Example: `orderloom pay web-1001 tok_confirmed`
    """
    order = order_named(order)
    content = {"token": token, "provider": provider, "by": by}
    content |= {"request_id": request_id or fresh_id("cli")}
    request = read_model(PayRequest, content, where="pay")
    outcome = asyncio.run(_pay(order, request))
    print_answer(order, outcome, [f"{order}: {outcome.message}"], as_json=as_json)


async def _pay(order_id: str, request: PayRequest) -> PayOutcome:
    async with service() as here:
        return await answered(
            here.payments.pay(order_id, request),
            again=f"ask again with --request-id {request.request_id}",
        )
