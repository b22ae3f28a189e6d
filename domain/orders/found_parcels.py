"""A parcel that was lost reaches its customer after all: what the customer pays for it.

It was paid back, or others were sent for it. So it is a sale of its own, at the prices of the order
that it came from, for goods that the customer has in the hand.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal

from domain.money import to_decimal, worth_of_units
from domain.orders.amounts import LineWorth
from domain.orders.lines import Line
from domain.orders.order import COLLECT, Order, Payment, Shipping
from domain.orders.quantities import LineUnits
from domain.stored import stored


def sale_of(
    order: Order,
    worth: Mapping[str, LineWorth],
    units: LineUnits,
    *,
    number: str,
    placed_at: datetime,
    basket: str,
    payment: Payment,
) -> Order:
    """The sale of these units: they cost what they did, without shipping and fees.

    A line's share of the order's discount is its own discount here.
    """
    lines = tuple(
        _line(order, line, worth[line.line_id], units[line.line_id])
        for line in order.lines
        if units.get(line.line_id)
    )
    sale = order.model_copy(
        update={
            "channel_order_id": number,
            "placed_at": placed_at,
            "lines": lines,
            "discount": Decimal(0),
            "rounding": Decimal(0),
            "shipping": Shipping(service=COLLECT),
            "fees": (),
            "payment": payment,
            "tenders": (),
            "basket": basket,
            "requested_delivery_date": None,
            "note": None,
            "gift_message": None,
            "extra": None,
            "total": None,
        }
    )
    return stored(Order, sale.model_dump(mode="json"))


def _line(order: Order, line: Line, worth: LineWorth, units: int) -> Line:
    first = worth.first(units)
    paid = first.goods + (first.tax if order.prices_include_tax else 0)
    listed = worth_of_units(line.unit_price, units, order.currency)
    tax = None if line.tax_rate is not None else to_decimal(first.tax, order.currency)
    discount = to_decimal(max(0, listed - paid), order.currency)
    return line.model_copy(update={"quantity": units, "discount": discount, "tax": tax})
