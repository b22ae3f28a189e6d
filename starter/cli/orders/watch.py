"""`orderloom watch`: follow one order's story, or the number of orders in each state."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from functools import partial
from typing import Annotated, Final, TypeVar

import typer
from rich.console import Group
from rich.live import Live
from rich.text import Text

from domain.errors import Unreachable
from starter.cli.terminal import output
from starter.cli.terminal.named import perhaps_order_named
from starter.cli.terminal.options import Json
from starter.cli.terminal.output import Output, complain, local, make_table
from starter.cli.terminal.rendering import event_line
from starter.service.connection import records
from starter.service.service import Records

T = TypeVar("T")

app = typer.Typer(rich_markup_mode="markdown", add_completion=False)

_FINISHED: Final = ("closed", "rejected", "cancelled")
_LOOK_SECONDS_MAX: Final = 5.0
_PATIENCE_SECONDS: Final = 60.0
"""A database that is started again is waited for this long."""


@app.command()
def watch(
    order: Annotated[
        str | None,
        typer.Argument(
            metavar="[ORDER]",
            help="Id or number of an order; left out: all orders, by state.",
        ),
    ] = None,
    until_done: Annotated[
        bool, typer.Option("--until-done", help="End when the order is finished, or all are.")
    ] = False,
    interval: Annotated[
        float, typer.Option("--interval", min=0.1, max=3600, help="Seconds between two looks.")
    ] = 1.0,
    as_json: Json = False,
) -> None:
    """Follow one order's story, or the number of orders in each state, until Ctrl-C.

    Of the finished orders, those of the last 24 hours are counted.

    With --json, a line for each event or each change.

    Example: `orderloom watch web-1001 --until-done`
    """
    order = perhaps_order_named(order)
    out = Output(as_json=as_json)
    if order is None:
        asyncio.run(_watch_all(out, interval, until_done))
    else:
        asyncio.run(_watch_one(order, out, interval, until_done))


async def _watch_one(order_id: str, out: Output, interval: float, until_done: bool) -> None:
    async with records(statement_seconds_max=_LOOK_SECONDS_MAX) as here:
        last = 0
        while True:
            news = await _read(partial(here.orders.news, order_id, after=last))
            for event in news.story:
                last = event.event_id
                if out.as_json:
                    out.record(event.model_dump(mode="json"))
                else:
                    out.say(event_line(event))
            if until_done and news.state in _FINISHED:
                if not out.as_json:
                    reason = f": {news.reason}" if news.reason else ""
                    out.say(f"{order_id} is {news.state}{reason}")
                return
            await asyncio.sleep(interval)


async def _watch_all(out: Output, interval: float, until_done: bool) -> None:
    screen = output.console()
    async with records(statement_seconds_max=_LOOK_SECONDS_MAX) as here:
        if screen.is_terminal and not out.as_json:
            with Live(console=screen, auto_refresh=False) as live:
                await _follow_states(
                    here,
                    lambda states: live.update(_page(states), refresh=True),
                    interval,
                    until_done,
                )
            return
        seen: list[dict[str, int]] = []

        def tell(states: Mapping[str, int]) -> None:
            if seen and seen[-1] == states:
                return
            seen[:] = [dict(states)]
            if out.as_json:
                out.record({"at": datetime.now(UTC).isoformat(), "states": dict(states)})
            else:
                counted = ", ".join(f"{count} {state}" for state, count in states.items())
                out.say(f"{local(datetime.now(UTC))}  {counted or 'no orders'}")

        await _follow_states(here, tell, interval, until_done)


async def _follow_states(
    here: Records, tell: Callable[[Mapping[str, int]], None], interval: float, until_done: bool
) -> None:
    while True:
        states = await _read(here.orders.states)
        tell(states)
        if until_done and all(state in _FINISHED for state in states):
            return
        await asyncio.sleep(interval)


def _page(states: Mapping[str, int]) -> Group:
    total = sum(states.values())
    return Group(
        Text(f"{local(datetime.now(UTC))}  {total} orders (Ctrl-C ends this)"),
        make_table(
            ["state", ">orders", "share"],
            [(state, count, "█" * round(40 * count / total)) for state, count in states.items()],
        ),
    )


async def _read(query: Callable[[], Awaitable[T]]) -> T:
    """The query's result; a database that is away for a moment is waited for."""
    deadline = time.monotonic() + _PATIENCE_SECONDS
    told = False
    while True:
        try:
            return await query()
        except Unreachable as error:
            if time.monotonic() > deadline:
                raise
            if not told:
                complain(f"orderloom: {error}; still watching")
                told = True
        await asyncio.sleep(1.0)
