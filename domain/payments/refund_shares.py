"""Which means of payment a refund goes back to, where an order was paid with several."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from domain.money import split
from domain.orders.policy import RefundTenders


class Paid(NamedTuple):
    """What one authorization can pay back, in minor units. `tender`: the place of its tender."""

    tender: int
    refundable: int


def shares_back(amount: int, paid: Sequence[Paid], tenders: RefundTenders) -> list[int]:
    """Split a refund: the minor units that go back through each authorization.

    `paid`: in the sequence in which they were charged. No share is more than its authorization can
    pay back, so the shares come to less than the amount where all of them together can. Within a
    tender, its last authorization pays back first.
    """
    amount = min(amount, sum(each.refundable for each in paid))
    if tenders == "last_first":
        return _last_first(amount, [each.refundable for each in paid])
    left: dict[int, int] = {}
    for each in paid:
        left[each.tender] = left.get(each.tender, 0) + each.refundable
    # What is left stands in the ratio of what was paid, and never rounds up to more than itself.
    of_tender = dict(zip(left, split(amount, list(left.values())), strict=True))
    shares = [0] * len(paid)
    for tender, share in of_tender.items():
        places = [place for place, each in enumerate(paid) if each.tender == tender]
        parts = _last_first(share, [paid[place].refundable for place in places])
        for place, part in zip(places, parts, strict=True):
            shares[place] = part
    return shares


def _last_first(amount: int, most: Sequence[int]) -> list[int]:
    """The amount, taken from the last of these first, each up to its most."""
    shares = []
    for each in reversed(most):
        shares.append(min(amount, each))
        amount -= shares[-1]
    return shares[::-1]
