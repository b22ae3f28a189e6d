"""`orderloom returns`: what comes back, decisions about it, and the rules of returns."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Annotated

import typer

from domain import ids
from domain.aftersales.return_rules import ReturnRule, ReturnRules
from domain.orders.return_messages import ReturnAnswer, ReturnDecided, ReturnGivenUp, ReturnState
from starter.cli.aftersales.request_options import Reason, RequestId
from starter.cli.terminal.named import OfOrder, ReturnName, part_named, perhaps_order_named
from starter.cli.terminal.options import (
    DryRun,
    Json,
    Limit,
    Who,
    fresh_id,
    read_json_file,
    read_model,
)
from starter.cli.terminal.output import Output
from starter.cli.warehouse import unannounced
from starter.cli.warehouse.papers import write_label
from starter.service.aftersales import Aftersales
from starter.service.connection import from_records, service
from starter.service.updates import answered
from store.views.returns import ParcelLabel, Return

app = typer.Typer(rich_markup_mode="markdown", add_completion=False, no_args_is_help=True)

Note = Annotated[str, typer.Option("--note", help="Why; kept in the order's story.")]


@app.callback()
def returns() -> None:
    """Returns: `orderloom return` asks for one, `orderloom warehouse receive-return` counts it."""


@app.command("list")
def list_returns(
    state: Annotated[
        ReturnState | None,
        typer.Option("--state", help="Only these. requested: a person decides about them."),
    ] = None,
    order: OfOrder = None,
    limit: Limit = 100,
    as_json: Json = False,
) -> None:
    """List returns, those that changed last first.

    Example: `orderloom returns list --state requested`
    """
    order_id = perhaps_order_named(order)
    found = from_records(
        lambda here: here.returns.list(state=state, order_id=order_id, at_most=limit)
    )
    out = Output(as_json=as_json)
    if as_json:
        out.document({"returns": [one.model_dump(mode="json") for one in found]})
        return
    out.table(
        ["return", "state", "since", "units", "why", "asks"],
        [
            (
                one.return_id,
                one.state,
                f"{one.changed_at:%Y-%m-%d %H:%M}",
                _units(one),
                one.ended_because or one.reason,
                ", ".join(one.asks) if one.state == "requested" else "",
            )
            for one in found
        ],
    )


@app.command()
def show(return_id: ReturnName, as_json: Json = False) -> None:
    """Show a return.

    Example: `orderloom returns show web-1001:R1`
    """
    named = part_named(return_id)
    found = from_records(lambda here: here.returns.get(named))
    due = None
    if found.kind == "customer" and found.state in ("requested", "approved", "in_transit"):
        due = from_records(lambda here: here.returns.expected_refund(named))
    out = Output(as_json=as_json)
    if as_json:
        told = found.model_dump(mode="json")
        out.document({**told, "expected_refund": None if due is None else str(due)})
        return
    out.say(f"{found.return_id} {found.state}: {found.ended_because or found.reason}")
    for line in found.lines:
        out.say(f"  line {line.line_id}: {line.quantity} {line.sku}, {line.reason_code}")
    if found.label is not None:
        out.say(f"  {_parcel(found.label)}")
    if found.exchange_order_id is not None:
        out.say(f"  exchanged: {found.exchange_order_id} is sent for it")
    if due is not None:
        out.say(f"  pays back {due} if all of it comes, as new")


@app.command()
def label(
    return_id: ReturnName,
    out_file: Annotated[
        str, typer.Option("--out", "-o", metavar="FILE", help="`-` is standard output.")
    ],
    form: Annotated[
        str | None,
        typer.Option("--format", metavar="FORMAT", help="pdf, zpl, png or the like."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Write the label of a return's parcel to a file, for its customer.

    Example: `orderloom returns label web-1001:R1 -o label.pdf`
    """
    named = part_named(return_id)
    found = from_records(lambda here: here.labels.of_return(named))
    write_label(found, out_file, form, Output(as_json=as_json))


@app.command()
def approve(
    return_id: ReturnName,
    note: Note,
    request_id: RequestId = None,
    by: Who = "customer service",
    as_json: Json = False,
) -> None:
    """Approve a return about which the rules ask a person. Its parcel is expected from then on.

    Example: `orderloom returns approve web-1001:R1 --note "a good customer"`
    """
    _answer(return_id, "approve", note, request_id, by, as_json)


@app.command()
def refuse(
    return_id: ReturnName,
    note: Note,
    request_id: RequestId = None,
    by: Who = "customer service",
    as_json: Json = False,
) -> None:
    """Refuse a return about which the rules ask a person. Its units stay with the customer.

    Example: `orderloom returns refuse web-1001:R1 --note "worn for weeks"`
    """
    _answer(return_id, "refuse", note, request_id, by, as_json)


@app.command()
def cancel(
    return_id: ReturnName,
    reason: Reason,
    request_id: RequestId = None,
    by: Who = "customer service",
    as_json: Json = False,
) -> None:
    """Give a return up before anything of it has come. Its units can be asked for again.

    Example: `orderloom returns cancel web-1001:R1 --reason "the customer keeps them"`
    """
    named = part_named(return_id)
    content = {"return_id": named, "reason": reason, "request_id": request_id or fresh_id("cli")}
    request = read_model(ReturnGivenUp, {**content, "by": by}, where="cancel")
    _ask(named, request, lambda door: door.cancel_return(ids.order_of(named), request), as_json)


@app.command()
def rules(as_json: Json = False) -> None:
    """Show the rules by which returns are approved.

    Example: `orderloom returns rules --json > rules.json`
    """
    found = from_records(lambda here: here.returns.rules())
    _show(found, Output(as_json=as_json))


@app.command("set-rules")
def set_rules(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="JSON, as `rules --json` prints it.")
    ],
    dry_run: DryRun = False,
    as_json: Json = False,
) -> None:
    """Let the rules in a file be all rules, from the next request on.

    Each is for a seller, a channel and a category of items, or for any where these are left out.

    Example: `orderloom returns set-rules examples/return-rules.json`
    """
    wanted = read_json_file(ReturnRules, file).rules
    from_records(lambda here: here.returns.set_rules(wanted), dry_run=dry_run)
    _show(wanted, Output(as_json=as_json, dry_run=dry_run))


app.command()(unannounced.parcels)
app.command("take-parcel")(unannounced.take_parcel)
app.command("settle-parcel")(unannounced.settle_parcel)


def _answer(
    return_id: str, decision: str, note: str, request_id: str | None, by: str, as_json: bool
) -> None:
    named = part_named(return_id)
    content = {"return_id": named, "decision": decision, "note": note, "by": by}
    content["request_id"] = request_id or fresh_id("cli")
    request = read_model(ReturnAnswer, content, where=decision)
    _ask(named, request, lambda door: door.decide_return(ids.order_of(named), request), as_json)


def _ask(
    return_id: str,
    request: ReturnAnswer | ReturnGivenUp,
    ask: Callable[[Aftersales], Awaitable[ReturnDecided]],
    as_json: bool,
) -> None:
    async def asked() -> ReturnDecided:
        async with service() as here:
            again = f"ask again with --request-id {request.request_id}"
            return await answered(ask(here.aftersales), again=again)

    outcome = asyncio.run(asked())
    out = Output(as_json=as_json)
    if as_json:
        out.document({"order_id": ids.order_of(return_id), **outcome.model_dump(mode="json")})
    else:
        out.say(f"{return_id} {outcome.outcome}: {outcome.message}")


def _parcel(label: ParcelLabel) -> str:
    number = f" {label.carrier} {label.tracking_number}" if label.tracking_number else ""
    said = f"; the carrier says {label.carrier_status}" if label.last_scan_at else ""
    why = f": {label.refusal}" if label.refusal else ""
    return f"label {label.state}{number}{why}; it costs the customer {label.fee}{said}"


def _units(one: Return) -> str:
    return ", ".join(f"{line.quantity} {line.sku}" for line in one.lines)


def _show(found: Sequence[ReturnRule], out: Output) -> None:
    if out.as_json:
        rules = ReturnRules(rules=tuple(found))
        out.document(rules.model_dump(mode="json", exclude_none=True))
        return
    scope = ("seller", "channel", "category")
    out.table(
        [*scope, "terms"],
        [
            (
                *(each or "any" for each in rule.scope),
                ", ".join(sorted(rule.model_fields_set - set(scope))),
            )
            for rule in found
        ],
    )
