"""An order as an edit finds it, and what the edit makes of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from pydantic import BaseModel, ConfigDict

from domain.errors import Refused
from domain.money import Money, to_decimal
from domain.orders.edit_messages import Change, EditRequest, Obstacle
from domain.orders.order import Order
from domain.orders.quantities import LineId, LineUnits


class LineStanding(BaseModel):
    """Where the units of a line stand."""

    model_config = ConfigDict(frozen=True)

    ordered: int
    cancelled: int = 0
    shipped: int = 0

    @property
    def wanted(self) -> int:
        """Units that are not cancelled."""
        return self.ordered - self.cancelled


@dataclass(frozen=True)
class Present:
    """An order as it is. `lines`: also those that an earlier edit has taken away.

    `charged`: something of it is charged or invoiced. `charging`: all of it is being charged at
    this moment. `unpaid`: something that is charged is not captured yet. `labelling`: a label is
    just being bought for a parcel that is still here. `bought_to`: a supplier was told where to
    send goods of it. `at_work`: a workshop has goods of it, and sends them. `sent`: nothing is left
    to be sent.
    """

    order: Order
    version: int
    lines: Mapping[LineId, LineStanding]
    charged: bool = False
    charging: bool = False
    unpaid: bool = False
    labelling: bool = False
    bought_to: bool = False
    at_work: bool = False
    sent: bool = False


@dataclass(frozen=True)
class Edited:
    """The order after an edit. Where there are obstacles, it cannot become that.

    `added` and `taken`: units by line. `new`: the lines that were not there before. `lowered`: the
    lower unit price of lines that keep their amounts, and of which the difference is owed back.
    """

    order: Order
    changes: tuple[Change, ...] = ()
    obstacles: tuple[Obstacle, ...] = ()
    added: LineUnits = field(default_factory=dict)
    taken: LineUnits = field(default_factory=dict)
    new: tuple[LineId, ...] = ()
    lowered: Mapping[LineId, Decimal] = field(default_factory=dict)
    is_money: bool = False
    """Amounts change, or units."""
    keeps: bool = False
    """Something is charged, so amounts stay: units that are taken away are cancelled ones."""
    is_elsewhere: bool = False
    """It goes to another address, or by another service."""

    def check(self) -> None:
        """Raises Refused with the first obstacle's code, and the words of all."""
        if self.obstacles:
            first = self.obstacles[0]
            why = "; ".join(f"{each.what}: {each.why}" for each in self.obstacles)
            raise Refused(why, reason=first.reason, instead=first.instead)


def check_total(present: Present, done: Edited, request: EditRequest) -> None:
    """Raises Refused where the order would not come to what the request says that it does.

    Units may have been cancelled since it was previewed, which makes no new version: then as many
    units in all are more units to add.
    """
    total = total_of(done.order)
    if request.total is None or request.total == to_decimal(total.minor, total.currency):
        return
    lines = {k: present.lines[k] for k in (line.line_id for line in request.lines)}
    told = [
        f"{x.cancelled} of {x.ordered} units of line {k} are cancelled"
        for k, x in lines.items()
        if x.cancelled
    ]
    since = f": {'; '.join(told)}" if told else ""
    raise Refused(
        f"the order would come to {total} by now, and not to {request.total}{since}. Look at it "
        "again, and decide anew",
        reason="changed_meanwhile",
        instead=("edit_order",),
    )


def total_of(order: Order) -> Money:
    """What the order costs."""
    return Money(minor=order.total_minor, currency=order.currency)


def tax_of(order: Order) -> Money:
    """The tax in it, on goods, shipping and fees."""
    prices = order.prices
    tax = sum(part.tax for part in (*prices.lines, *prices.beside_goods))
    return Money(minor=tax, currency=order.currency)
