"""`orderloom events`: an order's story, from PostgreSQL."""

from __future__ import annotations

import asyncio

import typer

from starter.cli.terminal.options import Json, OrderId
from starter.cli.terminal.output import Output
from starter.cli.terminal.rendering import event_line
from starter.service.connection import database
from store.views import reads

app = typer.Typer(rich_markup_mode="markdown", add_completion=False)


@app.command()
def events(order: OrderId, as_json: Json = False) -> None:
    """What happened to an order, when, by whom and why; oldest first.

    Example: `orderloom events web-1001`
    """
    asyncio.run(_tell(order, Output(as_json=as_json)))


async def _tell(order_id: str, out: Output) -> None:
    async with database() as pool, pool.acquire() as conn:
        story = await reads.story(conn, order_id)
    if out.as_json:
        told = [event.model_dump(mode="json") for event in story]
        out.document({"order_id": order_id, "events": told})
        return
    for event in story:
        out.say(event_line(event))
