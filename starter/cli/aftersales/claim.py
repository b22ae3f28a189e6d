"""`orderloom claim`: say what is wrong with what was delivered."""

from __future__ import annotations

import asyncio
from typing import Annotated

import typer

from domain.orders.claim_messages import ClaimKind, ClaimOutcome, ClaimRequest, ClaimWish
from starter.cli.aftersales.claim_answers import print_claim
from starter.cli.aftersales.request_options import Lines, Reason, RequestId, request_content
from starter.cli.terminal.named import OrderName, order_named
from starter.cli.terminal.options import Json, Who, read_model
from starter.service.connection import service
from starter.service.updates import answered

app = typer.Typer(rich_markup_mode="markdown", add_completion=False)


@app.command()
def claim(
    order: OrderName,
    kind: Annotated[ClaimKind, typer.Argument(metavar="missing|wrong|damaged|late")],
    reason: Reason,
    line: Lines = None,
    evidence: Annotated[
        list[str] | None,
        typer.Option("--evidence", help="A link to a photo, or a sentence; several times."),
    ] = None,
    wish: Annotated[
        ClaimWish | None, typer.Option("--wish", help="What the customer would like.")
    ] = None,
    late: Annotated[bool, typer.Option("--late", help="Also after the time for claims.")] = False,
    request_id: RequestId = None,
    by: Who = "customer service",
    as_json: Json = False,
) -> None:
    """Say that delivered units are missing, wrong or damaged, or that the parcel came late.

    What the policy allows is decided at once; everything else waits for a person: `orderloom claims
    list --open`.

    Example: `orderloom claim web-1001 damaged --line 1=1 --reason "the pot is broken"`
    """
    order = order_named(order)
    content = {
        **request_content(line, reason, request_id, by),
        "kind": kind,
        "evidence": evidence or [],
        "wish": wish,
        "late": late,
    }
    request = read_model(ClaimRequest, content, where="claim")
    print_claim(order, asyncio.run(_ask(order, request)), as_json=as_json)


async def _ask(order_id: str, request: ClaimRequest) -> ClaimOutcome:
    async with service() as here:
        return await answered(
            here.aftersales.claim(order_id, request),
            again=f"ask again with --request-id {request.request_id}",
        )
