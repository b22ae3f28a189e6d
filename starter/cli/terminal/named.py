"""Orders and their parts, as people name them."""

from __future__ import annotations

from typing import Annotated

import typer

from starter.service.connection import from_records

OrderName = Annotated[
    str,
    typer.Argument(
        metavar="ORDER",
        help="Its id, such as web-1001, or its number as the channel writes it.",
        show_default=False,
    ),
]
OfOrder = Annotated[
    str | None,
    typer.Option("--order", metavar="ORDER", help="Only of this order.", show_default=False),
]
PerhapsOrder = Annotated[
    str | None,
    typer.Argument(metavar="[ORDER]", help="Only of this order.", show_default=False),
]
FulfilmentName = Annotated[
    str,
    typer.Argument(metavar="FULFILMENT", help="Its id, such as web-1001:1.", show_default=False),
]
ReturnName = Annotated[
    str,
    typer.Argument(metavar="RETURN", help="Its id, such as web-1001:R1.", show_default=False),
]


def order_named(text: str) -> str:
    """The id of the order that is named. Raises Refused where it may be several."""
    return from_records(lambda here: here.orders.named(text))


def perhaps_order_named(text: str | None) -> str | None:
    """The same, if any is named."""
    return None if text is None else order_named(text)


def part_named(text: str) -> str:
    """The id of the part that is named: the order as above, and the part's number behind a ':'."""
    order, colon, part = text.rpartition(":")
    return f"{order_named(order)}:{part}" if colon else text
