"""Refunds that were made at a payment company without Orderloom, in the company's own pages.

Such a refund has no key of ours. It belongs to the order whose authorization it is of, and counts
there once: so nothing is paid back a second time, whatever is to be paid back later.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from pydantic import BaseModel, ConfigDict

from domain.money import Money

_MARK: Final = ":elsewhere:"


class PaidBack(BaseModel):
    """A refund as the company has it. `authorization`: the company's name of what it is of."""

    model_config = ConfigDict(frozen=True)

    reference: str
    authorization: str
    amount: Money


@dataclass(frozen=True)
class Owing:
    """A refund that is owed, by its id, and what of it nobody is paying now, in minor units."""

    refund_id: str
    left: int


@dataclass(frozen=True)
class ByHand:
    """A refund that a person made outside, as they reported, by its key; in minor units."""

    key: str
    amount: int


@dataclass(frozen=True)
class Books:
    """What an order's refunds elsewhere can be, in minor units.

    `owed`: what is owed the way it was paid, oldest first. `owed_otherwise`: what is owed as store
    credit. `room`: charged, and neither paid back nor owed. `unpaid`: captured, and not paid back:
    no more than that may be recorded as paid back, but in place of what was done by hand.
    """

    owed: Sequence[Owing] = ()
    owed_otherwise: Sequence[Owing] = ()
    room: int = 0
    by_hand: Sequence[ByHand] = ()
    unpaid: int = 0


@dataclass(frozen=True)
class Allotment:
    """What a refund elsewhere is, in minor units that add up to its amount.

    `owed`: it pays what is owed. `granted`: a refund of its own. `by_hand`: it is what a person has
    reported as done by hand. `beyond`: the customer has more back than was charged.
    """

    owed: Sequence[Owing] = ()
    granted: int = 0
    by_hand: Sequence[ByHand] = ()
    beyond: int = 0


def key_of(order_id: str, provider: str, reference: str) -> str:
    """The key under which a refund elsewhere is recorded: always the same one."""
    digest = hashlib.sha256(f"{provider} {reference}".encode()).hexdigest()[:24]
    return f"{order_id}{_MARK}{digest}"


def is_elsewhere(key: str) -> bool:
    """Whether an operation with this key is a refund that was made elsewhere, or a part of one."""
    return _MARK in key


def whole(key: str) -> str:
    """The key of the refund elsewhere that the operation with this key is a part of."""
    return key.partition("/")[0]


def allot(amount: int, books: Books, *, was_by_hand: bool = False) -> Allotment:
    """What a refund elsewhere of this amount is.

    It first pays what is owed, oldest first, and then is a refund of its own. Only where nothing is
    left of what was captured, it must be what was reported as done by hand: to take it for that any
    earlier could pay the customer more than was charged. `was_by_hand`: a person says that it is.
    """
    left = amount
    by_hand: list[ByHand] = []

    def replace_by_hand() -> None:
        nonlocal left
        for each in books.by_hand:
            part = min(left, each.amount)
            if part:
                by_hand.append(ByHand(each.key, part))
                left -= part

    if was_by_hand:
        replace_by_hand()
    new = min(left, books.unpaid)
    left -= new
    owed: list[Owing] = []

    def pay(refunds: Sequence[Owing]) -> None:
        nonlocal new
        for each in refunds:
            part = min(new, each.left)
            if part:
                owed.append(Owing(each.refund_id, part))
                new -= part

    pay(books.owed)
    granted = min(new, books.room)
    new -= granted
    pay(books.owed_otherwise)
    left += new
    if not was_by_hand:
        replace_by_hand()
    return Allotment(owed, granted, by_hand, left)
