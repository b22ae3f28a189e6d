"""Which requests an order takes, and the rule against each other one."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.aftersales.claims import Facts
from domain.orders.amounts import LineMoney, value_lines
from domain.orders.charges import Charges
from domain.orders.continuation import Decision
from domain.orders.hold_messages import HOLDS_MAX, StandingHold
from domain.orders.quantities import LineQuantities
from domain.orders.request_kinds import KINDS
from domain.views.possible import ASKED, Asked, OrderFacts, ParcelFacts, why_not
from tests.support.builders import an_order

NOW = datetime(2027, 3, 1, tzinfo=UTC)
ORDER = an_order(("TEA", 3, "10.00"))


def facts(units: dict[str, int] | None = None, **more: Any) -> OrderFacts:
    """An order of three units of one line, which are charged as they go."""
    line = LineQuantities(ordered=3, **(units or {"allocated": 3}))
    charges = Charges({"1": line}, value_lines(ORDER), {"1": LineMoney()})
    if line.shipped:
        charges.left({"1": line.shipped})
    claim = Facts(charges, "USD", **more.pop("claims", {}))
    usual = {"decision": "confirmed", "claim": claim, "handlings": {"1": "shipped"}}
    return OrderFacts(**{**usual, **more})


def reason(asked: Asked, found: OrderFacts) -> str:
    no = why_not(asked, found)
    return "" if no is None else no.reason


def hold(number: int) -> StandingHold:
    return StandingHold(
        hold_id=f"H{number}", reason="other", note="x", owner="x", who="x", since=NOW
    )


HERE = facts()
ON_ITS_WAY = facts({"shipped": 3}, parcels=(ParcelFacts("o:1", "shipped", is_carried=True),))
DELIVERED = facts({"shipped": 3, "delivered": 3})

CASES: tuple[tuple[Asked, OrderFacts, str], ...] = (
    ("cancel_order", HERE, ""),
    ("cancel_order", ON_ITS_WAY, "handed_over"),
    ("cancel_order", facts({"cancelled": 3}), "already_cancelled"),
    (
        "cancel_order",
        facts({"shipped": 3, "delivered": 3}, handlings={"1": "digital"}),
        "digital_delivered",
    ),
    ("edit_order", HERE, ""),
    ("edit_order", facts(decision="received"), "not_confirmed"),
    ("edit_order", DELIVERED, "handed_over"),
    ("hold_order", HERE, ""),
    ("hold_order", DELIVERED, "nothing_to_hold"),
    ("hold_order", facts(holds=[hold(n) for n in range(HOLDS_MAX)]), "too_many_holds"),
    ("release_order", HERE, "not_held"),
    ("release_order", facts(awaits_payment=True), "held_for_payment"),
    ("release_order", facts(holds=[hold(1)]), ""),
    ("pay_order", HERE, "no_payment_awaited"),
    ("pay_order", facts(awaits_payment=True), ""),
    ("charge_order", HERE, "not_to_be_charged"),
    ("charge_order", facts(charges_by_hand=True), ""),
    ("intercept_parcel", ON_ITS_WAY, ""),
    ("intercept_parcel", HERE, "not_on_its_way"),
    ("send_anew", ON_ITS_WAY, "not_coming_back"),
    (
        "send_anew",
        facts(
            {"shipped": 3},
            parcels=[ParcelFacts("o:1", "shipped", is_carried=True, comes_back=True)],
        ),
        "",
    ),
    ("return_items", ON_ITS_WAY, "not_delivered"),
    ("return_items", DELIVERED, ""),
    ("return_items", facts({"shipped": 3, "delivered": 3, "returned": 3}), "nothing_left"),
    (
        "return_items",
        facts({"shipped": 3, "delivered": 3}, handlings={"1": "digital"}),
        "digital_delivered",
    ),
    ("exchange_items", DELIVERED, ""),
    (
        "exchange_items",
        facts({"shipped": 3, "delivered": 3}, provider="elsewhere"),
        "paid_elsewhere",
    ),
    ("exchange_items", facts({"shipped": 3, "delivered": 3}, is_erased=True), "customer_erased"),
    ("exchange_items", facts({"shipped": 3, "delivered": 3}, is_disputed=True), "payment_disputed"),
    ("decide_return", DELIVERED, "no_open_return"),
    ("decide_return", facts(returns=["requested"]), ""),
    ("cancel_return", facts(returns=["approved"]), ""),
    ("cancel_return", facts(returns=["received"]), "no_open_return"),
    ("refund_order", HERE, "nothing_to_pay_back"),
    ("refund_order", DELIVERED, ""),
    ("refund_order", facts({"shipped": 3}, is_disputed=True), "payment_disputed"),
    ("match_price", ON_ITS_WAY, ""),
    (
        "match_price",
        facts({"shipped": 3}, match_is_over=True),
        "price_match_window_over",
    ),
    ("claim_items", ON_ITS_WAY, "not_delivered"),
    ("claim_items", DELIVERED, ""),
    (
        "claim_items",
        facts({"shipped": 3, "delivered": 3}, claims={"claimed": {"1": 3}}),
        "nothing_left",
    ),
    (
        "claim_items",
        facts({"shipped": 3, "delivered": 3}, claims={"claimed": {"1": 3}, "came_late": True}),
        "",
    ),
    ("decide_claim", DELIVERED, "no_open_claim"),
    ("decide_claim", facts(open_claims=1), ""),
)


@pytest.mark.parametrize(("asked", "found", "why"), CASES)
def test_the_rule_against_a_request_is_told(asked: Asked, found: OrderFacts, why: str) -> None:
    assert reason(asked, found) == why


def test_every_request_has_its_rules() -> None:
    assert {kind.update for kind in KINDS} == set(ASKED)
    assert {asked for asked, _, why in CASES if not why} | {"extend_hold", "reject_order"} == set(
        ASKED
    )


@given(decision=st.sampled_from(("closed", "cancelled", "rejected")), asked=st.sampled_from(ASKED))
def test_an_ended_order_takes_what_may_come_late_alone(decision: Decision, asked: Asked) -> None:
    found = facts({"shipped": 3, "delivered": 3}, decision=decision, open_claims=1)
    late = ("refund_order", "return_items", "exchange_items", "claim_items", "decide_claim")
    expected = "" if decision == "closed" and asked in late else f"order_{decision}"
    assert reason(asked, found) == expected
    assert decision in get_args(Decision)
