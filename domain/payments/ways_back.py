"""By which means of payment an amount would be paid back."""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import BaseModel, ConfigDict

from domain.money import Money
from domain.orders.policy import RefundTenders
from domain.payments.payments import Payment
from domain.payments.refund_shares import Paid, shares_back


class WayBack(BaseModel):
    """`provider`: the company that has it, or the credit of ours that it becomes."""

    model_config = ConfigDict(frozen=True)

    provider: str
    amount: Money


class WaysBack(BaseModel):
    """Each way, and what no company has at this moment: it is charged later, or by hand."""

    model_config = ConfigDict(frozen=True)

    ways: tuple[WayBack, ...] = ()
    left: Money


def ways_back(amount: Money, authorizations: Sequence[Payment], tenders: RefundTenders) -> WaysBack:
    """How an amount goes back the way it was paid. `authorizations`: as they are charged."""
    having = [each for each in authorizations if each.refundable > 0]
    paid = [Paid(each.tender, each.refundable) for each in having]
    found: dict[str, int] = {}
    for each, share in zip(having, shares_back(amount.minor, paid, tenders), strict=True):
        found[each.provider] = found.get(each.provider, 0) + share

    def money(minor: int) -> Money:
        return Money(minor=minor, currency=amount.currency)

    return WaysBack(
        ways=tuple(WayBack(provider=k, amount=money(n)) for k, n in found.items() if n),
        left=money(amount.minor - sum(found.values())),
    )
