"""`orderloom events`: an order's story, from PostgreSQL."""

from __future__ import annotations

import typer

from starter.cli.terminal.named import OrderName, order_named
from starter.cli.terminal.options import Json
from starter.cli.terminal.output import Output
from starter.cli.terminal.rendering import event_line
from starter.service.connection import from_records

app = typer.Typer(rich_markup_mode="markdown", add_completion=False)


@app.command()
def events(order: OrderName, as_json: Json = False) -> None:
    """Show the story of an order: what happened, when, by whom and why; oldest first.

    Example: `orderloom events web-1001`
    """
    order = order_named(order)
    story = from_records(lambda here: here.orders.events(order))
    out = Output(as_json=as_json)
    if as_json:
        told = [event.model_dump(mode="json") for event in story]
        out.document({"order_id": order, "events": told})
        return
    for event in story:
        out.say(event_line(event))
