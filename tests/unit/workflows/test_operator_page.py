"""The operator's page of a run that has just begun, and does not know the order's terms yet."""

from __future__ import annotations

from domain.orders.continuation import BookState, FulfilmentProgress
from domain.orders.policy import Policy
from domain.orders.quantities import LineQuantities
from workflows.operator_page import Facts, page
from workflows.state.order_book import OrderBook


def test_until_the_terms_are_known_to_a_new_run_goods_are_told_by_their_lines() -> None:
    going = FulfilmentProgress(
        id="web-1:1", location="main", units={"1": 2, "2": 1}, stage="under_way"
    )
    lines = {"1": LineQuantities(ordered=2, allocated=2), "2": LineQuantities(ordered=1)}
    facts = Facts(
        phase="in fulfilment",
        why="",
        policy=Policy(),
        book=OrderBook("web-1", BookState(lines=lines, fulfilments=(going,))),
        open=[],
        parked=[],
        hold=None,
        window_ends=None,
    )
    told = page(facts)
    assert told.startswith("**web-1** · in fulfilment\n")
    assert "`web-1:1` from main (2 × line 1, 1 × line 2): with the warehouse" in told
