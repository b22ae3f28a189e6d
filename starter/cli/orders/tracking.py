"""`orderloom tracking`: links to the pages of customers, and the keys that sign them."""

from __future__ import annotations

from typing import Annotated

import typer

from domain.errors import InvalidInput, NotFound
from runtime.settings import load_settings
from starter.cli.terminal.named import OrderName, order_named
from starter.cli.terminal.options import Json
from starter.cli.terminal.output import Output
from starter.service.connection import from_records

app = typer.Typer(rich_markup_mode="markdown", add_completion=False, no_args_is_help=True)


@app.callback()
def tracking() -> None:
    """The pages on which customers see where their orders are."""


@app.command()
def link(order: OrderName, as_json: Json = False) -> None:
    """Show the link to an order's page, to give it to its customer. It is good for 180 days.

    Whoever has it sees all of the page, so it goes to nobody else.

    Example: `orderloom tracking link web-1001`
    """
    pages_url = load_settings().pages_url
    if pages_url is None:
        raise InvalidInput(
            "is not set: it says where customers reach `orderloom serve`, such as "
            "https://track.example.com",
            where="ORDERLOOM_PAGES_URL",
        )
    order = order_named(order)
    found = from_records(lambda here: here.tracking.link(order, pages_url))
    if found is None:
        raise NotFound(f"there is no order {order}, or its customer was erased")
    out = Output(as_json=as_json)
    if as_json:
        out.document({"order_id": order, "link": found})
    else:
        out.say(found)


@app.command("rotate-key")
def rotate_key(
    revoke: Annotated[
        bool, typer.Option("--revoke", help="Links that were made before lead nowhere any more.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Sign new links with a new key. Links that were made before are good until they expire.

    Example: `orderloom tracking rotate-key --revoke`
    """
    revoked = from_records(lambda here: here.tracking.rotate_key(revoke=revoke))
    out = Output(as_json=as_json)
    if as_json:
        out.document({"revoked": list(revoked)})
    elif revoke:
        out.say("new links have a new key; those that were made before lead nowhere")
    else:
        out.say("new links have a new key; those that were made before are good until they expire")
