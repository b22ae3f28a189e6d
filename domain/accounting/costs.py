"""The cost of goods: moving average, exact to the minor unit.

The cost is kept for all units of a SKU that a seller owns together, wherever they lie. `n` of
`quantity` units have cost `whole × n // quantity`, and the last units have the rest: rounding gains
or loses nothing.
Units that were bought in several currencies have a cost in each of them, and each is averaged by
itself, so no exchange rate is needed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Final, Self

from pydantic import BaseModel, ConfigDict, model_validator

from domain.accounting.accounts import Account, Postings
from domain.errors import InvalidInput
from domain.fields import Currency, Document, UnitPrice, inconsistent
from domain.money import Money, Price

COST_MAX: Final = 10**15
"""More than anybody pays for the goods of one receipt, in minor units."""

# The account against the cost, by the kind of the movement.
_AGAINST: Final = {
    "received": Account.OPENING,  # The books do not know how these were paid.
    "shipped": Account.COST_OF_GOODS_SOLD,
    "returned": Account.COST_OF_GOODS_SOLD,
    "adjusted": Account.WRITE_OFFS,
    "counted": Account.WRITE_OFFS,
    "written_off": Account.WRITE_OFFS,
    "to_supplier": Account.PURCHASES,  # The supplier owes it, or sends others.
    "handed_over": Account.INTERCOMPANY,  # To another seller, or by one.
}


class Priced(Document):
    """The cost of a unit as a document gives it: a price in a currency, or nothing."""

    unit_cost: UnitPrice | None = None
    currency: Currency | None = None

    @model_validator(mode="after")
    def _both_or_neither(self) -> Self:
        if (self.unit_cost is None) != (self.currency is None):
            raise inconsistent("unit_cost", "goes with currency: give both, or neither")
        return self

    @property
    def cost(self) -> Price | None:
        """The cost of each unit."""
        if self.unit_cost is None or self.currency is None:
            return None
        return Price(each=self.unit_cost, currency=self.currency)


class Holding(BaseModel):
    """Units, and the cost of all of them together: currency → minor units."""

    model_config = ConfigDict(frozen=True)

    quantity: int = 0
    costs: dict[str, int] = {}

    def share(self, units: int) -> dict[str, int]:
        """The cost of so many units: currency → minor units, without zeros."""
        if not self.quantity:
            return {}
        shares = {currency: cost * units // self.quantity for currency, cost in self.costs.items()}
        return {currency: share for currency, share in shares.items() if share}


def change_of(
    held: Holding,
    units: int,
    *,
    paid: Money | None = None,
    sold: Holding | None = None,
    last: Holding | None = None,
) -> dict[str, int]:
    """The change of the held units' cost when `units` arrive (or, below 0, leave), by currency.

    `paid`: the price of all units that arrive. `sold`: the order's sold units, when units of an
    order come back: they are taken in at that cost. All other units are taken in at the average
    cost; where none is held, at that of the `last` units that moved. Raises InvalidInput for an
    impossible price.
    """
    if units < 0:
        return {currency: -cost for currency, cost in held.share(-units).items()}
    if paid is not None:
        change = {paid.currency: paid.minor} if paid.minor else {}
    elif sold is not None and sold.quantity >= units:
        change = sold.share(units)
    elif last is not None and not held.quantity:
        change = last.share(units)
    else:
        change = held.share(units)
    for currency, cost in change.items():
        if cost > COST_MAX:
            whole = Money(minor=cost, currency=currency)
            raise InvalidInput(f"{units} units for {whole} cannot be meant; correct their cost")
    return change


def postings(
    changes: Iterable[Mapping[str, int]], kind: str, *, bought: bool = False
) -> dict[str, Postings]:
    """The postings by currency for one movement of this kind, with these changes of cost."""
    against = Account.PURCHASES if bought else _AGAINST[kind]
    totals = Counter[str]()
    for change in changes:
        totals.update(change)
    return {
        currency: {Account.INVENTORY: total, against: -total} for currency, total in totals.items()
    }
