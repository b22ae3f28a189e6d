"""Commands of `orderloom jobs` that ask many orders for the same."""

from __future__ import annotations

from typing import Annotated

import typer

from domain.jobs.options import ManyCancellations, ManyCharges, ManyHolds, ManyReleases
from domain.orders.hold_messages import AskedReason
from starter.cli.jobs.choosing import (
    Channel,
    InState,
    Orders,
    PlacedFrom,
    PlacedTo,
    Seller,
    filters,
    made,
    of,
)
from starter.cli.terminal.options import Json, Who, read_model


def cancel_orders(
    reason: Annotated[
        str, typer.Option("--reason", help="Why; kept in each story.", show_default=False)
    ],
    orders: Orders = None,
    channel: Channel = None,
    seller: Seller = None,
    state: InState = None,
    placed_from: PlacedFrom = None,
    placed_to: PlacedTo = None,
    by: Who = "",
    as_json: Json = False,
) -> None:
    """Cancel many orders, each as if it had been asked alone.

    Example: `orderloom jobs cancel-orders --channel web --state held --reason 'the shop closes'`
    """
    wanted = of(orders, filters(channel, seller, state, placed_from, placed_to))
    options = read_model(ManyCancellations, {**wanted, "reason": reason}, where="cancel-orders")
    made("cancel_orders", options, by, as_json=as_json)


def release_orders(
    note: Annotated[
        str, typer.Option("--note", help="Why; kept in each story.", show_default=False)
    ],
    orders: Orders = None,
    channel: Channel = None,
    seller: Seller = None,
    state: InState = None,
    placed_from: PlacedFrom = None,
    placed_to: PlacedTo = None,
    by: Who = "",
    as_json: Json = False,
) -> None:
    """End the holds of many orders, each as if it had been asked alone.

    Example: `orderloom jobs release-orders --channel web --state held --note 'the sale is over'`
    """
    wanted = of(orders, filters(channel, seller, state, placed_from, placed_to))
    options = read_model(ManyReleases, {**wanted, "note": note}, where="release-orders")
    made("release_orders", options, by, as_json=as_json)


def hold_orders(
    reason: Annotated[
        AskedReason, typer.Option("--reason", help="Of what kind.", show_default=False)
    ],
    note: Annotated[
        str, typer.Option("--note", help="Why; kept in each story.", show_default=False)
    ],
    orders: Orders = None,
    channel: Channel = None,
    seller: Seller = None,
    state: InState = None,
    placed_from: PlacedFrom = None,
    placed_to: PlacedTo = None,
    by: Who = "",
    as_json: Json = False,
) -> None:
    """Hold many orders, each as if it had been asked alone.

    Example: `orderloom jobs hold-orders web-1 web-2 --reason stock --note 'a batch is called back'`
    """
    wanted = of(orders, filters(channel, seller, state, placed_from, placed_to))
    options = read_model(ManyHolds, {**wanted, "reason": reason, "note": note}, where="hold-orders")
    made("hold_orders", options, by, as_json=as_json)


def charge_orders(
    note: Annotated[
        str, typer.Option("--note", help="Why; kept in each story.", show_default=False)
    ],
    orders: Orders = None,
    channel: Channel = None,
    seller: Seller = None,
    state: InState = None,
    placed_from: PlacedFrom = None,
    placed_to: PlacedTo = None,
    by: Who = "",
    as_json: Json = False,
) -> None:
    """Charge many orders that wait for it, each as if it had been asked alone.

    Example: `orderloom jobs charge-orders --channel b2b --state confirmed --note 'checked'`
    """
    wanted = of(orders, filters(channel, seller, state, placed_from, placed_to))
    options = read_model(ManyCharges, {**wanted, "note": note}, where="charge-orders")
    made("charge_orders", options, by, as_json=as_json)
