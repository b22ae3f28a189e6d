"""What can be asked of an order now, and which rule is against the rest.

The order decides each request by itself. This asks the same rules beforehand, as far as they say no
to the request whatever it says. Requests have the names of their updates.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, Literal, NamedTuple, get_args

from domain.aftersales import claims
from domain.orders.continuation import Decision
from domain.orders.fulfilment_state import FulfilmentState
from domain.orders.handling import DIGITAL, NEVER_BACK, Handlings
from domain.orders.hold_messages import HOLDS_MAX, StandingHold
from domain.orders.providers import ELSEWHERE
from domain.orders.request_kinds import ALSO_LATE, KINDS
from domain.orders.return_messages import ReturnState

Asked = Literal[
    "cancel_order",
    "edit_order",
    "hold_order",
    "release_order",
    "extend_hold",
    "reject_order",
    "pay_order",
    "charge_order",
    "intercept_parcel",
    "send_anew",
    "return_items",
    "decide_return",
    "cancel_return",
    "exchange_items",
    "refund_order",
    "match_price",
    "claim_items",
    "decide_claim",
]
ASKED: Final[tuple[Asked, ...]] = get_args(Asked)

_ALSO_LATE: Final = {kind.update for kind in KINDS if issubclass(kind.request, ALSO_LATE)}


class No(NamedTuple):
    """The rule that is against it, and what can be asked instead, as in docs/service-tools.md."""

    reason: str
    instead: tuple[Asked, ...] = ()


@dataclass(frozen=True)
class ParcelFacts:
    """A fulfilment as rows have it. `comes_back`: its carrier brings it back, uncounted so far."""

    fulfilment_id: str
    state: FulfilmentState
    is_carried: bool
    comes_back: bool = False

    @property
    def is_on_its_way(self) -> bool:
        """A carrier has it, and does not bring it back."""
        return self.is_carried and self.state == "shipped" and not self.comes_back


@dataclass(frozen=True)
class OrderFacts:
    """What rows say of an order. `claim`: its money and units, and its claims.

    `returns`: the states of returns that a customer asked for. `goodwill_asked`: ids of requests
    for goodwill that somebody in a role of `goodwill_roles` decides about, who may give the most
    first; without such roles anybody gives it. `open_claims`: how many wait for a person.
    `provider`: who has its money.
    `has_vouchers`: something was paid back as a voucher. `charges_by_hand`: it waits until somebody
    says that it is to be charged. `match_is_over`: so is the time in which a lower price is met.
    `late`: what is asked for by exception, and when the time for it ended.
    """

    decision: Decision
    claim: claims.Facts
    handlings: Handlings
    parcels: Sequence[ParcelFacts] = ()
    holds: Sequence[StandingHold] = ()
    returns: Sequence[ReturnState] = ()
    goodwill_asked: Sequence[str] = ()
    goodwill_roles: Sequence[str] = ()
    open_claims: int = 0
    provider: str = ""
    charges_by_hand: bool = False
    awaits_payment: bool = False
    is_disputed: bool = False
    is_erased: bool = False
    has_vouchers: bool = False
    match_is_over: bool = False
    late: Mapping[str, datetime] = field(default_factory=dict)
    here: Mapping[str, int] = field(init=False)
    """Line id → units that have not left."""
    returnable: Mapping[str, int] = field(init=False)
    """Line id → units that the customer has, has not asked to send back, and that can come back."""

    def __post_init__(self) -> None:
        here, back = {}, {}
        for line_id in self.claim.charges.worth:
            line = self.claim.charges.units(line_id)
            assert line is not None  # each line of the order has counts and a worth
            here[line_id] = line.ordered - line.cancelled - line.shipped
            never = self.handlings.get(line_id, "shipped") in NEVER_BACK
            back[line_id] = 0 if never else max(0, line.returnable)
        object.__setattr__(self, "here", _some(here))
        object.__setattr__(self, "returnable", _some(back))

    def count(self, what: Literal["shipped", "delivered"]) -> int:
        """Units of all lines that were ever shipped, or delivered."""
        lines = (self.claim.charges.units(line_id) for line_id in self.claim.charges.worth)
        return sum(getattr(line, what) for line in lines if line is not None)


def why_not(asked: Asked, facts: OrderFacts) -> No | None:
    """The rule that says no to it, whatever the request says; None: it may be asked."""
    if facts.decision in ("closed", "cancelled", "rejected"):
        late = facts.decision == "closed" and asked in _ALSO_LATE
        if not late:
            return No(f"order_{facts.decision}")
    if asked == "match_price" and facts.match_is_over:
        return No("price_match_window_over", ("refund_order",))
    return _RULES[asked](facts)


def _cancel(facts: OrderFacts) -> No | None:
    if facts.here:
        return None
    if not facts.count("shipped"):
        return No("already_cancelled")
    if all(how == DIGITAL for how in facts.handlings.values()):
        return No("digital_delivered", ("refund_order",))
    return No("handed_over", ("return_items",))


def _edit(facts: OrderFacts) -> No | None:
    if facts.decision == "received":
        return No("not_confirmed", ("pay_order", "cancel_order"))
    return None if facts.here else No("handed_over", ("return_items",))


def _hold(facts: OrderFacts) -> No | None:
    if not facts.here:
        return No("nothing_to_hold", ("return_items",))
    stand = sum(hold.is_asked_for for hold in facts.holds)
    return No("too_many_holds", ("release_order",)) if stand >= HOLDS_MAX else None


def _release(facts: OrderFacts) -> No | None:
    if any(hold.is_asked_for for hold in facts.holds):
        return None
    if facts.awaits_payment:
        return No("held_for_payment", ("pay_order", "cancel_order"))
    return No("not_held", ("hold_order",))


def _pay(facts: OrderFacts) -> No | None:
    return None if facts.awaits_payment else No("no_payment_awaited")


def _charge(facts: OrderFacts) -> No | None:
    return None if facts.charges_by_hand else No("not_to_be_charged")


def _intercept(facts: OrderFacts) -> No | None:
    if any(each.is_on_its_way for each in facts.parcels):
        return None
    arrived = facts.count("delivered")
    return No(
        "not_on_its_way",
        ("return_items", "claim_items") if arrived else ("edit_order", "cancel_order"),
    )


def _send_anew(facts: OrderFacts) -> No | None:
    if any(each.comes_back for each in facts.parcels):
        return None
    return No("not_coming_back", ("intercept_parcel", "refund_order"))


def _return(facts: OrderFacts) -> No | None:
    if facts.returnable:
        return None
    if not facts.count("delivered"):
        return No("not_delivered", ("cancel_order",))
    for line_id, how in facts.handlings.items():
        line = facts.claim.charges.units(line_id)
        if how in NEVER_BACK and line is not None and line.returnable:
            return No(NEVER_BACK[how][0], ("refund_order",))
    return No("nothing_left")


def _exchange(facts: OrderFacts) -> No | None:
    if facts.provider == ELSEWHERE:
        return No("paid_elsewhere", ("return_items",))
    if facts.is_erased:
        return No("customer_erased", ("return_items",))
    return _undisputed(facts) or _return(facts)


def _decide_return(facts: OrderFacts) -> No | None:
    return None if "requested" in facts.returns else No("no_open_return")


def _cancel_return(facts: OrderFacts) -> No | None:
    is_open = any(state in ("requested", "approved") for state in facts.returns)
    return None if is_open else No("no_open_return")


def _refund(facts: OrderFacts) -> No | None:
    left = facts.claim.charges.refundable.total
    return _undisputed(facts) or (None if left else No("nothing_to_pay_back"))


def _undisputed(facts: OrderFacts) -> No | None:
    return No("payment_disputed") if facts.is_disputed else None


def _claim(facts: OrderFacts) -> No | None:
    if any(facts.claim.claimable(line_id) for line_id in facts.claim.charges.worth):
        return None
    if facts.claim.came_late and not facts.claim.paid_for_late:
        return None
    if not facts.count("delivered"):
        return No("not_delivered", ("cancel_order",))
    return No("nothing_left")


def _decide_claim(facts: OrderFacts) -> No | None:
    return None if facts.open_claims else No("no_open_claim", ("claim_items",))


def _some(units: Mapping[str, int]) -> dict[str, int]:
    return {line_id: n for line_id, n in units.items() if n > 0}


_RULES: Final[Mapping[Asked, Callable[[OrderFacts], No | None]]] = {
    "cancel_order": _cancel,
    "edit_order": _edit,
    "hold_order": _hold,
    "release_order": _release,
    "extend_hold": _release,
    "reject_order": _release,
    "pay_order": _pay,
    "charge_order": _charge,
    "intercept_parcel": _intercept,
    "send_anew": _send_anew,
    "return_items": _return,
    "decide_return": _decide_return,
    "cancel_return": _cancel_return,
    "exchange_items": _exchange,
    "refund_order": _refund,
    "match_price": _refund,
    "claim_items": _claim,
    "decide_claim": _decide_claim,
}
