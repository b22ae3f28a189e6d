"""`orderloom promise`: when units of a SKU could arrive."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated

import typer

from domain.fields import Country, Document, Id, PostalCode, Sku
from domain.orders.order import Quantity
from domain.stock.promises import PromisedUnits
from starter.cli.terminal.options import NEGATIVE, UNITS_MAX, Json, read_model
from starter.cli.terminal.output import Output
from starter.service.connection import from_records

app = typer.Typer(rich_markup_mode="markdown", add_completion=False)


class _Asked(Document):
    sku: Sku
    quantity: Quantity
    country: Country | None
    postal_code: PostalCode | None
    service: Id


@app.command(context_settings=NEGATIVE)
def promise(
    sku: Annotated[str, typer.Argument(metavar="SKU", show_default=False)],
    quantity: Annotated[
        int, typer.Argument(min=1, max=UNITS_MAX, help="Units.", show_default=False)
    ],
    country: Annotated[
        str | None,
        typer.Option(
            "--country", help="Where to: DE, KR. Left out: anywhere, by the lanes to everywhere."
        ),
    ] = None,
    postal_code: Annotated[
        str | None, typer.Option("--postal-code", help="Where to there.")
    ] = None,
    service: Annotated[str, typer.Option("--service", help="The carrier's service.")] = "standard",
    as_json: Json = False,
) -> None:
    """Show when units could arrive if they were ordered now. Nothing is reserved.

    Counts free stock, and supply with a known day, by each location's working days, cut-off, limit
    a day and lanes.

    Example: `orderloom promise TEA-ASSAM-250 20 --country DE --postal-code 10115`
    """
    asked = read_model(
        _Asked,
        {
            "sku": sku,
            "quantity": quantity,
            "country": country,
            "postal_code": postal_code,
            "service": service,
        },
        where="promise",
    )
    _tell(asked, _ask(asked), Output(as_json=as_json))


def _ask(asked: _Asked) -> Sequence[PromisedUnits]:
    return from_records(
        lambda here: here.stock.promise(
            asked.sku,
            asked.quantity,
            country=asked.country,
            postal_code=asked.postal_code,
            service=asked.service,
            now=datetime.now(UTC),
        )
    )


def _tell(asked: _Asked, found: Sequence[PromisedUnits], out: Output) -> None:
    missing = asked.quantity - sum(one.quantity for one in found)
    if out.as_json:
        told = [one.model_dump(mode="json") for one in found]
        out.document({"sku": asked.sku, "promised": told, "missing": missing})
        return
    if found:
        out.table(
            [">units", "from", "source", "leaves", "arrives"],
            [
                (
                    one.quantity,
                    one.location,
                    one.source,
                    one.promise.leaves_on if one.promise else "",
                    one.promise.arrives_on if one.promise else "not known: no lane says how long",
                )
                for one in found
            ],
        )
    if missing:
        out.say(f"{missing} of {asked.quantity} cannot be promised: neither there nor on the way")
