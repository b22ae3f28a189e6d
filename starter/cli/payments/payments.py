"""`orderloom payments`: money calls without a known outcome, and refunds that are owed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated

import typer

from domain.errors import InvalidInput
from starter.cli.terminal.options import Json
from starter.cli.terminal.output import Output, local, wire
from starter.service.connection import from_records
from store.payments.money_reads import Unsettled
from store.payments.refunds import Refund

app = typer.Typer(rich_markup_mode="markdown", add_completion=False)


@app.command()
def payments(
    unknown: Annotated[
        bool, typer.Option("--unknown", help="Calls whose outcome is not known, with their age.")
    ] = False,
    owed: Annotated[
        bool, typer.Option("--owed", help="Refunds that are granted and not issued.")
    ] = False,
    as_json: Json = False,
) -> None:
    """List money that needs a look. `orderloom show` has the payments of an order.

    The order itself looks an unknown outcome up at the provider, repeatedly; if that does not help
    for long, the order needs attention.

    Example: `orderloom payments --unknown`
    """
    if unknown == owed:
        raise InvalidInput("say which: --unknown or --owed", where="payments")
    out = Output(as_json=as_json)
    if unknown:
        _unknown(from_records(lambda here: here.payments.unsettled()), out)
    else:
        _owed(from_records(lambda here: here.payments.owed()), out)


def _unknown(found: Sequence[Unsettled], out: Output) -> None:
    now = datetime.now(UTC)
    ages = [now - payment.requested_at for payment in found]
    if out.as_json:
        rows = [
            {**wire(payment, payment.currency), "age_seconds": round(age.total_seconds())}
            for payment, age in zip(found, ages, strict=True)
        ]
        out.document({"payments": rows})
    elif not found:
        out.say("every outcome is known")
    else:
        out.table(
            ["payment", "kind", ">amount", "provider", "state", ">age", "attention"],
            [
                (
                    payment.payment_key,
                    payment.kind,
                    str(payment.amount),
                    payment.provider,
                    payment.state,
                    f"{age.total_seconds():.0f} s",
                    "needs attention" if payment.attention else "",
                )
                for payment, age in zip(found, ages, strict=True)
            ],
        )


def _owed(found: Sequence[Refund], out: Output) -> None:
    if out.as_json:
        out.document({"refunds": [wire(refund, refund.currency) for refund in found]})
    elif not found:
        out.say("nothing is owed")
    else:
        out.table(
            ["refund", "order", ">owed", "since", "why"],
            [
                (
                    refund.refund_id,
                    refund.order_id,
                    str(refund.owed),
                    local(refund.granted_at),
                    refund.reason,
                )
                for refund in found
            ],
        )
