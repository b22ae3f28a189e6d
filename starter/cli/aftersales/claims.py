"""`orderloom claims`: what customers say is wrong, and what is decided about it."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any

import typer

from domain import ids
from domain.orders.claim_messages import ClaimDecision, ClaimOutcome, DecideClaimRequest
from domain.orders.messages import RefundTo
from starter.cli.aftersales.claim_answers import print_claim
from starter.cli.aftersales.request_options import RequestId
from starter.cli.terminal.named import OfOrder, part_named, perhaps_order_named
from starter.cli.terminal.options import Json, Limit, Who, fresh_id, read_model
from starter.cli.terminal.output import Output, local, money, wire
from starter.service.connection import from_records, service
from starter.service.updates import answered
from store.aftersales.claims import Claim

app = typer.Typer(rich_markup_mode="markdown", add_completion=False, no_args_is_help=True)

ClaimName = Annotated[
    str, typer.Argument(metavar="CLAIM", help="Its id, such as web-1001:C1.", show_default=False)
]


@app.callback()
def claims() -> None:
    """What customers say is wrong with what they got, and what is decided about it."""


@app.command("list")
def list_claims(
    order: OfOrder = None,
    open_only: Annotated[
        bool, typer.Option("--open", help="Only those that wait for a person.")
    ] = False,
    limit: Limit = 100,
    as_json: Json = False,
) -> None:
    """List claims, newest first.

    Example: `orderloom claims list --open`
    """
    order = perhaps_order_named(order)
    found = from_records(
        lambda here: here.claims.list(order_id=order, open_only=open_only, at_most=limit)
    )
    out = Output(as_json=as_json)
    if as_json:
        out.document({"claims": [_wire(row) for row in found]})
    elif not found:
        out.say("no claims")
    else:
        out.table(
            ["claim", "kind", "units", "wish", "since", "decided", ">paid back"],
            [
                (
                    row.claim_id,
                    row.kind,
                    _units(row),
                    row.wish or "",
                    local(row.since),
                    (row.decision or "").replace("_", " "),
                    _amount(row),
                )
                for row in found
            ],
        )


@app.command()
def show(claim: ClaimName, as_json: Json = False) -> None:
    """Show one claim: what is claimed, what shows it, and what was decided.

    Example: `orderloom claims show web-1001:C1`
    """
    claim = part_named(claim)
    row = from_records(lambda here: here.claims.get(claim))
    out = Output(as_json=as_json)
    if as_json:
        out.document(_wire(row))
        return
    out.say(f"{row.claim_id}: {row.kind}, since {local(row.since)}, by {row.who}: {row.reason}")
    for line_id, units in row.units.items():
        out.say(f"  line {line_id}: {units}")
    for one in row.evidence:
        out.say(f"  {one}")
    if row.wish is not None:
        out.say(f"  the customer would like: {row.wish}")
    if row.decision is None:
        by = f", by {local(row.answer_by)}" if row.answer_by is not None else ""
        out.say(f"  a person decides{by}: {row.why_open}")
    else:
        amount = f", {_amount(row)}" if _amount(row) else ""
        if row.return_id is not None:
            out.say(f"  asked back as {row.return_id}: {row.return_state}")
        out.say(f"  {row.decision.replace('_', ' ')}{amount}, by {row.decided_by}: {row.note}")


@app.command()
def decide(
    claim: ClaimName,
    decision: Annotated[ClaimDecision, typer.Argument(metavar="refund|part_refund|reship|refused")],
    note: Annotated[str, typer.Option("--note", help="Why; of a refusal, for the customer.")],
    amount: Annotated[
        str | None,
        typer.Option("--amount", metavar="12.50", help="Of a part refund, in its currency."),
    ] = None,
    percent: Annotated[
        int | None, typer.Option("--percent", help="Of a part refund: of the claimed worth.")
    ] = None,
    to: Annotated[
        RefundTo, typer.Option("--to", help="The way it was paid, store credit, or a voucher.")
    ] = "original",
    send_back: Annotated[
        bool, typer.Option("--send-back", help="The customer is to send the units back.")
    ] = False,
    sent: Annotated[
        list[str] | None,
        typer.Option(
            "--sent",
            metavar="LINE=SKU",
            help="Of a wrong item: what was in the parcel instead. Both counts are put right.",
        ),
    ] = None,
    request_id: RequestId = None,
    by: Who = "customer service",
    as_json: Json = False,
) -> None:
    """Decide about a claim that waits for a person.

    Example: `orderloom claims decide web-1001:C1 refund --note "seen on the photo"`
    """
    claim = part_named(claim)
    content = {
        "claim_id": claim,
        "decision": decision,
        "note": note,
        "amount": amount,
        "percent": percent,
        "to": to,
        "send_back": send_back,
        "sent": [
            dict(zip(("line_id", "sku"), pair.partition("=")[::2], strict=True))
            for pair in sent or ()
        ],
        "request_id": request_id or fresh_id("cli"),
        "by": by,
    }
    request = read_model(DecideClaimRequest, content, where="decide")
    print_claim(ids.order_of(claim), asyncio.run(_ask(request)), as_json=as_json)


async def _ask(request: DecideClaimRequest) -> ClaimOutcome:
    async with service() as here:
        return await answered(
            here.aftersales.decide_claim(ids.order_of(request.claim_id), request),
            again=f"ask again with --request-id {request.request_id}",
        )


def _units(row: Claim) -> str:
    return ", ".join(f"{line_id}={units}" for line_id, units in row.units.items())


def _amount(row: Claim) -> str:
    return "" if row.amount_minor is None else money(row.amount_minor, row.currency)


def _wire(row: Claim) -> Any:
    return wire(row, row.currency)
