"""`orderloom note`: what one who works with an order leaves for the next one."""

from __future__ import annotations

from typing import Annotated

import typer

from domain.orders.notes import NewOrderNote
from starter.cli.terminal.named import OrderName, order_named
from starter.cli.terminal.options import Json, Limit, Who, read_model, reporter
from starter.cli.terminal.output import Output, local
from starter.service.connection import from_records
from starter.service.order_notes import OrderNote

app = typer.Typer(rich_markup_mode="markdown", add_completion=False, no_args_is_help=True)

Number = Annotated[
    int, typer.Argument(metavar="NUMBER", help="The note's, as `list` tells it.", min=1)
]


@app.callback()
def note() -> None:
    """Notes on orders. They stand in the order's story, and those that are pinned on top of it."""


@app.command()
def add(
    order: OrderName,
    text: Annotated[str, typer.Argument(metavar="TEXT", help="What to write down.")],
    pin: Annotated[bool, typer.Option("--pin", help="Put it on top of the order's page.")] = False,
    by: Who = "",
    as_json: Json = False,
) -> None:
    """Write a note on an order, whatever has become of it.

    Example: `orderloom note add web-1001 'call before it is sent' --pin`
    """
    new = read_model(NewOrderNote, {"note": text, "pinned": pin}, where="note")
    order, who = order_named(order), reporter(by)
    kept = from_records(lambda here: here.orders.note(order, new, who=who))
    _tell(kept, Output(as_json=as_json))


@app.command("list")
def list_notes(order: OrderName, limit: Limit = 20, as_json: Json = False) -> None:
    """List the notes on an order, the latest first.

    Example: `orderloom note list web-1001`
    """
    order = order_named(order)
    found = from_records(lambda here: here.orders.notes(order, at_most=limit + 1))
    out, shown = Output(as_json=as_json), found[:limit]
    if as_json:
        rows = [one.model_dump(mode="json") for one in shown]
        out.document({"notes": rows, "more": len(found) > limit})
        return
    for one in shown:
        out.say(_told(one))
    if not shown:
        out.say("no notes")


@app.command()
def pin(order: OrderName, number: Number, as_json: Json = False) -> None:
    """Put a note on top of the order's page.

    Example: `orderloom note pin web-1001 1`
    """
    _pinned(order, number, as_json=as_json, pinned=True)


@app.command()
def unpin(order: OrderName, number: Number, as_json: Json = False) -> None:
    """Have a note on top of the order's page no longer.

    Example: `orderloom note unpin web-1001 1`
    """
    _pinned(order, number, as_json=as_json, pinned=False)


def _pinned(order: str, number: int, *, as_json: bool, pinned: bool) -> None:
    order = order_named(order)
    kept = from_records(lambda here: here.orders.pin_note(order, number, pinned=pinned))
    _tell(kept, Output(as_json=as_json))


def _tell(kept: OrderNote, out: Output) -> None:
    if out.as_json:
        out.document(kept.model_dump(mode="json"))
    else:
        out.say(_told(kept))


def _told(one: OrderNote) -> str:
    """A note on one line."""
    mark = ", pinned" if one.pinned else ""
    return f"{one.note_no}: {local(one.at)}, {one.who}{mark}: {one.note}"
