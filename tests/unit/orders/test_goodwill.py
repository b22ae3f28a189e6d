"""How much may be given as goodwill, and by whom."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.errors import Refused
from domain.orders.goodwill import Goodwill, GoodwillLimit

AGENT = GoodwillLimit(
    percent_max=10, per_order={"EUR": Decimal("15.00")}, per_day={"EUR": Decimal("40.00")}
)
ROLES = {"agent": AGENT, "lead": GoodwillLimit(percent_max=50)}


def refusal(
    rules: Goodwill, amount: int, role: str | None, *, charged: int = 100_00, before: int = 0
) -> Refused:
    with pytest.raises(Refused) as refused:
        rules.check(amount, "EUR", role, charged=charged, given=before)
    return refused.value


def test_without_roles_the_orders_own_limit_is_the_only_one() -> None:
    rules = Goodwill(20)
    rules.check(20_00, "EUR", None, charged=100_00, given=0)
    rules.check(20_00, "EUR", "anybody", charged=100_00, given=0)
    over = refusal(rules, 20_01, None)
    assert (over.reason, over.instead) == ("goodwill_limit", ())
    assert "20.00 EUR (20 % of what was charged)" in str(over)


@pytest.mark.parametrize("role", [None, "guest"])
def test_with_roles_nobody_gives_any_without_one(role: str | None) -> None:
    no = refusal(Goodwill(100, ROLES), 1, role)
    assert (no.reason, no.instead) == ("goodwill_role", ("refund_order",))
    assert "agent, lead" in str(no)


def test_each_limit_of_a_role_counts_and_names_who_may_give_more() -> None:
    rules = Goodwill(100, ROLES)
    rules.check(10_00, "EUR", "agent", charged=100_00, given=0)
    for no, named in (
        (refusal(rules, 10_01, "agent"), "10 % of what was charged"),
        (refusal(rules, 6_00, "agent", charged=900_00, before=10_00), "for an order: 15.00 EUR"),
        (refusal(Goodwill(100, ROLES, 31_00), 9_01, "agent"), "31.00 EUR of it given"),
    ):
        assert named in str(no)
        assert (no.reason, no.instead) == ("goodwill_limit", ("refund_order",))
        assert "ask lead" in str(no)
    rules.check(50_00, "EUR", "lead", charged=100_00, given=0)


def test_a_currency_that_is_not_named_is_limited_by_the_share_alone() -> None:
    Goodwill(100, ROLES).check(90, "JPY", "agent", charged=900, given=0)


def test_a_limit_with_more_decimals_than_its_currency_lets_nothing_through() -> None:
    odd = {"agent": GoodwillLimit(per_order={"JPY": Decimal("0.5")})}
    with pytest.raises(Refused):
        Goodwill(100, odd).check(1, "JPY", "agent", charged=900, given=0)


@given(
    st.integers(1, 10**6),
    st.integers(0, 10**6),
    st.integers(0, 10**6),
    st.integers(0, 10**6),
    st.sampled_from(["agent", "lead"]),
)
def test_whatever_is_let_through_is_within_every_limit(
    amount: int, charged: int, before: int, today: int, role: str
) -> None:
    rules = Goodwill(30, ROLES, today)
    try:
        rules.check(amount, "EUR", role, charged=charged, given=before)
    except Refused:
        return
    assert before + amount <= charged * 30 // 100
    if role == "agent":
        assert before + amount <= min(charged * 10 // 100, 15_00)
        assert today + amount <= 40_00
