"""What each unit of an order is worth, so that every split adds up to the minor unit.

The order's discount and its shipping are spread over the lines once, by largest remainder, weighted
by what each line's goods cost. Within a line the first `n` units are worth `whole × n // quantity`.
That is monotone in `n` and exact at the end, so any sequence of shipments charges, and any sequence
of returns gives back, exactly the whole: no order of events can gain or lose a cent.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from pydantic import BaseModel, ConfigDict

from domain.money import split, to_minor
from domain.order import Order


class Worth(BaseModel):
    """An amount by what it is for, in minor units; the split that the ledger books.

    `goods` is net of all discounts; `tax` is on the goods, `shipping_tax` on the shipping.
    """

    model_config = ConfigDict(frozen=True)

    goods: int = 0
    tax: int = 0
    shipping: int = 0
    shipping_tax: int = 0

    @property
    def total(self) -> int:
        return self.goods + self.tax + self.shipping + self.shipping_tax

    def __add__(self, other: Worth) -> Worth:
        return Worth(
            goods=self.goods + other.goods,
            tax=self.tax + other.tax,
            shipping=self.shipping + other.shipping,
            shipping_tax=self.shipping_tax + other.shipping_tax,
        )

    def __sub__(self, other: Worth) -> Worth:
        return Worth(
            goods=self.goods - other.goods,
            tax=self.tax - other.tax,
            shipping=self.shipping - other.shipping,
            shipping_tax=self.shipping_tax - other.shipping_tax,
        )


class LineWorth(BaseModel):
    """What all units of one line are worth together."""

    model_config = ConfigDict(frozen=True)

    line_id: str
    quantity: int
    whole: Worth

    def first(self, units: int) -> Worth:
        """What the first `units` units are worth together (0 ≤ units ≤ quantity)."""
        if not 0 <= units <= self.quantity:
            raise ValueError(f"line {self.line_id}: {units} of {self.quantity} units")
        whole = self.whole
        return Worth(
            goods=whole.goods * units // self.quantity,
            tax=whole.tax * units // self.quantity,
            shipping=whole.shipping * units // self.quantity,
            shipping_tax=whole.shipping_tax * units // self.quantity,
        )


def value_lines(order: Order) -> dict[str, LineWorth]:
    """Line id → what the line is worth, order discount and shipping shares included.

    The parts add up to `order.total_minor` exactly.
    """

    def minor(amount: Decimal) -> int:
        return to_minor(amount, order.currency)

    nets = [minor(line.unit_price) * line.quantity - minor(line.discount) for line in order.lines]
    discounts = split(minor(order.discount), nets)
    goods = [net - discount for net, discount in zip(nets, discounts, strict=True)]
    shipping = split(minor(order.shipping.price), goods)
    shipping_tax = split(minor(order.shipping.tax), goods)
    return {
        line.line_id: LineWorth(
            line_id=line.line_id,
            quantity=line.quantity,
            whole=Worth(
                goods=goods[i],
                tax=minor(line.tax),
                shipping=shipping[i],
                shipping_tax=shipping_tax[i],
            ),
        )
        for i, line in enumerate(order.lines)
    }


def worth_of(
    lines: Mapping[str, LineWorth], before: Mapping[str, int], more: Mapping[str, int]
) -> Worth:
    """What `more` units (line id → units) are worth when `before` went the same way already."""
    total = Worth()
    for line_id, units in more.items():
        done = before.get(line_id, 0)
        line = lines[line_id]
        total = total + line.first(done + units) - line.first(done)
    return total
