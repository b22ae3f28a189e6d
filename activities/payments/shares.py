"""Which authorizations a charge or a refund takes its amount from, and the intents for that."""

from __future__ import annotations

from collections.abc import Sequence

from activities.payments.contracts import Charge, Refund
from activities.payments.money_calls import Planned
from domain.errors import NotAuthorized, Refused
from domain.money import Money
from domain.payments.refund_shares import Paid, shares_back
from store.database import Connection
from store.payments import payments, refunds, tallies
from store.payments.payments import BY_HAND, OWN_MONEY, STORE_CREDIT, Intent, Kind, Payment


def shares_of_charge(
    standing: Sequence[Payment], ask: Charge, charge: tallies.Charge
) -> list[tuple[Payment | None, int]]:
    """Split a charge over authorizations: those for this parcel first, then by sequence."""
    left = charge.left
    if ask.by_hand:
        return [(None, left)]
    own = [payment for payment in standing if payment.part_of == ask.part_id]
    shares: list[tuple[Payment | None, int]] = []
    for authorization in own + [payment for payment in standing if payment.part_of == ""]:
        share = min(left, authorization.room)
        if share:
            shares.append((authorization, share))
            left -= share
    if left:
        short = Money(minor=left, currency=charge.currency)
        why = f"{short} of {ask.part_id} is not authorized, or not any more"
        raise NotAuthorized(why) if ask.renews else Refused(why)
    return shares


def shares_of_refund(
    made: Sequence[Payment], ask: Refund, owed: refunds.ToPay
) -> list[tuple[Payment | None, int]]:
    """Split a refund over its authorizations, by the order's policy: (authorization, minor units).

    `made`: the authorizations, in the sequence of their charges. None in place of an authorization
    is the part that was paid by hand. Raises Refused when no part can go back now.
    """
    amount = owed.unissued
    if ask.by_hand or ask.to in OWN_MONEY:
        return [(None, amount)]
    paid = [Paid(authorization.tender, authorization.refundable) for authorization in made]
    split = zip(made, shares_back(amount, paid, owed.refund_tenders), strict=True)
    shares: list[tuple[Payment | None, int]] = [each for each in split if each[1]]
    shares.reverse()
    if not shares:
        raise no_company_has(owed)
    return shares


def no_company_has(owed: refunds.ToPay) -> Refused:
    """The refusal to refund this amount: it is not charged yet, or it was paid by hand."""
    short = Money(minor=owed.unissued, currency=owed.currency)
    if owed.uncharged_minor:
        to_come = Money(minor=owed.uncharged_minor, currency=owed.currency)
        return Refused(
            f"{short} of {owed.refund_id} cannot go back yet: {to_come} of {owed.order_id} is not"
            " charged; try again when it is"
        )
    return Refused(f"{short} of {owed.refund_id} was paid by hand: pay it back by hand")


def try_key(first: str, attempt: int, by_hand: str | None) -> str:
    """The key of one try of a step; those of a person have one together."""
    if by_hand is not None:
        return f"{first}:{BY_HAND}"
    return first if attempt == 1 else f"{first}:{attempt}"


async def intend_shares(
    conn: Connection,
    order_id: str,
    kind: Kind,
    part: str,
    key: str,
    currency: str,
    shares: Sequence[tuple[Payment | None, int]],
    *,
    first: int = 1,
    given_as: str = STORE_CREDIT,
) -> list[Planned]:
    """Write an intent for each share: of an authorization, paid by hand, or given as credit.

    `first`: the number of the first of them among those of the same try. `given_as`: the provider
    that gives what goes back to no authorization.
    """
    planned = []
    for number, (authorization, amount) in enumerate(shares, start=first):
        by_hand = key.endswith(f":{BY_HAND}")
        intent = Intent(
            key=key if number == 1 else f"{key}/{number}",
            kind=kind,
            amount=Money(minor=amount, currency=currency),
            provider=_provider_of(authorization, BY_HAND if by_hand else given_as),
            tender=authorization.tender if authorization else 1,
            authorization_key=authorization.payment_key if authorization else None,
            part_of=part,
        )
        planned.append(Planned(*await payments.intend(conn, order_id, intent)))
    return planned


def _provider_of(authorization: Payment | None, other: str) -> str:
    return other if authorization is None else authorization.provider
