"""The operator's page of a run that has just begun, and does not know the order yet."""

from __future__ import annotations

from domain.orders.policy import Policy
from workflows.operator_page import Facts, page
from workflows.state.order_book import OrderBook


def test_until_a_new_run_knows_where_its_order_stands_the_page_says_what_there_is() -> None:
    facts = Facts(
        phase="received",
        why="",
        policy=Policy(),
        book=OrderBook("web-1"),
        open=[],
        parked=[],
        hold=None,
        window_ends=None,
    )
    told = page(facts)
    assert told.startswith("**web-1** · received\n")
    assert "orderloom show web-1" in told
