"""The protocol of a client of a shop, and how its calls fail.

    ShopFault
    ├── ShopAway       no answer, or none that makes sense: it may have done what was asked, or not
    ├── ShopRefuses    it does not know our access, or that lacks a right: a person has to mend it
    └── ShopSaysNo     a firm no to this one thing, which changed nothing there
        └── NotThere   there is no such thing

No message of these repeats what opens the shop to us.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, ClassVar, Final, Protocol

from domain.money import Money
from domain.shops.telling import Level, Parcel


class ShopFault(Exception):
    """Base of the errors of a shop's client."""


class ShopAway(ShopFault):
    """It does not answer, or not with sense. `after`: it asks to be left alone for so long.

    `at_once`: it said so without delay, so another try costs nobody much.
    """

    def __init__(
        self, message: str, *, after: timedelta | None = None, at_once: bool = False
    ) -> None:
        super().__init__(message)
        self.after = after
        self.at_once = at_once


class ShopRefuses(ShopFault):
    """It does not let us in, or lacks a right that we need."""


class ShopSaysNo(ShopFault):
    """It understood, and will not."""


class NotThere(ShopSaysNo):
    """It has no order of that id, any more."""


@dataclass(frozen=True)
class Changed:
    """An order that changed. `content`: as its webhook has it; None: ask for it by `subject`."""

    subject: str
    version: datetime
    content: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class Page:
    """Orders that changed, the oldest change first.

    `following`: where the next page begins; empty: this is the last one. `at`: the shop's clock as
    it answered; None: it did not say.
    """

    orders: Sequence[Changed]
    following: str
    at: datetime | None


@dataclass(frozen=True)
class Refunded:
    """A refund that the shop has made.

    `reference`: what its messages call it here. `key`: of our call; empty: nobody here asked for
    it. `at`: by the shop's clock.
    """

    reference: str
    key: str
    amount: Money
    at: datetime


@dataclass(frozen=True)
class Rights:
    """What a shop says of our access: `name` of the shop, and what we may do there."""

    name: str
    rights: Sequence[str] = field(default_factory=tuple)
    lacking: Sequence[str] = field(default_factory=tuple)


ODD: Final = (ArithmeticError, LookupError, TypeError, ValueError)
"""What reading an answer fails with that has another shape than it should."""


class ShopClient(Protocol):
    """A shop elsewhere, as it is asked and told. Every call ends within a minute.

    Any may raise ShopAway and ShopRefuses.
    """

    knows_keys: ClassVar[bool]
    """A refund with the same key is made once, also where its call is still under way."""

    async def changed(self, since: datetime, following: str = "") -> Page:
        """A page of the orders that changed at `since` or later, by the shop's clock."""
        ...

    async def order(self, subject: str) -> Mapping[str, Any]:
        """An order as its webhook has it. Raises NotThere."""
        ...

    async def rights(self) -> Rights:
        """Who it is, and what we may do there."""
        ...

    async def tell_parcel(self, parcel: Parcel) -> str:
        """Have a parcel be known there, once: whether it is, is looked up first.

        Returns what it is called there. Raises ShopSaysNo.
        """
        ...

    async def set_levels(self, levels: Sequence[Level], location: str) -> Mapping[str, str]:
        """Set stock levels. Returns the SKUs that it refused, with the reason of each.

        `location`: the shop's own, where it has several; empty: its primary one.
        """
        ...

    async def refunds(self, subject: str) -> Sequence[Refunded]:
        """What was paid back of an order. Raises NotThere."""
        ...

    async def refund(self, subject: str, key: str, amount: Money) -> Refunded:
        """Pay back so much of an order, under this key. Look it up first. Raises ShopSaysNo."""
        ...
