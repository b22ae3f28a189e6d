"""Rates of tax for an order that came without: asked of an extension, once, before it is taken in.

What a channel says of tax stands. So does a total that it gives: that is what the customer was
asked to pay.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from pydantic import BaseModel, ConfigDict, ValidationError

from domain.errors import InvalidInput
from domain.faults import faults
from domain.fields import LineId
from domain.orders.order import Order
from domain.orders.price_fields import Rate, TaxCategory


class TaxRate(BaseModel):
    """A rate in percent, such as 19 or 7.7, and what the law calls it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    rate: Rate
    category: TaxCategory | None = None


class Rates(BaseModel):
    """The rate of each line, of the shipping, and of each fee in the order's own sequence.

    What is left out, or None, has no tax.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    lines: Mapping[LineId, TaxRate] = {}
    shipping: TaxRate | None = None
    fees: tuple[TaxRate | None, ...] = ()


class TaxRates(Protocol):
    """Knows which rate is due where: a table, or a company that is asked."""

    async def rates(self, order: Order) -> Rates:
        """The rates for an order that has none. The amounts are computed from them here.

        Raises InvalidInput for an order that it cannot tax. Any other error means "not now".
        """
        ...


def lacks_tax(order: Order) -> bool:
    """Whether nothing is said of tax, nor of what there is to pay in all."""
    said = [order.shipping.tax, order.shipping.tax_rate, order.total]
    for line in order.lines:
        said += [line.tax, line.tax_rate]
    for fee in order.fees:
        said += [fee.tax, fee.tax_rate]
    return all(each is None for each in said)


def with_rates(order: Order, rates: Rates) -> Order:
    """The order with these rates. Raises InvalidInput where they do not fit it."""
    unknown = rates.lines.keys() - {line.line_id for line in order.lines}
    if unknown:
        raise InvalidInput(
            f"the tax extension answered for lines that the order does not have: "
            f"{', '.join(sorted(unknown))}",
            where=order.order_id,
        )
    if len(rates.fees) > len(order.fees):
        raise InvalidInput(
            f"the tax extension answered for {len(rates.fees)} fees; the order has "
            f"{len(order.fees)}",
            where=order.order_id,
        )
    document = order.model_dump(mode="json")
    for line in document["lines"]:
        _set(line, rates.lines.get(line["line_id"]))
    _set(document["shipping"], rates.shipping)
    for fee, rate in zip(document["fees"], rates.fees, strict=False):
        _set(fee, rate)
    try:
        return Order.model_validate(document)
    except ValidationError as error:
        told = "; ".join(f"{path}: {reason}" for _, path, reason in faults(error))
        raise InvalidInput(
            f"with the rates that the tax extension gave: {told}", where=order.order_id
        ) from None


def _set(part: dict[str, object], rate: TaxRate | None) -> None:
    if rate is not None:
        part |= {"tax_rate": format(rate.rate, "f"), "tax_category": rate.category}
