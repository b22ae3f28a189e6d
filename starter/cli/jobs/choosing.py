"""What commands that make jobs have in common: which orders, and how a job is made."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

import typer

from domain.errors import InvalidInput
from domain.fields import Document
from domain.jobs.jobs import Job, Kind, Maker
from domain.views.order_snapshot import OrderState
from starter.cli.terminal.options import read_moment, reporter
from starter.cli.terminal.output import Output
from starter.service.connection import from_records
from starter.service.service import Records

Channel = Annotated[str | None, typer.Option("--channel", metavar="CODE", help="Only from here.")]
Seller = Annotated[str | None, typer.Option("--seller", metavar="CODE", help="Only of this one.")]
InState = Annotated[OrderState | None, typer.Option("--state", help="Only in this state.")]
PlacedFrom = Annotated[
    str | None, typer.Option("--placed-from", metavar="TIME", help="Placed then or later.")
]
PlacedTo = Annotated[
    str | None, typer.Option("--placed-to", metavar="TIME", help="Placed before then.")
]
Orders = Annotated[
    list[str] | None,
    typer.Argument(metavar="[ORDER]...", help="Their ids; left out: by the filters."),
]


def filters(
    channel: str | None,
    seller: str | None,
    state: str | None,
    placed_from: str | None,
    placed_to: str | None,
) -> dict[str, Any]:
    """What was said of which orders, as `where` has it."""
    given = {
        "channel": channel,
        "seller": seller,
        "state": state,
        "placed_from": read_moment(placed_from, "--placed-from"),
        "placed_to": read_moment(placed_to, "--placed-to"),
    }
    return {name: value for name, value in given.items() if value is not None}


def of(orders: Sequence[str] | None, filters: dict[str, Any]) -> dict[str, Any]:
    """The orders that are named, or those that match."""
    if orders and filters:
        raise InvalidInput("name the orders, or give filters, and not both", where="orders")
    if not orders and not filters:
        raise InvalidInput(
            "name the orders, or give a filter: all of them is too many", where="orders"
        )
    return {"order_ids": tuple(orders)} if orders else {"where": filters}


def made(
    kind: Kind,
    options: Document,
    by: str,
    *,
    as_json: bool,
    data: bytes = b"",
) -> None:
    """Make the job, and tell how to follow it."""
    maker = Maker(reporter(by))

    async def work(here: Records) -> Job:
        job_id = here.jobs.new_id()
        return await here.jobs.make(job_id, kind, options, maker, data=data)

    job = from_records(work)
    out = Output(as_json=as_json)
    if as_json:
        out.document(job.model_dump(mode="json"))
    else:
        out.say(
            f"{job.job_id} waits to begin; `orderloom jobs show {job.job_id} --wait` follows it"
        )
