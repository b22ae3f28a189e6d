"""What becomes of goods that came back, and what the seller keeps of what they cost."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from domain.aftersales.conditions import Condition
from domain.aftersales.return_counts import Found, disposed, postage_kept, restocking_fee
from domain.aftersales.return_rules import ReturnTerms
from domain.orders.amounts import LineWorth, Worth

WORTH = LineWorth(
    line_id="1", quantity=3, whole=Worth(goods=3000, tax=570, shipping=300, shipping_tax=57)
)


def test_the_warehouse_says_more_than_the_rule_and_the_rule_more_than_what_is_usual() -> None:
    terms = ReturnTerms(dispositions={"opened": "refurbish"})
    assert disposed(Found(quantity=1, condition="opened"), ReturnTerms()) == "restock"
    assert disposed(Found(quantity=1, condition="opened"), terms) == "refurbish"
    own = Found(quantity=1, condition="opened", disposition="supplier")
    assert disposed(own, terms) == "supplier"
    assert disposed(Found(quantity=1, condition="damaged"), terms) == "scrap"


def test_restocking_costs_by_the_condition_and_nothing_where_the_seller_is_at_fault() -> None:
    terms = ReturnTerms(restocking_percent={"opened": 20, "used": 50})
    some: list[tuple[int, Condition]] = [(1, "new"), (1, "opened"), (1, "used")]
    assert restocking_fee(some, terms, WORTH, "changed_mind") == 238 + 595
    assert restocking_fee(some, terms, WORTH, "defective") == 0
    assert restocking_fee(some, ReturnTerms(), WORTH, "changed_mind") == 0


def test_postage_is_kept_by_a_rule_alone_and_never_where_the_seller_is_at_fault() -> None:
    kept = {"1": ReturnTerms(outbound_postage="kept")}
    assert postage_kept({"1": 2}, kept, {"1": WORTH}, {"1": "other"}) == 238
    assert postage_kept({"1": 2}, kept, {"1": WORTH}, {"1": "damaged"}) == 0
    assert postage_kept({"1": 2}, {"1": ReturnTerms()}, {"1": WORTH}, {"1": "other"}) == 0


@given(st.integers(0, 10**6), st.integers(1, 50), st.integers(0, 100), st.data())
def test_no_fee_is_more_than_the_units_cost(
    goods: int, quantity: int, percent: int, data: st.DataObject
) -> None:
    units = data.draw(st.integers(0, quantity))
    worth = LineWorth(line_id="1", quantity=quantity, whole=Worth(goods=goods))
    terms = ReturnTerms(restocking_percent={"used": percent})
    fee = restocking_fee([(units, "used")], terms, worth, "other")
    assert 0 <= fee <= goods * units // quantity
