"""`orderloom cancel`: ask the order to stop, and show the answer for each unit."""

from __future__ import annotations

import asyncio
from typing import Final

import typer

from domain.errors import Refused
from domain.orders.messages import CancelOutcome, CancelRequest
from domain.stock.cancelling import CancelPreview
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

HOW: Final = {
    "stops": "it would be stopped",
    "restarts": "it would be stopped, and its other units go in a new one",
    "opened": "its box would be opened",
    "smaller": "less of it would be picked",
}

app = typer.Typer(rich_markup_mode="markdown", add_completion=False)


@app.command()
def cancel(
    order: OrderName,
    reason: Reason,
    line: Lines = None,
    preview: Preview = False,
    request_id: RequestId = None,
    by: Who = "customer service",
    as_json: Json = False,
) -> None:
    """Cancel an order, or some units of it, and give the money back.

    Each unit is cancelled, or refused if the carrier has it already: then ask for a return. Exits
    with 1 if any unit was refused.

    Example: `orderloom cancel web-1001 --line 1=2 --reason "ordered too many"`
    """
    order = order_named(order)
    content = request_content(line, reason, request_id, by)
    request = read_model(CancelRequest, content, where="cancel")
    out = Output(as_json=as_json)
    if preview:
        seen = from_records(lambda here: here.previews.cancel(order, request))
        if as_json:
            out.document(seen.model_dump(mode="json"))
        else:
            _say_preview(seen, out)
        return
    outcome, goes_on = asyncio.run(_cancel(order, request))
    if as_json:
        out.document({"order_id": order, **outcome.model_dump(mode="json")})
    else:
        _say(outcome, order, out, goes_on=goes_on)
    if outcome.return_offered:
        raise Refused(
            f"not every unit of {order} can be cancelled, the carrier has some: send them back "
            f'with `orderloom return {order} --reason "…"`'
        )
    if outcome.outcome == "refused" or outcome.refused:
        raise Refused(f"{order}: {outcome.message}")


async def _cancel(order_id: str, request: CancelRequest) -> tuple[CancelOutcome, bool]:
    """The answer, and whether other units of the order go on."""
    async with service() as here:
        outcome = await answered(
            here.aftersales.cancel(order_id, request),
            again=f"ask again with --request-id {request.request_id}",
        )
        order = (await here.orders.get(order_id)).summary
        return outcome, order.cancelled < order.ordered


def _say_preview(seen: CancelPreview, out: Output) -> None:
    for units in seen.cancelled:
        out.say(f"line {units.line_id}: {units.quantity} would be cancelled")
    for units in seen.refused:
        out.say(f"line {units.line_id}: {units.quantity} would stay: {units.reason}")
    for units in seen.asked_first:
        out.say(f"line {units.line_id}: {units.quantity} only if somebody outside agrees")
    for part in seen.parts:
        out.say(f"{part.fulfilment_id}, {part.state}: {HOW[part.how]}")
    if seen.not_charged.minor:
        out.say(f"less would be charged: {seen.not_charged}")
    say_ways(seen.paid_back, seen.ways, out)


def _say(outcome: CancelOutcome, order_id: str, out: Output, *, goes_on: bool) -> None:
    part = goes_on and outcome.outcome == "cancelled"
    out.say(f"{order_id}: {'partly cancelled' if part else outcome.outcome.replace('_', ' ')}")
    for units in outcome.cancelled:
        out.say(f"  line {units.line_id}: {units.quantity} cancelled")
    for units in outcome.refused:
        out.say(f"  line {units.line_id}: {units.quantity} not cancelled: {units.why}")
    if not outcome.cancelled and not outcome.refused:
        out.say(f"  {outcome.message}")
