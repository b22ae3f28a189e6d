"""`orderloom return`: ask to send units back."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Annotated, Any

import typer

from domain.errors import InvalidInput
from domain.orders.return_messages import ReturnOutcome, ReturnReason, ReturnRequest
from starter.cli.aftersales.request_options import Lines, Reason, RequestId, request_content
from starter.cli.terminal.answers import print_answer
from starter.cli.terminal.named import OrderName, order_named
from starter.cli.terminal.options import Json, Who, read_model
from starter.service.connection import service
from starter.service.updates import answered

app = typer.Typer(rich_markup_mode="markdown", add_completion=False)


@app.command("return")
def request_return(
    order: OrderName,
    reason: Reason,
    line: Lines = None,
    code: Annotated[
        ReturnReason, typer.Option("--code", help="The reason as a code, by which rules decide.")
    ] = "other",
    line_code: Annotated[
        list[str] | None,
        typer.Option(
            "--line-code",
            metavar="ID=CODE",
            help="The code of one line, where it has its own; may be given several times.",
            show_default=False,
        ),
    ] = None,
    late: Annotated[
        bool, typer.Option("--late", help="Also after the return window, and of a closed order.")
    ] = False,
    request_id: RequestId = None,
    by: Who = "customer service",
    as_json: Json = False,
) -> None:
    """Ask to send delivered units back. They are paid back after the warehouse has counted them.

    The rules approve it, refuse it, or ask a person: `orderloom returns rules` shows them.

    Prints the return's id, which the customer writes on the parcel, and `orderloom warehouse
    receive-return` takes.

    Example: `orderloom return web-1001 --line 2=1 --reason "wrong size" --code did_not_fit`
    """
    order = order_named(order)
    content = {**request_content(line, reason, request_id, by), "late": late, "reason_code": code}
    content["lines"] = _with_codes(content["lines"], line_code or ())
    request = read_model(ReturnRequest, content, where="return")
    outcome = asyncio.run(_ask(order, request))
    lines = [
        f"{outcome.return_id} {outcome.outcome}: {outcome.message}",
        *(f"  line {units.line_id}: {units.quantity} to come back" for units in outcome.lines),
    ]
    print_answer(order, outcome, lines, as_json=as_json)


async def _ask(order_id: str, request: ReturnRequest) -> ReturnOutcome:
    async with service() as here:
        return await answered(
            here.aftersales.request_return(order_id, request),
            again=f"ask again with --request-id {request.request_id}",
        )


def _with_codes(lines: Sequence[dict[str, Any]], codes: Sequence[str]) -> list[dict[str, Any]]:
    """The lines, each with the code that was typed for it. Raises InvalidInput."""
    own = dict(text.rpartition("=")[::2] for text in codes)
    unknown = own.keys() - {line["line_id"] for line in lines}
    if unknown:
        raise InvalidInput(
            f"{', '.join(sorted(unknown))}: write ID=CODE of a line that --line names",
            where="--line-code",
        )
    return [
        {**line, "reason_code": own[line["line_id"]]} if line["line_id"] in own else line
        for line in lines
    ]
