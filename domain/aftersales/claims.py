"""What is decided about a claim: by these rules, or by a person within these limits.

Pure: the caller brings what rows say, and writes down what is decided.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final, NamedTuple

from domain.errors import InvalidInput, Refused
from domain.money import Money, limit_minor, to_minor
from domain.orders.charges import Charges, Owed
from domain.orders.claim_messages import (
    ClaimDecision,
    ClaimKind,
    ClaimRequest,
)
from domain.orders.claim_rules import ClaimRules
from domain.orders.line_requests import requested_units
from domain.orders.messages import RefundKind
from domain.orders.quantities import LineId, LineUnits

ASK_THE_CARRIER: Final = "the carrier says that it is delivered: ask it first"


@dataclass(frozen=True)
class Facts:
    """What rows say as a claim is made.

    `charges`: the order's money and units. `claimed`: units by line in claims that are open, or
    that were paid back in part. `claims_before`: how many claims the customer made within a year.
    `came_late`: a parcel came after its promised day. `paid_for_late`: a claim about that was paid.
    """

    charges: Charges
    currency: str
    claimed: LineUnits = field(default_factory=dict)
    claims_before: int = 0
    came_late: bool = False
    paid_for_late: bool = False

    def claimable(self, line_id: LineId) -> int:
        """Units of a line that were delivered, and not claimed, sent back or paid back."""
        return max(0, self.charges.concedable(line_id) - self.claimed.get(line_id, 0))


class Payment(NamedTuple):
    """How much is paid back for a claim: all of it, or an `amount`, or `percent` of its worth."""

    amount: Decimal | None = None
    percent: int | None = None

    @property
    def is_part(self) -> bool:
        """It is not all of it."""
        return self.amount is not None or self.percent is not None


class Ruling(NamedTuple):
    """What is decided without a person; None: nothing, and `why` a person has to."""

    decision: ClaimDecision | None
    why: str


def units_of(request: ClaimRequest, facts: Facts) -> LineUnits:
    """The units that a claim is about. Raises Refused where they cannot be claimed."""
    if request.kind == "late":
        return {}
    most = {line_id: facts.claimable(line_id) for line_id in facts.charges.worth}

    def check(_: int, line_id: LineId, quantity: int) -> None:
        if not 0 < quantity <= most[line_id]:
            raise Refused(
                f"line {line_id}: {quantity} cannot be claimed; {most[line_id]} can: they were "
                "delivered, and not claimed, sent back or paid back before",
                reason="more_than_delivered",
            )

    units = requested_units(request.lines, most, check=check)
    if not units:
        raise Refused("there is nothing left to claim", reason="nothing_left")
    return units


def ruling(request: ClaimRequest, worth_minor: int, facts: Facts, rules: ClaimRules) -> Ruling:
    """Decide a claim, or say why a person has to. Raises Refused.

    `worth_minor`: what would be paid back for its units.
    """
    if request.kind == "late":
        return _late(facts, rules)
    for_a_person = {"missing": ASK_THE_CARRIER, "wrong": "see what was sent, and count both SKUs"}
    why = for_a_person.get(request.kind) or _why_not_alone(worth_minor, facts, rules)
    if request.wish is None:
        why = why or "the customer has not said what to do"
    return Ruling(None, why) if why else Ruling(request.wish, "by the rules")


def _why_not_alone(worth_minor: int, facts: Facts, rules: ClaimRules) -> str:
    """Why a person has to decide about so much of this customer's; empty: nobody has to."""
    most = rules.alone_up_to.get(facts.currency)
    if most is None or worth_minor > limit_minor(most, facts.currency):
        worth = Money(minor=worth_minor, currency=facts.currency)
        return f"{worth} is more than is decided without a person"
    if facts.claims_before >= rules.alone_per_customer:
        return f"the customer has made {facts.claims_before} claims within a year"
    return ""


def _late(facts: Facts, rules: ClaimRules) -> Ruling:
    if not facts.came_late:
        raise Refused(
            "every parcel came by its promised day, or nothing was promised",
            reason="promise_kept",
            instead=("refund_order",),
        )
    if facts.paid_for_late:
        raise Refused("it was paid for coming late before", reason="already_claimed")
    if not late_worth(facts, rules):
        return Ruling(None, "nothing is set to be paid for it")
    return Ruling("refund", "it came after its promised day")


def late_worth(facts: Facts, rules: ClaimRules) -> int:
    """What is paid for a late delivery, in minor units: at most what is left to pay back."""
    charges = facts.charges
    shipping = charges.refundable.only_shipping.total if rules.late_pays_shipping else 0
    percent = charges.charged.total * rules.late_percent // 100
    return min(shipping + percent, charges.refundable.total)


def pays(
    kind: ClaimKind, units: LineUnits, how: Payment, facts: Facts, rules: ClaimRules
) -> tuple[Owed, RefundKind]:
    """What a refund for a claim owes the customer. Changes the charges.

    Raises Refused for units that were sent back or paid back since, and for more than is left.
    """
    charges = facts.charges
    check_still_there(units, charges)
    if how.is_part:
        amount = _part(how, units, facts)
    elif kind != "late":
        return charges.concede(units, shipping=True), "units"
    elif not late_worth(facts, rules):
        raise Refused(
            "nothing is set to be paid for coming late: say how much, as a part refund",
            reason="no_amount_set",
            instead=("decide_claim",),
        )
    elif not rules.late_percent:
        return charges.refund_shipping(), "shipping"
    else:
        amount = late_worth(facts, rules)
    _check_left(amount, charges, facts.currency)
    return charges.refund_amount(amount), "claim"


def check_still_there(units: LineUnits, charges: Charges) -> None:
    """Raises Refused where claimed units were sent back or paid back since."""
    for line_id, quantity in units.items():
        most = charges.concedable(line_id)
        if quantity > most:
            raise Refused(
                f"line {line_id}: {quantity} were claimed, and {most} of them are left: the others "
                "were sent back or paid back since",
                reason="more_than_delivered",
            )


def _part(how: Payment, units: LineUnits, facts: Facts) -> int:
    charges = facts.charges
    whole = charges.at_most(units) if units else charges.refundable.total
    if how.percent is not None:
        return whole * how.percent // 100
    assert how.amount is not None  # a part refund has one of the two
    try:
        amount = to_minor(how.amount, facts.currency)
    except InvalidInput as error:
        raise InvalidInput(str(error), where="amount", reason=error.reason) from None
    if amount > whole:
        shown = [Money(minor=minor, currency=facts.currency) for minor in (amount, whole)]
        raise Refused(
            f"{shown[0]} is more than what was claimed is worth: {shown[1]}",
            reason="more_than_worth",
            instead=("decide_claim",),
        )
    return amount


def _check_left(amount: int, charges: Charges, currency: str) -> None:
    left = charges.refundable.total
    if not 0 < amount <= left:
        asked, most = (Money(minor=minor, currency=currency) for minor in (amount, left))
        raise Refused(
            f"{asked} cannot be paid back: {most} can, of what was charged",
            reason="nothing_left" if not left else "more_than_left",
        )
