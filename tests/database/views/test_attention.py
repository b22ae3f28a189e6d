"""The list of what waits for a person: each kind stands in it, and what needs nobody does not."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from domain.notifications.subscriptions import NewSubscription, SubscriptionChange
from domain.orders.order import Order
from domain.orders.policy import Policy
from starter.service.attention import AttentionList, way_on_of
from starter.service.event_subscriptions import EventSubscriptions
from store.database import Pool
from store.orders import events
from store.views.attention import AttentionTask
from tests.support.bench import Bench
from tests.support.builders import an_order
from tests.support.shop import Stage


@pytest.fixture
async def bench(pool: Pool) -> Bench:
    bench = Bench(pool)
    await bench.stocked("TEA", 100)
    return bench


async def listed(bench: Bench, **wishes: Any) -> list[AttentionTask]:
    return list(await AttentionList(bench.pool).tasks(**wishes))


async def an_order_at(
    bench: Bench, stage: Stage, policy: Policy | None = None, *, charged: bool = False
) -> Order:
    order = an_order(("TEA", 2, "10.00"))
    if policy is not None:
        await bench.take_in(order, policy)
    part = await bench.at(order, stage)
    if charged:
        await bench.charged(part)
    return order


async def ask(bench: Bench, order: Order, step: str, *allowed: str) -> None:
    async with bench.pool.acquire() as conn, conn.transaction():
        await events.raise_attention(conn, order.order_id, step, "the bank says no", allowed)


async def test_an_order_that_goes_its_way_waits_for_nobody(bench: Bench) -> None:
    await an_order_at(bench, "confirmed")
    await an_order_at(bench, "shipped", charged=True)
    assert await listed(bench) == []


async def test_money_stands_first_then_what_waits_longest(bench: Bench) -> None:
    late = await an_order_at(bench, "confirmed")
    unpaid = await an_order_at(bench, "shipped")
    await ask(bench, late, f"pick_pack_ship {late.order_id}:1")
    await ask(bench, unpaid, f"charge_payment {unpaid.order_id}:1", "retry", "done")
    first, second = await listed(bench)
    assert (first.subject, first.amount_minor, first.currency) == (
        unpaid.order_id,
        unpaid.total_minor,
        "USD",
    )
    assert way_on_of(first).command == (
        f"orderloom resolve {unpaid.order_id} retry|done "
        f"--step 'charge_payment {unpaid.order_id}:1' --note '…'"
    )
    assert (second.subject, second.amount_minor) == (late.order_id, None)
    assert way_on_of(second).command == "orderloom warehouse tasks"
    assert await listed(bench, at_most=1) == [first]
    assert await listed(bench, seller="main") == [first, second]
    assert await listed(bench, seller="other") == []


async def test_a_call_without_an_outcome_is_listed_once_it_takes_long(bench: Bench) -> None:
    order = await an_order_at(bench, "shipped", charged=True)
    unknown = """
        update payment_operation set state = 'unknown', settled_at = null,
               requested_at = now() - $2::interval
        where payment_key = $1 || ':authorize'"""
    await bench.pool.execute(unknown, order.order_id, timedelta(minutes=5))
    assert await listed(bench) == []
    await bench.pool.execute(unknown, order.order_id, timedelta(minutes=20))
    (task,) = await listed(bench)
    assert (task.kind, task.subject, task.amount_minor) == (
        "payment",
        order.order_id,
        order.total_minor,
    )
    await ask(bench, order, f"authorize_payment {order.order_id}", "retry", "cancel")
    assert [task.kind for task in await listed(bench)] == ["order"], "the order asks about it"


async def test_a_refund_that_is_owed_for_long_is_listed(bench: Bench) -> None:
    order = await an_order_at(bench, "shipped", charged=True)
    await bench.grant(order, amount="5.00")
    assert await listed(bench) == []
    await bench.pool.execute("update refund set granted_at = now() - interval '2 hours'")
    (task,) = await listed(bench)
    assert (task.kind, task.subject, task.amount_minor) == ("refund", order.order_id, 500)


async def test_an_order_that_is_charged_by_hand_is_listed_before_its_authorization_ends(
    bench: Bench,
) -> None:
    order = await an_order_at(bench, "confirmed", Policy(charge="manual"))
    automatic = await an_order_at(bench, "confirmed")
    assert await listed(bench) == []
    ends = datetime.now(UTC) + timedelta(hours=5)
    await bench.pool.execute("update payment_authorization set expires_at = $1", ends)
    (task,) = await listed(bench)
    assert (task.kind, task.subject, task.due) == ("charge", order.order_id, ends)
    assert way_on_of(task).command == f"orderloom charge {order.order_id}"
    assert automatic.order_id != order.order_id


async def test_disputes_differences_and_unread_messages_are_listed(bench: Bench) -> None:
    order = await an_order_at(bench, "shipped", charged=True)
    due = datetime.now(UTC) + timedelta(days=5)
    dispute = """
        insert into dispute (provider, dispute_id, subjects, payment_key, order_no, amount_minor,
                             currency, fee_currency, state, reason, opened_at, said_at, respond_by)
        values ('sandbox', $1, '{}', $2 || ':authorize', order_no_of($2), 100, 'USD', 'USD', $3,
                'fraudulent', now(), now(), $4)"""
    await bench.pool.execute(dispute, "dp_1", order.order_id, "needs_response", due)
    await bench.pool.execute(dispute, "dp_2", order.order_id, "under_review", due)
    await bench.pool.execute(
        """insert into reconciliation (provider, day, listed, matched, under_way, state)
        values ('sandbox', '2026-11-24', 2, 0, 0, 'open')"""
    )
    difference = """
        insert into reconciliation_difference (provider, day, subject, class, order_id, why, remedy,
                                               theirs)
        values ('sandbox', '2026-11-24', $1, 'missing_here', $2, 'not recorded here', $3,
                '{"amount_minor": 500, "currency": "USD"}')"""
    await bench.pool.execute(difference, "portal-1", order.order_id, "operator")
    await bench.pool.execute(difference, "portal-2", None, "retry")
    event = """
        insert into provider_event (provider, event_id, type, body, happened_at, tries, last_error)
        values ('sandbox', $1, 'x', '{}', now(), $2, $3)"""
    await bench.pool.execute(event, "evt_1", 3, "no such currency")
    await bench.pool.execute(event, "evt_2", 0, None)
    found = {task.kind: task for task in await listed(bench)}
    assert sorted(found) == ["difference", "dispute", "provider_event"]
    assert (found["dispute"].name, found["dispute"].due) == ("dp_1", due)
    assert found["difference"].amount_minor == 500
    command = way_on_of(found["difference"]).command
    assert command == f"orderloom reconcile resolve {found['difference'].name} --note '…'"
    assert found["provider_event"].reason == "no such currency"


async def test_purchase_orders_that_wait_for_a_person_are_listed(bench: Bench) -> None:
    await bench.pool.execute("insert into supplier (supplier_id, name) values ('forge', 'Forge')")
    order = """
        insert into purchase_order (po_id, supplier_id, location, currency, state, needs_approval,
                                    policy, attention)
        values ($1, 'forge', 'main', 'EUR', $2, $3, '{}', $4)"""
    await bench.pool.execute(order, "PO-1", "proposed", True, None)
    await bench.pool.execute(order, "PO-2", "sent", False, "the supplier does not answer")
    await bench.pool.execute(order, "PO-3", "sent", True, None)
    await bench.pool.execute(order, "PO-4", "cancelled", True, "the supplier does not answer")
    await bench.stocked("POT", 1)
    await bench.pool.execute(
        """
        insert into purchase_order_line (po_id, sku, location, quantity, receivable, received,
                                         unit_price, lead_time_days, due_on, for_order)
        values ('PO-1', 'TEA', 'main', 3, 3, 0, 1.005, 1, '2026-12-01', true),
               ('PO-1', 'POT', 'main', 4, 4, 1, 20, 1, '2026-12-01', true)"""
    )
    assert [(task.kind, task.subject, task.amount_minor) for task in await listed(bench)] == [
        ("approval", "PO-1", 6_302),
        ("purchase_order", "PO-2", None),
    ]
    reason = (await listed(bench))[0].reason
    assert reason == "the purchase order with supplier Forge waits for approval"


async def test_a_subscription_that_is_disabled_is_listed_until_somebody_sees_to_it(
    bench: Bench,
) -> None:
    door = EventSubscriptions(bench.pool)
    wanted = NewSubscription(url="https://crm.example/in?key=abc")
    named = (await door.make(wanted, by="test")).subscription.subscription_id
    assert await listed(bench) == []
    disable = """
        update event_subscription
        set state = 'disabled', disabled_at = now(), why = 'nothing was taken since Monday'
        where subscription_id = $1"""
    await bench.pool.execute(disable, named)
    (task,) = await listed(bench)
    assert (task.kind, task.name) == ("subscription", named)
    assert task.reason == "events for https://crm.example/in: nothing was taken since Monday"
    assert way_on_of(task).command == f"orderloom webhooks update {named} --activate"
    await door.update(named, SubscriptionChange(state="active"), by="kim")
    assert await listed(bench) == []
    await bench.pool.execute(disable, named)
    await door.remove(named)
    assert await listed(bench) == []
