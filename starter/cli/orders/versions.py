"""`orderloom versions`: what an order was before it was changed, and who changed it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import typer

from domain.orders.versions import OrderVersion
from starter.cli.terminal.named import OrderName, order_named
from starter.cli.terminal.options import Json
from starter.cli.terminal.output import Output
from starter.service.connection import service

app = typer.Typer(rich_markup_mode="markdown", add_completion=False)


@app.command()
def versions(order: OrderName, as_json: Json = False) -> None:
    """List the versions of an order's document, and the change that ended each.

    With --json, each with its whole document.

    Example: `orderloom versions web-1001`
    """
    order = order_named(order)
    found = asyncio.run(_versions(order))
    out = Output(as_json=as_json)
    if as_json:
        out.document(
            {"order_id": order, "versions": [one.model_dump(mode="json") for one in found]}
        )
        return
    for one in found:
        if one.changed_at is None:
            out.say(f"version {one.version}, {one.total}: the present one")
            continue
        out.say(f"version {one.version}, {one.total}, until {one.changed_at:%Y-%m-%d %H:%M %Z}")
        out.say(f"  changed by {one.changed_by}: {one.reason}")
        for change in one.changes:
            out.say(f"  {change}")


async def _versions(order_id: str) -> Sequence[OrderVersion]:
    async with service(temporal_may_be_away=True) as here:
        return await here.edits.versions(order_id)
