"""`orderloom exchange`: send units back and get others for them, or see what that comes to."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any

import typer

from domain.errors import InvalidInput
from domain.orders.exchange_messages import (
    ExchangeOutcome,
    ExchangePreview,
    ExchangeRequest,
    ExchangeWorth,
)
from domain.orders.return_messages import ReturnReason
from starter.cli.aftersales.request_options import Lines, Reason, RequestId, request_content
from starter.cli.terminal.named import OrderName, order_named
from starter.cli.terminal.options import Json, Who, read_model
from starter.cli.terminal.output import Output
from starter.service.connection import service
from starter.service.updates import answered

app = typer.Typer(rich_markup_mode="markdown", add_completion=False)


@app.command()
def exchange(
    order: OrderName,
    reason: Reason,
    line: Lines = None,
    want: Annotated[
        list[str] | None,
        typer.Option(
            "--want",
            metavar="SKU=UNITS[@PRICE[@RATE]]",
            help="What the customer gets, with its price of a unit and its tax rate in percent; "
            "without a price, what was paid for the same SKU. Left out: the same again.",
            show_default=False,
        ),
    ] = None,
    advance: Annotated[
        bool, typer.Option("--advance", help="Send it before the other goods are back.")
    ] = False,
    pay: Annotated[
        str | None,
        typer.Option(
            "--pay",
            metavar="PROVIDER=TOKEN",
            help="Who pays what it costs more. Left out: the customer is asked.",
        ),
    ] = None,
    shipping_service: Annotated[
        str | None, typer.Option("--service", help="Another shipping service.")
    ] = None,
    shipping_price: Annotated[
        str | None,
        typer.Option("--shipping-price", help="Left out: what is paid back of the outward way."),
    ] = None,
    code: Annotated[
        ReturnReason, typer.Option("--code", help="The reason as a code, by which rules decide.")
    ] = "other",
    late: Annotated[bool, typer.Option("--late", help="Also after the return window.")] = False,
    preview: Annotated[
        bool, typer.Option("--preview", help="Only show what it comes to, and who owes whom.")
    ] = False,
    request_id: RequestId = None,
    by: Who = "customer service",
    as_json: Json = False,
) -> None:
    """Exchange delivered units for others. What the customer gets is an order of its own.

    Example: `orderloom exchange web-1001 --line 1=1 --want POT=1@12.00@7 --reason "too small"`
    """
    order = order_named(order)
    shipping = {"service": shipping_service, "price": shipping_price}
    content: dict[str, Any] = {
        **request_content(line, reason, request_id, by),
        "reason_code": code,
        "late": late,
        "mode": "advance" if advance else "standard",
        "wants": [_wanted(text) for text in want or ()],
        "shipping": shipping if any(shipping.values()) else None,
        "payment": None if pay is None else _payment(pay),
    }
    asked = read_model(ExchangeRequest, content, where="exchange")
    out = Output(as_json=as_json)
    if preview:
        seen = asyncio.run(_preview(order, asked))
        if as_json:
            out.document(seen.model_dump(mode="json"))
        else:
            _say_worth(seen, out)
            for why in seen.asks:
                out.say(f"a person decides about it first: {why}")
        return
    outcome = asyncio.run(_exchange(order, asked))
    if as_json:
        out.document({"order_id": order, **outcome.model_dump(mode="json")})
        return
    out.say(f"{outcome.return_id} {outcome.outcome}: {outcome.message}")
    for units in outcome.lines:
        out.say(f"  line {units.line_id}: {units.quantity} to come back")
    _say_worth(outcome.worth, out)


async def _preview(order_id: str, asked: ExchangeRequest) -> ExchangePreview:
    async with service(temporal_may_be_away=True) as here:
        return await here.exchanges.preview(order_id, asked)


async def _exchange(order_id: str, asked: ExchangeRequest) -> ExchangeOutcome:
    async with service() as here:
        return await answered(
            here.exchanges.exchange(order_id, asked),
            again=f"ask again with --request-id {asked.request_id}",
        )


def _say_worth(worth: ExchangeWorth, out: Output) -> None:
    out.say(f"comes back: {worth.comes_back}")
    out.say(f"the replacement: {worth.total}, of it tax: {worth.tax}")
    if worth.owed.minor:
        out.say(f"the customer pays: {worth.owed}")
    if worth.paid_back.minor:
        out.say(f"the customer gets back: {worth.paid_back}")


def _wanted(text: str) -> dict[str, Any]:
    what, *amounts = text.split("@")
    sku, equals, units = what.rpartition("=")
    if not equals or not units.isdecimal() or len(amounts) > 2:
        raise InvalidInput(
            f"{text!r} is nothing to get; write SKU=UNITS, SKU=UNITS@PRICE or "
            "SKU=UNITS@PRICE@RATE, such as TEA=2@9.50@19",
            where="--want",
        )
    names = ("unit_price", "tax_rate")
    return {"sku": sku, "quantity": int(units), **dict(zip(names, amounts, strict=False))}


def _payment(text: str) -> dict[str, str]:
    provider, equals, token = text.partition("=")
    if not equals:
        raise InvalidInput(
            f"{text!r} is no payment; write PROVIDER=TOKEN, such as stripe=pm_1", where="--pay"
        )
    return {"provider": provider, "token": token}
