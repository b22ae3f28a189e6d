"""`orderloom disputes`: payments that customers' banks took back or ask about, from PostgreSQL."""

from __future__ import annotations

from typing import Annotated

import typer

from starter.cli.terminal.named import PerhapsOrder, perhaps_order_named
from starter.cli.terminal.options import Json, Limit
from starter.cli.terminal.output import Output, local, money, wire
from starter.service.connection import from_records
from store.payments.provider_reads import DisputeRow

app = typer.Typer(rich_markup_mode="markdown", add_completion=False)


@app.command()
def disputes(
    order: PerhapsOrder = None,
    open_only: Annotated[bool, typer.Option("--open", help="Only those not decided.")] = False,
    limit: Limit = 100,
    as_json: Json = False,
) -> None:
    """List disputes, newest first, with the deadline for evidence.

    A dispute without an order is about an unknown payment: look it up at the company.

    Example: `orderloom disputes --open`
    """
    order = perhaps_order_named(order)
    found = from_records(
        lambda here: here.payments.disputes(order_id=order, open_only=open_only, at_most=limit)
    )
    out = Output(as_json=as_json)
    if as_json:
        out.document({"disputes": [_wire(row) for row in found]})
    elif not found:
        out.say("no disputes")
    else:
        out.table(
            ["dispute", "order", ">amount", ">fee", "state", "reason", "opened", "answer by"],
            [
                (
                    f"{row.provider} {row.dispute_id}",
                    row.order_id or "(not known)",
                    money(row.amount_minor, row.currency),
                    money(row.fee_minor, row.fee_currency) if row.fee_minor else "",
                    row.state.replace("_", " "),
                    row.reason,
                    local(row.opened_at),
                    local(row.respond_by) if row.closed_at is None else "",
                )
                for row in found
            ],
        )


def _wire(row: DisputeRow) -> object:
    fee = {"fee_minor": row.fee_minor, "currency": row.fee_currency}
    rest = row.model_dump(mode="json", exclude={"fee_minor"})
    return {**wire(rest), "fee": wire(fee)["fee"]}
