"""Which orders are held as they are taken in: pure decisions."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from domain.orders.hold_rules import Facts, HoldRule, ListEntries, digest_of, digests_of
from domain.orders.holding import wanted_holds
from domain.orders.order import Order
from tests.support.builders import a_document, an_order, shipping

NOW = datetime(2026, 11, 30, 12, tzinfo=UTC)
BILLED = {"name": "Kim Minji", "line1": "Hafenstr. 3", "city": "Bremen", "country": "DE"}


def rule(when: dict[str, Any], **fields: Any) -> HoldRule:
    return HoldRule.model_validate(
        {"rule": "r", "when": when, "reason": "fraud_review", "owner": "risk team", **fields}
    )


def is_held(one: HoldRule, order: Order, facts: Facts | None = None, seller: str = "main") -> bool:
    return bool(wanted_holds([one], order, seller, facts or Facts(), NOW))


@given(st.integers(1, 10_000), st.integers(1, 10_000))
def test_an_order_is_held_above_the_amount_and_not_at_it(limit: int, price: int) -> None:
    order = an_order(("TEA", 1, f"{price}.00"), shipping=shipping("0"))
    over = rule({"amount_over": {"amount": f"{limit}.00", "currency": "USD"}})
    assert is_held(over, order) == (price > limit)
    finer = rule({"amount_over": {"amount": f"{limit}.005", "currency": "USD"}})
    assert is_held(finer, order) == (price > limit), "finer than the currency"
    euros = rule({"amount_over": {"amount": "0.00", "currency": "EUR"}})
    assert not is_held(euros, order), "of another currency"


@given(st.lists(st.integers(0, 48), max_size=8), st.integers(1, 5), st.integers(1, 24))
def test_orders_are_counted_within_the_span_and_with_this_one(
    hours_ago: list[int], more_than: int, within: int
) -> None:
    earlier = tuple(NOW - timedelta(hours=hours) for hours in hours_ago)
    many = rule({"orders_within": {"more_than": more_than, "within": f"PT{within}H"}})
    count = 1 + sum(hours < within for hours in hours_ago)
    assert is_held(many, an_order(("TEA", 1)), Facts(earlier=earlier)) == (count > more_than)


@given(st.booleans(), st.booleans(), st.booleans())
def test_all_that_a_rule_says_must_be_so(first: bool, abroad: bool, listed: bool) -> None:
    order = an_order(("TEA", 1), billing=BILLED) if abroad else an_order(("TEA", 1))
    facts = Facts(
        earlier=() if first else (NOW - timedelta(days=400),),
        lists=frozenset({"blocked"} if listed else {"another"}),
    )
    all_of_it = rule({"first_order": True, "countries_differ": True, "listed": "blocked"})
    assert is_held(all_of_it, order, facts) == (first and abroad and listed)


def test_a_rule_is_about_its_channels_and_sellers_while_it_is_active() -> None:
    order = an_order(("TEA", 1))
    assert is_held(rule({"first_order": True}, channels=["web"], sellers=["main"]), order)
    assert not is_held(rule({"first_order": True}, channels=["b2b"]), order)
    assert not is_held(rule({"first_order": True}, sellers=["us"]), order)
    assert not is_held(rule({"first_order": True}, active=False), order)


def test_words_are_found_in_notes_whatever_their_capitals() -> None:
    words = rule({"words": ["Call ME"]})
    assert is_held(words, an_order(("TEA", 1), note="please CALL me before"))
    assert is_held(words, an_order(("TEA", 1), gift_message="call me"))
    assert not is_held(words, an_order(("TEA", 1), note="thank you"))


def test_a_hold_says_why_and_until_when_and_nothing_of_the_person() -> None:
    order = an_order(("TEA", 1), note="call me, Kim", billing=BILLED)
    one = rule({"words": ["call me"], "countries_differ": True}, ends_after="PT2H", at_end="reject")
    (held,) = wanted_holds([one], order, "main", Facts(), NOW)
    assert (held.until, held.at_end) == (NOW + timedelta(hours=2), "reject")
    assert "countries" in held.note
    assert "Kim" not in held.note
    (open_ended,) = wanted_holds([rule({"first_order": True})], order, "main", Facts(), NOW)
    assert (open_ended.until, open_ended.at_end) == (None, None)


@pytest.mark.parametrize(
    ("kind", "one", "same"),
    [
        ("email", "Kim@Example.com ", "kim@example.com"),
        ("phone", "+82 (2) 123-4567", "8221234567"),
        ("name", "KIM  minji", "Kim Minji"),
        ("postal_code", "sw1a 1aa", "SW1A1AA"),
    ],
)
def test_values_of_a_list_are_compared_as_people_mean_them(kind: Any, one: str, same: str) -> None:
    assert digest_of(kind, one) == digest_of(kind, same)
    assert digest_of(kind, one) != digest_of("customer_id", one)


def test_what_an_order_says_of_its_customer_is_looked_for() -> None:
    order = an_order(("TEA", 1), customer={"id": "C-1", "name": "Kim", "email": "kim@example.com"})
    looked_for = digests_of(order)
    assert digest_of("email", "KIM@example.com") in looked_for
    assert digest_of("postal_code", "04524") in looked_for
    assert digest_of("customer_id", "C-1") in looked_for
    assert digest_of("customer_id", "C-2") not in looked_for


def test_a_rule_that_says_nothing_is_refused() -> None:
    with pytest.raises(ValidationError, match="must say what an order is like"):
        rule({})
    with pytest.raises(ValidationError):
        ListEntries.model_validate({"kind": "mood", "values": ["x"]})


def test_an_address_is_to_be_checked_where_all_else_of_the_rule_is_so() -> None:
    checked = rule({"address_refused": True, "first_order": True})
    order = an_order(("TEA", 1))
    (held,) = wanted_holds([checked], order, "main", Facts(), NOW)
    assert held.is_to_check
    assert not is_held(checked, order, Facts(earlier=(NOW,)))
    at_the_till = Order.model_validate(a_document(("TEA", 1), shipping={"service": "collect"}))
    assert not is_held(checked, at_the_till), "nothing is sent"
