"""`orderloom baskets`: units soft-reserved for customers at checkout."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Annotated

import typer

from domain.fields import Document, Id, Sku
from domain.orders.order import Quantity
from starter.cli.terminal.options import Json, read_model, read_units
from starter.cli.terminal.output import Output, local
from starter.service.baskets import HOLD_MAX, HOLD_USUALLY
from starter.service.connection import from_records
from store.stock.baskets import Basket

app = typer.Typer(rich_markup_mode="markdown", add_completion=False, no_args_is_help=True)

_MINUTE = timedelta(minutes=1)

BasketArgument = Annotated[
    str, typer.Argument(metavar="BASKET", help="The shop's id of it.", show_default=False)
]


class _Held(Document):
    basket: Id
    units: dict[Sku, Quantity]


@app.callback()
def baskets() -> None:
    """Units soft-reserved for customers at checkout, until they order or the time is over."""


@app.command()
def hold(
    basket: BasketArgument,
    units: Annotated[
        list[str],
        typer.Argument(metavar="SKU=UNITS...", help="All that it holds.", show_default=False),
    ],
    minutes: Annotated[
        int,
        typer.Option("--minutes", min=1, max=HOLD_MAX // _MINUTE, help="So long, from now."),
    ] = HOLD_USUALLY // _MINUTE,
    as_json: Json = False,
) -> None:
    """Soft-reserve units for a basket: all of them, or none. A repeat prolongs it.

    An order with this `basket` gets them. When the time is over, they are free by themselves.

    Example: `orderloom baskets hold B-1001 TEA-ASSAM-250=2 --minutes 15`
    """
    wanted = read_model(_Held, {"basket": basket, "units": read_units(units)}, where="basket")
    expires_at = datetime.now(UTC) + timedelta(minutes=minutes)
    held = from_records(
        lambda here: here.baskets.hold(wanted.basket, wanted.units, expires_at=expires_at)
    )
    _show([held], Output(as_json=as_json))


@app.command()
def release(basket: BasketArgument, as_json: Json = False) -> None:
    """Free a basket's units. It is no error if the basket has none.

    Example: `orderloom baskets release B-1001`
    """
    from_records(lambda here: here.baskets.release(basket))
    out = Output(as_json=as_json)
    if as_json:
        out.document({"basket": basket})
    else:
        out.say(f"{basket} holds nothing")


@app.command("list")
def list_baskets(
    basket: Annotated[str | None, typer.Option("--basket", help="Only this one.")] = None,
    as_json: Json = False,
) -> None:
    """List baskets with units; the first to expire comes first.

    Example: `orderloom baskets list`
    """
    found = from_records(lambda here: here.baskets.list(basket))
    out = Output(as_json=as_json)
    if not found and not as_json:
        out.say("no basket holds anything")
    elif as_json:
        out.document({"baskets": [one.model_dump(mode="json") for one in found]})
    else:
        _show(found, out)


def _show(held: Sequence[Basket], out: Output) -> None:
    if out.as_json:
        out.document(held[0].model_dump(mode="json"))
        return
    out.table(
        ["basket", "holds", "until"],
        [
            (
                one.basket,
                ", ".join(f"{n} {sku}" for sku, n in one.units.items()),
                local(one.expires_at),
            )
            for one in held
        ],
    )
