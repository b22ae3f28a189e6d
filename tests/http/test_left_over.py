"""A form that an order has no use for any more: each act shows what was typed into it."""

from __future__ import annotations

import pytest

from domain.orders.order import Order
from starter.web.desk.acts.acting import Act
from starter.web.desk.acts.table import ACTS
from store.database import Pool
from tests.support.bench import Bench
from tests.support.builders import an_order
from tests.support.desk import Desk, text_of

TEXTS = {
    "reason": "she called twice",
    "note": "she wrote as well",
    "evidence": "seen in town",
    "token": "tok_42",
}
POSSIBLE = ("appointment", "resolve")
"""Acts that no state of an order forbids."""


@pytest.fixture
async def order(pool: Pool) -> Order:
    """One that was rejected: nothing can be done with it but to look."""
    bench = Bench(pool)
    await bench.stocked("TEA", 9)
    made = an_order(("TEA", 2, "10.00"))
    await bench.at(made, "confirmed")
    await pool.execute("update customer_order set decision = 'rejected', state = 'rejected'")
    return made


@pytest.mark.parametrize("act", ACTS, ids=lambda act: act.name)
async def test_no_text_is_lost(pool: Pool, order: Order, act: Act) -> None:
    desk = await Desk(pool).signed_in("anna")
    path = f"app/orders/{order.order_id}/{act.name}"
    sent = {**TEXTS, "units:1": "2", "version": "old", "seen": "0", "go": "do", "request_id": "r1"}
    answer = await desk.send_form(path, **sent)
    assert answer.status_code == 409
    assert any(text in answer.text for text in TEXTS.values())
    has_form = f'app/orders/{order.order_id}/{act.name}">' in answer.text.partition("<main")[2]
    assert ("What you had typed" in text_of(answer)) != has_form
    assert has_form == (act.name in POSSIBLE)
