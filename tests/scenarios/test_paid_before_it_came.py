"""Orders whose payment was taken before they came: nothing is charged again, and nothing is lost.

What is to be paid back is paid back where it was paid, by a person, whose answer books it.
"""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from temporalio.client import Client

from activities.payments.reconciliation import Reconcile, Reconciliation
from domain.errors import InvalidInput
from domain.orders.channels import Channel
from domain.orders.messages import AttentionAnswer, CancelRequest, LineRequest
from domain.orders.order import Order
from domain.orders.policy import Policy
from domain.orders.return_messages import ReturnRequest
from store.database import Pool
from tests.support.books import faults_in
from tests.support.builders import a_policy, an_order, shipping
from tests.support.shop import Shop

PAID: dict[str, Any] = {"provider": "elsewhere", "token": "shopify-450789469"}
SHOP = Channel(channel="paidshop", kind="web", providers=("elsewhere", "sandbox"))


@pytest_asyncio.fixture(loop_scope="session")
async def shop(pool: Pool, temporal_client: Client) -> AsyncIterator[Shop]:
    shop = Shop(pool, temporal_client, a_policy(give_up_after=60, return_window=60))
    await shop.channels.save([SHOP])
    async with shop.working():
        yield shop


def paid(quantity: int = 4, sku: str = "TEA", **fields: Any) -> Order:
    return an_order(
        (sku, quantity, "25.00"),
        channel="paidshop",
        shipping=shipping("0"),
        payment=PAID,
        **fields,
    )


async def money(shop: Shop, order: Order) -> tuple[int, int, int]:
    """Authorized, captured and refunded, in cents."""
    row = await shop.pool.fetchrow(
        "select authorized, captured, refunded"
        " from order_money join customer_order using (order_no) where order_id = $1",
        order.order_id,
    )
    assert row is not None
    return row["authorized"], row["captured"], row["refunded"]


async def in_transit(shop: Shop, order: Order) -> int:
    """What the books have of the order's money at the shop that took it."""
    found: int = await shop.pool.fetchval(
        "select coalesce(sum(amount_minor), 0) from posting join journal_entry using (entry_id)"
        " join customer_order using (order_no)"
        " where order_id = $1 and account = 'cash_in_transit'",
        order.order_id,
    )
    return found


async def asked(shop: Shop, order: Order, step: str) -> str:
    """The reason why a step needs a person, once it does."""

    async def there() -> str | None:
        rows = (await shop.orders.get(order.order_id)).attention
        return next((row.reason for row in rows if row.step.startswith(step)), None)

    found = await shop.until(there, f"{step} asks a person")
    assert found is not None
    return found


async def done(shop: Shop, order: Order, step: str) -> None:
    rows = (await shop.orders.get(order.order_id)).attention
    name = next(row.step for row in rows if row.step.startswith(step))
    answer = AttentionAnswer(step=name, action="done", note="paid back in the shop", by="ann")
    await shop.resolve(order.order_id, answer)


async def test_it_is_charged_at_its_confirmation_without_a_call(shop: Shop) -> None:
    await shop.stocked("TEA", 4)
    order = paid()
    part = await shop.placed(order)
    await shop.told(order.order_id, "charged")
    assert await money(shop, order) == (100_00, 100_00, 0)
    assert await in_transit(shop, order) == 100_00
    await shop.drive(part, "delivered")
    assert await shop.payment.operations(order.order_id) == ()


async def test_what_is_cancelled_is_paid_back_by_a_person_whose_answer_books_it(shop: Shop) -> None:
    await shop.stocked("TEA", 4)
    order = paid()
    await shop.placed(order)
    await shop.told(order.order_id, "charged")
    one = CancelRequest(reason="one too many", lines=(LineRequest(line_id="1", quantity=1),))
    cancelling = asyncio.create_task(shop.aftersales.cancel(order.order_id, one))
    reason = await asked(shop, order, "refund_payment")
    assert "shopify-450789469" in reason
    assert "25.00" in reason
    assert await money(shop, order) == (100_00, 100_00, 0)
    await done(shop, order, "refund_payment")
    assert (await cancelling).outcome == "cancelled"
    assert await money(shop, order) == (100_00, 100_00, 25_00)
    assert await in_transit(shop, order) == 75_00


async def test_a_whole_cancellation_and_its_end(shop: Shop) -> None:
    await shop.stocked("TEA", 4)
    order = paid()
    await shop.placed(order)
    await shop.told(order.order_id, "charged")
    everything = CancelRequest(reason="not wanted")
    cancelling = asyncio.create_task(shop.aftersales.cancel(order.order_id, everything))
    await asked(shop, order, "refund_payment")
    await done(shop, order, "refund_payment")
    assert (await cancelling).outcome == "cancelled"
    assert (await shop.result(order.order_id))["outcome"] == "cancelled"
    assert await money(shop, order) == (100_00, 100_00, 100_00)
    assert await in_transit(shop, order) == 0
    await clean(shop)


async def test_a_return_is_paid_back_there(shop: Shop) -> None:
    await shop.stocked("TEA", 4)
    order = paid()
    part = await shop.placed(order)
    await shop.drive(part, "delivered")
    await shop.heard(order.order_id, "delivered", 4)
    approved = await shop.aftersales.request_return(order.order_id, ReturnRequest(reason="all"))
    assert approved.return_id is not None
    await shop.warehouse.receive_return(approved.return_id, who="receiver")
    await asked(shop, order, "refund_payment")
    await done(shop, order, "refund_payment")
    assert (await shop.result(order.order_id))["outcome"] == "closed"
    assert await in_transit(shop, order) == 0
    await clean(shop)


async def test_an_order_that_cannot_be_sent_asks_a_person_to_pay_it_back(shop: Shop) -> None:
    order = paid(sku=f"none-{uuid.uuid4().hex[:8]}")
    placement = await shop.orders.place(order, policy=Policy(backorder=False))
    assert placement.outcome == "rejected"
    reason = await asked(shop, order, "pay_back_elsewhere")
    assert "paid as a whole" in reason
    (task,) = [t for t in await shop.needs_attention.tasks() if t.subject == order.order_id]
    assert (task.amount_minor, task.currency) == (100_00, "USD")
    await done(shop, order, "pay_back_elsewhere")
    assert (await shop.orders.get(order.order_id)).attention == ()
    await clean(shop)


async def test_units_that_cannot_be_sent_are_paid_back_there(shop: Shop) -> None:
    sku = f"few-{uuid.uuid4().hex[:8]}"
    await shop.stocked(sku, 1)
    order = paid(sku=sku)
    await shop.placed(order, Policy(backorder=False))
    await shop.told(order.order_id, "charged")
    await asked(shop, order, "pay_back_elsewhere")
    (task,) = [t for t in await shop.needs_attention.tasks() if t.subject == order.order_id]
    assert task.amount_minor == 75_00
    assert await money(shop, order) == (25_00, 25_00, 0)
    await done(shop, order, "pay_back_elsewhere")


async def test_only_a_channel_that_names_it_takes_orders_that_were_paid_elsewhere(
    shop: Shop,
) -> None:
    with pytest.raises(InvalidInput, match="takes no orders that were paid elsewhere"):
        await shop.orders.place(an_order(("TEA", 1), payment=PAID))
    tenders = [{"provider": "sandbox", "token": "tok_ok", "amount": "5.00"}]
    with pytest.raises(InvalidInput, match="paid as a whole"):
        await shop.orders.place(paid(tenders=tenders))


async def test_no_day_of_it_is_reconciled(shop: Shop) -> None:
    every = {"sandbox": shop.payment, **shop.providers}
    due = await Reconciliation(shop.pool, every, shop.temporal).days_due(Reconcile())
    assert "elsewhere" not in {one.provider for one in due.days}


async def clean(shop: Shop) -> None:
    assert await faults_in(shop.pool) == []
    report = await shop.audit()
    assert report.clean, "\n".join(report.lines())
