"""What the rules decide about claims, and what a decision owes: never more than is left."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.aftersales.claims import Facts, Payment, pays, ruling, units_of
from domain.errors import Refused
from domain.orders.amounts import LineWorth, Worth
from domain.orders.charges import Charges
from domain.orders.claim_messages import ClaimRequest
from domain.orders.claim_rules import ClaimRules
from domain.orders.quantities import LineQuantities

# Finer than the currency: a limit is never paid.
RULES = ClaimRules(alone_up_to={"EUR": Decimal("30.005")}, alone_per_customer=2)


def charges(units: int, goods: int = 1000, shipping: int = 99) -> Charges:
    """Of a line that is delivered and paid for."""
    line = LineQuantities(ordered=units, shipped=units, delivered=units)
    whole = Worth(goods=goods * units, tax=7 * units, shipping=shipping)
    worth = LineWorth(line_id="1", quantity=units, whole=whole)
    found = Charges({"1": line}, {"1": worth})
    found.left({"1": units})
    return found


def asked(kind: str = "damaged", quantity: int | None = 1, **fields: object) -> ClaimRequest:
    lines = [] if kind == "late" else [{"line_id": "1", "quantity": quantity}]
    return ClaimRequest.model_validate({"kind": kind, "reason": "x", "lines": lines, **fields})


@given(
    kind=st.sampled_from(["damaged", "missing", "wrong"]),
    wish=st.sampled_from([None, "refund", "reship"]),
    worth=st.integers(0, 5000),
    before=st.integers(0, 4),
    currency=st.sampled_from(["EUR", "USD"]),
)
def test_only_small_claims_with_a_wish_of_a_customer_with_few_are_decided_alone(
    kind: str, wish: str | None, worth: int, before: int, currency: str
) -> None:
    facts = Facts(charges(3), currency, claims_before=before)
    decision, why = ruling(asked(kind, wish=wish), worth, facts, RULES)
    alone = kind == "damaged" and wish and worth <= 3000 and before < 2 and currency == "EUR"
    assert (decision, bool(why)) == (wish if alone else None, True)


@given(
    units=st.integers(1, 6),
    claims=st.lists(st.tuples(st.integers(1, 6), st.integers(0, 100)), max_size=8),
)
def test_whatever_is_claimed_no_more_is_paid_back_than_was_charged(
    units: int, claims: list[tuple[int, int]]
) -> None:
    found = charges(units)
    paid, claimed = 0, 0
    for quantity, percent in claims:
        facts = Facts(found, "EUR", claimed={"1": claimed})
        try:
            wanted = units_of(asked(quantity=quantity), facts)
            how = Payment(percent=percent) if percent else Payment()
            owed, kind = pays("damaged", wanted, how, facts, RULES)
        except Refused:
            continue
        assert kind == ("claim" if percent else "units")
        claimed += quantity if percent else 0
        paid += owed.worth.total
        assert 0 <= paid <= found.charged.total
    assert paid == found.refunded.total


@pytest.mark.parametrize(
    ("rules", "amount", "kind"),
    [
        (ClaimRules(), 99, "shipping"),
        (ClaimRules(late_percent=10), 99 + 312, "claim"),
        (ClaimRules(late_percent=100), 3120, "claim"),
    ],
)
def test_coming_late_pays_the_shipping_and_a_percent_and_never_more_than_all(
    rules: ClaimRules, amount: int, kind: str
) -> None:
    facts = Facts(charges(3), "EUR", came_late=True)
    assert ruling(asked("late"), 0, facts, rules).decision == "refund"
    owed, refund = pays("late", {}, Payment(), facts, rules)
    assert (owed.worth.total, refund) == (amount, kind)


def test_a_shop_that_pays_nothing_for_coming_late_asks_a_person_how_much() -> None:
    facts = Facts(charges(3), "EUR", came_late=True)
    rules = ClaimRules(late_pays_shipping=False)
    assert ruling(asked("late"), 0, facts, rules).decision is None
    with pytest.raises(Refused) as no:
        pays("late", {}, Payment(), facts, rules)
    assert (no.value.reason, no.value.instead) == ("no_amount_set", ("decide_claim",))
    owed, _ = pays("late", {}, Payment(amount=Decimal("2.50")), facts, rules)
    assert owed.worth.total == 250
