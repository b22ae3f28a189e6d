"""An order as an edit finds it, and what the edit makes of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from pydantic import BaseModel, ConfigDict

from domain.errors import Refused
from domain.money import Money
from domain.orders.edit_messages import Change, Obstacle
from domain.orders.order import Order
from domain.orders.quantities import LineId, LineUnits


class LineStanding(BaseModel):
    """Where the units of a line stand. `begun`: their picking has begun, or they have left."""

    model_config = ConfigDict(frozen=True)

    ordered: int
    cancelled: int = 0
    begun: int = 0

    @property
    def wanted(self) -> int:
        """Units that are not cancelled."""
        return self.ordered - self.cancelled


@dataclass(frozen=True)
class Present:
    """An order as it is. `lines`: also those that an earlier edit has taken away.

    `charged`: something of it is charged or invoiced. `labelled`: a parcel that is still here has
    its label, or is getting it. `sent`: nothing is left to be sent.
    """

    order: Order
    version: int
    lines: Mapping[LineId, LineStanding]
    charged: bool = False
    labelled: bool = False
    sent: bool = False


@dataclass(frozen=True)
class Edited:
    """The order after an edit. Where there are obstacles, it cannot become that.

    `added` and `taken`: units by line. `new`: the lines that were not there before.
    """

    order: Order
    changes: tuple[Change, ...] = ()
    obstacles: tuple[Obstacle, ...] = ()
    added: LineUnits = field(default_factory=dict)
    taken: LineUnits = field(default_factory=dict)
    new: tuple[LineId, ...] = ()
    is_money: bool = False
    """Amounts change, or units."""

    def check(self) -> None:
        """Raises Refused with the first obstacle's code, and the words of all."""
        if self.obstacles:
            first = self.obstacles[0]
            why = "; ".join(f"{each.what}: {each.why}" for each in self.obstacles)
            raise Refused(why, reason=first.reason, instead=first.instead)


def total_of(order: Order) -> Money:
    """What the order costs."""
    return Money(minor=order.total_minor, currency=order.currency)


def tax_of(order: Order) -> Money:
    """The tax in it, on goods, shipping and fees."""
    prices = order.prices
    tax = sum(part.tax for part in (*prices.lines, *prices.beside_goods))
    return Money(minor=tax, currency=order.currency)
