"""Purchase orders: suppliers' terms, an order's states, and when it may be sent.

proposed → approved → sent → acknowledged → shipped → closed, or cancelled. Arrived units are
counted by line and not told by the state, because goods come in parts, and sometimes before the
papers. People are told its standing, which says from those units that it is partly received.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from decimal import Decimal
from typing import Annotated, Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, model_validator

from domain.errors import InvalidInput, Refused
from domain.fields import (
    Amount,
    Currency,
    CurrencyOnceUsed,
    Day,
    Document,
    Id,
    Name,
    Sku,
    UnitPrice,
    inconsistent,
)
from domain.money import Money, Price, to_decimal, worth_of_units
from domain.orders.people import Address
from domain.orders.policy import Duration
from domain.stock.stock_levels import Units
from domain.stored import is_stored

PurchaseState = Literal[
    "proposed", "approved", "sent", "acknowledged", "shipped", "closed", "cancelled"
]

PurchaseStanding = Literal[PurchaseState, "partly_received", "received"]
"""Its state as people are told it, with what came of its lines: `purchase_standing` in SQL."""

WAY: Final[tuple[PurchaseState, ...]] = (
    "proposed",
    "approved",
    "sent",
    "acknowledged",
    "shipped",
    "closed",
)
"""The states of a purchase order that is not cancelled. It only moves forward."""

ENDED: Final = ("closed", "cancelled")


def further(state: PurchaseState, other: PurchaseState) -> PurchaseState:
    """The state that is further on, because news may arrive late and in any order."""
    return max(state, other, key=lambda one: len(WAY) if one == "cancelled" else WAY.index(one))


def version_of(events: int, state: str) -> str:
    """Another one with each change: whatever changes a purchase order tells its story."""
    return f"{events}.{state}"


def _limits() -> dict[CurrencyOnceUsed, Amount]:
    return {"USD": Decimal(1000), "EUR": Decimal(1000)}


def _buyers_limits() -> dict[CurrencyOnceUsed, Amount]:
    return {"USD": Decimal(10_000), "EUR": Decimal(10_000)}


class PurchasingPolicy(BaseModel):
    """The rules of buying.

    Each purchase order carries its own, so a change alters none under way.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    approve_up_to: dict[CurrencyOnceUsed, Amount] = Field(default_factory=_limits)
    """By currency: an order up to this value needs no approval. Others wait for a person."""
    buyers_up_to: dict[CurrencyOnceUsed, Amount] = Field(default_factory=_buyers_limits)
    """By currency: a buyer approves up to this value. Others wait for a lead or an admin."""
    over_delivery_percent: Annotated[int, Field(ge=0, le=100)] = 5
    """The share by which a receipt may be larger than the order."""
    review_every: Duration = timedelta(days=1)
    """The time between reviews of all levels; a crossed level is reviewed at once."""
    demand_over: Duration = timedelta(days=90)
    """The time whose demand levels are computed from."""
    ask_again_after: Duration = timedelta(days=7)
    """A supplier that refused an order is not asked for the same SKU before this time is over."""
    give_up_after: Duration = timedelta(minutes=10)
    """An order that cannot be sent for this long needs attention; sending is tried further."""
    acknowledge_within: Duration = timedelta(days=2)
    """A supplier that does not answer for this long is chased."""
    chase_every: Duration = timedelta(days=1)
    """The time between chasers, also for late goods."""

    def approves(self, worth: Money) -> bool:
        """Whether an order of this worth needs nobody's approval."""
        return _is_within(self.approve_up_to, worth)

    def buyer_may_approve(self, worth: Money) -> bool:
        """Whether an order of this worth needs no lead and no admin."""
        return _is_within(self.buyers_up_to, worth)

    def check_approval(
        self, po_id: str, worth: Money, *, as_buyer: bool, seen_minor: int | None
    ) -> None:
        """Raises Refused where somebody may not approve this, or has seen another sum.

        `as_buyer`: they are no lead and no admin. `seen_minor`: the worth that they looked at, in
        minor units; None: whatever it is now.
        """
        if seen_minor is not None and seen_minor != worth.minor:
            seen = Money(minor=seen_minor, currency=worth.currency)
            raise Refused(
                f"{po_id} has changed: it costs {worth}, and not {seen}; look at it again",
                reason="purchase_changed",
            )
        if as_buyer and not self.buyer_may_approve(worth):
            raise Refused(
                f"{po_id} costs {worth}: that is above what a buyer approves; ask a lead or an "
                "admin",
                reason="approval_limit",
            )

    def receivable(self, quantity: int) -> int:
        """The most units that may be received for an ordered quantity."""
        return quantity * (100 + self.over_delivery_percent) // 100


def _is_within(limits: Mapping[str, Decimal], worth: Money) -> bool:
    limit = limits.get(worth.currency)
    return limit is not None and to_decimal(worth.minor, worth.currency) <= limit


PART_NUMBER_MAX: Final = 48
"""X12 allows no longer part number."""


def part_number(sku: str) -> str:
    """The SKU in the signs that X12 has: every other byte is %XX, so that no two SKUs are alike."""
    return re.sub(
        rb"[^ -~]|[%*>^~]|(?<= ) ", lambda sign: b"%%%02X" % ord(sign[0]), sku.encode()
    ).decode()


class SupplierItem(Document):
    """A supplier's terms for a SKU."""

    supplier: Id
    name: Name | None = None
    """The supplier's name; left out: the name already known, or its id."""
    sku: Sku
    lead_time_days: Annotated[int, Field(ge=0, le=3650)]
    unit_price: UnitPrice
    currency: Currency
    minimum: Units = 1
    multiple: Units = 1
    priority: Annotated[int, Field(ge=0, le=1_000_000)] = 100
    """The lowest is asked first."""

    @property
    def price(self) -> Price:
        """The price of a unit."""
        return Price(each=self.unit_price, currency=self.currency)

    def check(self, quantity: int) -> None:
        """Raise InvalidInput for a quantity that the supplier does not sell."""
        if quantity < self.minimum or quantity % self.multiple:
            raise InvalidInput(
                f"{quantity} of {self.sku} cannot be ordered: {self.supplier} sells "
                f"{self.minimum} or more, in multiples of {self.multiple}"
            )

    @model_validator(mode="after")
    def _can_be_ordered(self, info: ValidationInfo) -> Self:
        if is_stored(info):
            return self
        if len(part_number(self.sku)) > PART_NUMBER_MAX:
            raise inconsistent(
                "sku",
                f"is too long for an order in X12, which has {PART_NUMBER_MAX} characters for it, "
                "and takes several for a letter beyond ASCII",
            )
        return self


class OnOrder(Document):
    """Units that were ordered from a supplier before Orderloom was used."""

    supplier: Id
    sku: Sku
    location: Id
    quantity: Units
    due_on: Day


class PurchaseLine(BaseModel):
    """Units of one SKU to be bought."""

    model_config = ConfigDict(frozen=True)

    sku: str
    quantity: Annotated[int, Field(ge=1)]
    unit_price: UnitPrice
    due_on: date


class PurchaseDocument(BaseModel):
    """The order as the supplier gets it."""

    model_config = ConfigDict(frozen=True)

    po_id: str
    number: int
    """A running number, for suppliers who count documents."""
    supplier: str
    supplier_name: str
    deliver_to: str
    ship_to: Address | None = None
    """The customer to whom the supplier sends it. Read when it is sent, and kept nowhere here."""
    ordered_on: date
    currency: str
    lines: tuple[PurchaseLine, ...]

    @property
    def worth(self) -> Money:
        """The value of all of it."""
        return worth_of(self.lines, self.currency)


class Acknowledged(BaseModel):
    """A supplier's promise for a SKU: units in all, and the day on which they arrive."""

    model_config = ConfigDict(frozen=True)

    quantity: Annotated[int, Field(ge=0)]
    due_on: date


class PurchaseStart(BaseModel):
    """The input of a purchase order's workflow.

    `needs_approval`: a person decides whether it is sent. `sent`: that was done before Orderloom
    was used.
    """

    model_config = ConfigDict(frozen=True)

    po_id: str
    needs_approval: bool
    sent: bool = False
    policy: PurchasingPolicy = PurchasingPolicy()


def worth_of(lines: Iterable[PurchaseLine], currency: str) -> Money:
    """The cost of these lines together; each line is rounded once."""
    minor = sum(worth_of_units(line.unit_price, line.quantity, currency) for line in lines)
    return Money(minor=minor, currency=currency)


def check_units(po_id: str, units: Mapping[str, int], known: Iterable[str]) -> None:
    """Raises InvalidInput for a SKU that is not in the order, or a number below zero."""
    ordered = sorted(known)
    for sku, quantity in units.items():
        if sku not in ordered:
            raise InvalidInput(f"{po_id} has no {sku}; it has {', '.join(ordered)}")
        if quantity < 0:
            raise InvalidInput(f"{quantity} of {sku} cannot be; units are counted from zero")
