"""`orderloom refund`: pay back without a return."""

from __future__ import annotations

import asyncio
from typing import Annotated

import typer

from domain.orders.messages import RefundOutcome, RefundRequest, RefundTo
from starter.cli.aftersales.request_options import (
    Lines,
    Preview,
    Reason,
    RequestId,
    request_content,
    say_ways,
)
from starter.cli.terminal.named import OrderName, order_named
from starter.cli.terminal.options import Json, Who, read_model
from starter.cli.terminal.output import Output
from starter.service.connection import from_records, service
from starter.service.updates import answered

app = typer.Typer(rich_markup_mode="markdown", add_completion=False)


@app.command()
def refund(
    order: OrderName,
    reason: Reason,
    line: Lines = None,
    shipping: Annotated[
        bool,
        typer.Option(
            "--shipping",
            help="With lines: their share of shipping and fees, too. Alone: all that is left.",
        ),
    ] = False,
    amount: Annotated[
        str | None,
        typer.Option("--amount", metavar="12.50", help="Goodwill, in the order's currency."),
    ] = None,
    to: Annotated[
        RefundTo,
        typer.Option("--to", help="The way it was paid, as store credit, or as a voucher."),
    ] = "original",
    role: Annotated[
        str | None,
        typer.Option(
            "--role", metavar="ROLE", help="In which role goodwill is given, where that is limited."
        ),
    ] = None,
    ask: Annotated[
        bool, typer.Option("--ask", help="Goodwill over a limit: ask a role that may give it.")
    ] = False,
    approve: Annotated[
        str | None,
        typer.Option("--approve", metavar="REQUEST", help="Give the goodwill that was asked for."),
    ] = None,
    preview: Preview = False,
    request_id: RequestId = None,
    by: Who = "customer service",
    as_json: Json = False,
) -> None:
    """Pay back units that the customer keeps, shipping, or an amount as goodwill.

    All refunds together never exceed the amount charged. A refund that the provider refuses stays
    owed, and can be paid another way: `orderloom resolve`.

    Example: `orderloom refund web-1001 --amount 5.00 --reason "arrived late"`
    """
    order = order_named(order)
    content = request_content(line, reason, request_id, by)
    if line is None:
        content["lines"] = []
    content |= {"shipping": shipping, "amount": amount, "to": to, "role": role}
    content |= {"ask": ask, "approves": approve}
    request = read_model(RefundRequest, content, where="refund")
    if preview:
        seen = from_records(lambda here: here.previews.refund(order, request))
        out = Output(as_json=as_json)
        if as_json:
            out.document({"order_id": order, **seen.model_dump(mode="json")})
            return
        for units in seen.units:
            out.say(f"line {units.line_id}: {units.quantity}")
        say_ways(seen.amount, seen.ways, out)
        if seen.asks:
            out.say(f"somebody else would be asked first: {seen.asks}")
        return
    outcome = asyncio.run(_ask(order, request))
    show_refund(order, outcome, request.to, as_json=as_json)


def show_refund(order: str, outcome: RefundOutcome, to: RefundTo, *, as_json: bool) -> None:
    """What became of a request to pay something back."""
    out = Output(as_json=as_json)
    if as_json:
        document = outcome.model_dump(mode="json") | {"amount": str(outcome.amount)}
        out.document({"order_id": order, **document})
    elif outcome.outcome == "refunded":
        out.say(f"{outcome.refund_id}: {outcome.amount} paid back")
        if to == "voucher":
            out.say(
                f"`orderloom vouchers list --order {order}` says which voucher it is, and "
                "`orderloom vouchers code` draws its code"
            )
    elif outcome.outcome == "asked":
        out.say(f"{outcome.amount}, as {outcome.request_id}: {outcome.message}")
    else:
        out.say(f"{outcome.refund_id}: {outcome.amount} granted; {outcome.message}")
        out.say(f"send it another way: `orderloom resolve {order} store_credit --note …`")


async def _ask(order_id: str, request: RefundRequest) -> RefundOutcome:
    async with service() as here:
        return await answered(
            here.aftersales.refund(order_id, request),
            again=f"ask again with --request-id {request.request_id}",
        )
