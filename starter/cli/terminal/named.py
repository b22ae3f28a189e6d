"""Orders and their parts, as people name them."""

from __future__ import annotations

import re
from typing import Annotated, Final

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
PutBackName = Annotated[
    str,
    typer.Argument(metavar="PUT_BACK", help="Its id, such as web-1001:1:P1.", show_default=False),
]
ReturnName = Annotated[
    str,
    typer.Argument(metavar="RETURN", help="Its id, such as web-1001:R1.", show_default=False),
]


_PART: Final = re.compile(r"(?P<order>.*?):(?P<part>[^:]*(:P\d+)?)")


def order_named(text: str) -> str:
    """The id of the order that is named. Raises Refused where it may be several."""
    return from_records(lambda here: here.orders.named(text))


def perhaps_order_named(text: str | None) -> str | None:
    """The same, if any is named."""
    return None if text is None else order_named(text)


def part_named(text: str) -> str:
    """The id of the part that is named: the order as above, and the part's number behind a ':'.

    What is put back is a part of a fulfilment: `web-1001:1:P1`.
    """
    named = _PART.fullmatch(text)
    return f"{order_named(named['order'])}:{named['part']}" if named else text
