"""The lines of an order: what was bought, and at what price."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Any

from pydantic import AfterValidator, Field, model_validator

from domain.fields import (
    Amount,
    Flag,
    LineId,
    Sku,
    UnitPrice,
    inconsistent,
    wrong,
)
from domain.optional_fields import CUT, LenientDocument
from domain.orders.price_fields import Rate, TaxCategory

LINES_MAX = 500
QUANTITY_MAX = 1_000_000

Quantity = Annotated[int, Field(strict=True, ge=1, le=QUANTITY_MAX)]


def _one_kind(part: Any) -> Any:
    if isinstance(part, dict) and "prices_include_tax" in part:
        raise inconsistent(
            "prices_include_tax", "is said once, of the whole order: all its prices are of one kind"
        )
    return part


OneKind = model_validator(mode="before")(_one_kind)


class Line(LenientDocument):
    """`quantity` units of one SKU. `discount` and `tax` are for the whole line, not per unit.

    The price of a unit may be finer than the currency; the line is rounded once, half away from 0.
    A line without an id goes by its place in the order: 1, 2, 3.
    Where `tax_rate`, in percent, is given and no `tax`, the tax is computed.
    """

    _of_one_kind = OneKind

    line_id: LineId
    sku: Sku
    quantity: Quantity
    unit_price: UnitPrice
    discount: Amount = Decimal(0)
    tax: Amount | None = None
    tax_rate: Rate | None = None
    tax_category: Annotated[TaxCategory | None, CUT] = None
    added: Flag = False
    """Added after something of the order was charged: nothing of it but its own is shared out.

    It has no part of the order's discount, rounding, shipping and fees.
    """


def _at_least_one(lines: tuple[Line, ...]) -> tuple[Line, ...]:
    # Checked here, because min_length would also count the lines that are not valid.
    if not lines:
        raise wrong("must hold at least one line")
    return lines


Lines = Annotated[
    tuple[Line, ...],
    Field(max_length=LINES_MAX, json_schema_extra={"minItems": 1}),
    AfterValidator(_at_least_one),
]
