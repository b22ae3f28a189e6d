"""`orderloom price-match`: meet a lower price, and pay back the difference."""

from __future__ import annotations

import asyncio
from typing import Annotated

import typer

from domain.orders.messages import RefundOutcome, RefundTo
from domain.orders.price_match_messages import PriceMatchRequest
from starter.cli.aftersales.refund import show_refund
from starter.cli.aftersales.request_options import RequestId
from starter.cli.terminal.named import OrderName, order_named
from starter.cli.terminal.options import Json, Who, fresh_id, read_model
from starter.service.connection import service
from starter.service.updates import answered

app = typer.Typer(rich_markup_mode="markdown", add_completion=False)


@app.command()
def price_match(
    order: OrderName,
    line: Annotated[str, typer.Option("--line", metavar="ID", help="The line.")],
    unit_price: Annotated[
        str,
        typer.Option(
            "--unit-price",
            metavar="8.50",
            help="The lower price of a unit, with tax where the order's prices are.",
        ),
    ],
    evidence: Annotated[
        str, typer.Option("--evidence", help="Where it was seen, such as a link; kept.")
    ],
    to: Annotated[
        RefundTo,
        typer.Option("--to", help="The way it was paid, as store credit, or a voucher."),
    ] = "original",
    request_id: RequestId = None,
    by: Who = "customer service",
    as_json: Json = False,
) -> None:
    """Meet a lower price for all units of a line that the customer keeps.

    The difference is paid back with its tax. Units that come back later count for less.

    Example: `orderloom price-match web-1001 --line 1 --unit-price 8.50 --evidence "shop.example"`
    """
    order = order_named(order)
    content = {
        "line_id": line,
        "unit_price": unit_price,
        "evidence": evidence,
        "to": to,
        "request_id": request_id or fresh_id("cli"),
        "by": by,
    }
    request = read_model(PriceMatchRequest, content, where="price-match")
    show_refund(order, asyncio.run(_ask(order, request)), request.to, as_json=as_json)


async def _ask(order_id: str, request: PriceMatchRequest) -> RefundOutcome:
    async with service() as here:
        return await answered(
            here.aftersales.match_price(order_id, request),
            again=f"ask again with --request-id {request.request_id}",
        )
