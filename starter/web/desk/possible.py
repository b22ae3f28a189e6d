"""What can be done with an order now, for its page; and of the rest, why it cannot be."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, NamedTuple

from domain.access.keys import Scope
from domain.orders.handling import DIGITAL, PICK_UP, SERVICE
from domain.staff.roles import Role, first_of
from domain.views.possible import Asked, No, OrderFacts, why_not
from starter.web.screens.visits import Visit


class Offer(NamedTuple):
    """What a page of an act asks for, as its update is called, and the scope that it takes.

    `asks`: None where it asks nothing of the order as a whole; then it is offered where `fits`
    says so. `approves`: it is possible only where somebody has asked for it.
    """

    asks: Asked | None
    scope: Scope
    approves: bool = False
    fits: Callable[[OrderFacts], bool] | None = None

    def why_not(self, facts: OrderFacts) -> No | None:
        """The rule that is against it as a whole; None: it is possible."""
        if self.asks is None:
            return None
        no = why_not(self.asks, facts)
        is_asked = not self.approves or facts.goodwill_asked
        return no or (None if is_asked else No("not_asked"))

    def ended(self, facts: OrderFacts) -> datetime | None:
        """When the time for it was over; None: it is not, and nothing is asked as an exception."""
        return facts.late.get(self.asks or "")


def _has_codes(facts: OrderFacts) -> bool:
    """Its customer has codes, or may get one: to collect goods, bought, or of a voucher."""
    return facts.has_vouchers or bool({DIGITAL, PICK_UP} & set(facts.handlings.values()))


def _has_appointment(facts: OrderFacts) -> bool:
    """A service of it is still to be given."""
    return any(how == SERVICE and line in facts.here for line, how in facts.handlings.items())


OFFERS: Final[Mapping[str, Offer]] = {
    "cancel": Offer("cancel_order", "aftersales:write"),
    "edit": Offer("edit_order", "aftersales:write"),
    "hold": Offer("hold_order", "orders:write"),
    "release": Offer("release_order", "orders:write"),
    "extend": Offer("extend_hold", "orders:write"),
    "reject": Offer("reject_order", "orders:write"),
    "pay": Offer("pay_order", "payments:write"),
    "charge": Offer("charge_order", "payments:write"),
    "intercept": Offer("intercept_parcel", "aftersales:write"),
    "send-anew": Offer("send_anew", "aftersales:write"),
    "return": Offer("return_items", "aftersales:write"),
    "decide-return": Offer("decide_return", "aftersales:write"),
    "cancel-return": Offer("cancel_return", "aftersales:write"),
    "exchange": Offer("exchange_items", "aftersales:write"),
    "claim": Offer("claim_items", "aftersales:write"),
    "decide-claim": Offer("decide_claim", "payments:write"),
    "refund": Offer("refund_order", "payments:write"),
    "goodwill": Offer("refund_order", "payments:write"),
    "approve": Offer("refund_order", "payments:write", approves=True),
    "price-match": Offer("match_price", "payments:write"),
    "appointment": Offer(None, "warehouse:write", fits=_has_appointment),
    "resolve": Offer(None, "orders:write"),
}
"""Each act by its name, in the sequence in which the order's page offers them."""


@dataclass(frozen=True)
class Offers:
    """Acts by their names, with the sentence that says why one is an exception, or not possible.

    `not_possible`: the sentence → all that it is against.
    """

    possible: list[str]
    late: list[tuple[str, str]]
    not_possible: dict[str, list[str]]


def offers(visit: Visit, facts: OrderFacts) -> Offers:
    """Everything that somebody's roles allow."""
    found, words = Offers([], [], {}), visit.words
    for name, offer in OFFERS.items():
        if not visit.person.allows(offer.scope):
            continue
        if offer.asks is None and not (offer.fits and offer.fits(facts)):
            continue
        no = offer.why_not(facts)
        if no is not None:
            found.not_possible.setdefault(words(f"why_{no.reason}"), []).append(name)
        elif ended := offer.ended(facts):
            found.late.append((name, words("late_since", moment=words.moment(ended))))
        else:
            found.possible.append(name)
    if visit.person.allows("customers:read") and _has_codes(facts):
        found.possible.append("codes")
    return found


def roles_of(mine: Sequence[Role], taken: Sequence[str]) -> list[str]:
    """In which of their roles somebody may give goodwill for an order; an admin, in each that may.

    `taken`: those that the order takes; none: any.
    """
    if not taken:
        return [first_of(mine)]
    return list(taken) if "admin" in mine else [x for x in taken if x in mine] or [mine[0]]
