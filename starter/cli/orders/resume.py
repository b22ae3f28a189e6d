"""`orderloom resume`: orders that Temporal has lost go on from their rows."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Annotated, Final

import typer

from domain.errors import InvalidInput, Refused, Unreachable
from domain.words import count_of
from starter.cli.terminal.named import perhaps_order_named
from starter.cli.terminal.options import Json
from starter.cli.terminal.output import Output, complain
from starter.service.connection import service
from starter.service.resuming import SETTLE, Resumption

app = typer.Typer(rich_markup_mode="markdown", add_completion=False)

_TOLD: Final = ("resumed", "impossible")
"""What is told of each; others are only counted."""


@app.command()
def resume(
    order: Annotated[
        str | None,
        typer.Argument(
            metavar="[ORDER]",
            help="Id or number of an order.",
            show_default=False,
        ),
    ] = None,
    all_lost: Annotated[
        bool,
        typer.Option(
            "--all-lost", help="All open orders and purchase orders without a running workflow."
        ),
    ] = False,
    settle_s: Annotated[
        float,
        typer.Option(
            "--settle",
            min=0,
            max=3600,
            help="Seconds for which steps of a lost workflow may be under way: so long after its "
            "end, an order goes on. 0 is right when all workers were started since.",
        ),
    ] = SETTLE.total_seconds(),
    as_json: Json = False,
) -> None:
    """Have orders go on whose workflow Temporal has lost: from their rows, with nothing done twice.

    Temporal loses workflows with its database, when it is replaced by a new server, and when
    somebody terminates one. An order whose workflow runs is left alone, so it is safe to repeat,
    and to run while workers run. A new run goes on a minute after the end of the lost one, when no
    step of that can be under way any more. With --all-lost and --json, a line for each that was
    taken up; the last line is the sum.

    Exit code: 3 if a server stopped answering (run it again), 1 if an order has ended or cannot be
    taken up, else 0.

    Example: `orderloom resume --all-lost`
    """
    order = perhaps_order_named(order)
    if all_lost == (order is not None):
        raise InvalidInput("name an order, or say --all-lost", where="resume")
    out = Output(as_json=as_json)
    settle = timedelta(seconds=settle_s)
    asyncio.run(_one(order, settle, out) if order is not None else _all(settle, out))


async def _one(order_id: str, settle: timedelta, out: Output) -> None:
    async with service() as here:
        done = await here.orders.resume(order_id, settle=settle)
    if out.as_json:
        out.document({"order_id": done.subject, "outcome": done.outcome, "reason": done.why})
    elif done.outcome == "running":
        out.say(f"{order_id} has a running workflow; nothing was done")
    else:
        out.say(_line(done))


async def _all(settle: timedelta, out: Output) -> None:
    async with service() as here:
        orders, purchases = Counter[str](), Counter[str]()
        try:
            await _take_up(here.orders.resume_lost(settle=settle), "order_id", orders, out)
            await _take_up(here.purchasing.resume_lost(), "po_id", purchases, out)
        except Unreachable as error:
            _sum(orders, purchases, out)
            raise Unreachable(f"{error}; then run this again, which repeats nothing") from error
    _sum(orders, purchases, out)
    left = orders["impossible"] + purchases["impossible"]
    if left:
        raise Refused(f"{left} cannot be taken up; the reason is beside each")


async def _take_up(
    done: AsyncIterator[Resumption], key: str, counts: Counter[str], out: Output
) -> None:
    async for one in done:
        counts[one.outcome] += 1
        if one.outcome not in _TOLD:
            continue
        if out.as_json:
            out.record({key: one.subject, "outcome": one.outcome, "reason": one.why})
        elif one.outcome == "resumed":
            out.say(_line(one))
        else:
            complain(_line(one))


def _line(one: Resumption) -> str:
    told = "resumed" if one.outcome == "resumed" else "not resumed"
    return f"{one.subject}  {told}: {one.why}"


def _sum(orders: Counter[str], purchases: Counter[str], out: Output) -> None:
    if out.as_json:
        out.record({"summary": {"orders": dict(orders), "purchase_orders": dict(purchases)}})
        return
    out.say(_counted(orders, "open order"))
    if purchases:
        out.say(_counted(purchases, "open purchase order"))


def _counted(counts: Counter[str], noun: str) -> str:
    words = {
        "resumed": "resumed",
        "running": "running",
        "waiting": "waiting for a worker to start them",
        "ended": "ended meanwhile",
        "impossible": "not resumed",
    }
    told = [f"{counts[name]:,} {said}" for name, said in words.items() if counts[name]]
    return f"{count_of(counts.total(), noun)}: {', '.join(told) or 'nothing to resume'}"
