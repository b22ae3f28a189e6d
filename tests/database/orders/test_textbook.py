"""The benchmark's textbook does an order's whole business, and its check finds wrong books."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime
from functools import partial
from typing import TypeAlias

import asyncpg
import pytest
import pytest_asyncio

from benchmarks.contestants import textbook_books as books
from benchmarks.contestants.outside import JOURNEY
from benchmarks.contestants.textbook_activities import OrderActivities
from benchmarks.contestants.textbook_companies import Bank, Carrier
from benchmarks.contestants.textbook_models import Fact, LabelWanted, Order, Payment, Scan
from benchmarks.contestants.textbook_payments import PaymentActivities
from benchmarks.contestants.textbook_shipments import ShipmentActivities
from benchmarks.goods import SKUS, a_document
from tests.support.servers import Databases

NOW = datetime(2026, 11, 28, tzinfo=UTC)
UNITS = 20

Pool: TypeAlias = "asyncpg.Pool[asyncpg.Record]"


@pytest_asyncio.fixture(loop_scope="session")
async def url(databases: Databases) -> AsyncIterator[str]:
    async with databases.fresh(empty=True) as url:
        await books.furnish(url, SKUS, UNITS)
        yield url


@pytest_asyncio.fixture(loop_scope="session")
async def shelf(url: str) -> AsyncIterator[Pool]:
    async with asyncpg.create_pool(url, min_size=1) as pool:
        yield pool


async def live(pool: Pool, order: Order, *, times: int = 1) -> None:
    """Take an order to its end, each step so many times, as after crashes."""
    orders, payments = OrderActivities(pool), PaymentActivities(pool, Bank(pool))
    shipments = ShipmentActivities(pool, Carrier(pool))
    fact = Fact(shipment_id=order.shipment_id, at=NOW)
    steps: list[Callable[[], Awaitable[object]]] = [
        lambda: orders.reserve_stock(order),
        lambda: payments.authorize_payment(
            Payment(order_id=order.order_id, amount=order.total, currency="USD", token="t")
        ),
        lambda: shipments.record_pick(fact),
        lambda: shipments.record_pack(fact),
        lambda: shipments.buy_label(
            LabelWanted(shipment_id=order.shipment_id, service="standard", country="KR")
        ),
        lambda: shipments.record_hand_over(fact),
        lambda: payments.capture_payment(order),
        *(
            partial(
                shipments.record_scan,
                Scan(shipment_id=order.shipment_id, status=status, at=NOW),
            )
            for status in JOURNEY
        ),
        lambda: orders.close_order(order.order_id),
    ]
    for step in steps:
        for _ in range(times):
            await step()


@pytest.mark.parametrize("times", [1, 2])
async def test_an_order_lives_and_a_repeated_step_does_nothing_twice(
    url: str, shelf: Pool, times: int
) -> None:
    order = Order.of(a_document("textbook", 1))
    await live(shelf, order, times=times)
    assert await books.faults(url) == []
    for item in order.items:
        level = "SELECT (on_hand, reserved) FROM inventory WHERE sku = $1"
        assert await shelf.fetchval(level, item.sku) == (UNITS - item.quantity, 0)
    assert await shelf.fetchval("SELECT sum(amount) FROM invoices") == order.total == 35
    assert await shelf.fetchval("SELECT count(*) FROM bank_calls") == 2
    assert await shelf.fetchval("SELECT count(*) FROM tracking_events") == len(JOURNEY)
    assert await shelf.fetchval("SELECT status FROM orders") == "closed"


async def test_of_many_orders_at_once_as_many_are_reserved_as_there_is_stock(
    url: str, shelf: Pool
) -> None:
    orders = OrderActivities(shelf)
    wanted = [
        Order.of({**a_document("textbook", 1), "channel_order_id": f"rush-{number}"})
        for number in range(25)
    ]
    reserved = await asyncio.gather(*map(orders.reserve_stock, wanted))
    # Each order wants two units of the first product.
    assert sum(reserved) == UNITS // 2
    assert await shelf.fetchval("SELECT max(reserved) FROM inventory") == UNITS
    assert await shelf.fetchval("SELECT count(*) FROM orders WHERE status = 'rejected'") == 15
    assert await books.faults(url) == []


@pytest.mark.parametrize(
    ("harm", "found"),
    [
        ("UPDATE inventory SET on_hand = on_hand + 1 WHERE sku = 'SKU-002'", "stock is not"),
        ("DELETE FROM stock_movements WHERE kind = 'shipped'", "stock is not"),
        ("UPDATE reservations SET status = 'reserved' WHERE line_no = 1", "reserved is not"),
        ("DELETE FROM reservations WHERE line_no = 1", "not reserved line by line"),
        ("UPDATE payments SET status = 'authorized'", "not charged in full"),
        ("DELETE FROM invoice_items WHERE line_no = 0", "not the sum of its items"),
        ("DELETE FROM ledger_entries WHERE credit = 0", "debits are not credits"),
        ("UPDATE shipments SET status = 'shipped'", "was not delivered"),
    ],
)
async def test_wrong_books_are_found(url: str, shelf: Pool, harm: str, found: str) -> None:
    await live(shelf, Order.of(a_document("textbook", 1)))
    await shelf.execute(harm)
    assert any(found in fault for fault in await books.faults(url))
