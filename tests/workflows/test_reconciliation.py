"""Reconciliation as a workflow: what it mends, and that no crash leaves anything behind."""

from __future__ import annotations

import asyncio
from datetime import UTC, date, datetime, timedelta

import pytest
from temporalio.client import ScheduleActionExecutionStartWorkflow

from activities.schedules import keep_reconciling
from domain import ids
from domain.errors import InvalidInput, Unreachable
from domain.orders.order import Order
from domain.orders.return_messages import ReturnRequest
from starter.service.reconciliation import Reconciliation
from store.payments.reconciliation import KeptDifference
from store.sandbox import companies
from store.sandbox.companies import FaultKind
from tests.support.builders import a_policy, an_order
from tests.support.shop import Shop
from tests.workflows.lives import IMPATIENT, three_teas

STEPS = ("days_due", "reconcile_day", "mend_day")


async def reconciled(shop: Shop, day: date) -> list[KeptDifference]:
    """Every difference that is kept once the day has been compared."""
    await shop.reconciliation.compare(day)
    return await shop.reconciliation.differences(day=day, only_open=False)


async def execute(shop: Shop, *statements: str) -> None:
    async with shop.pool.acquire() as conn:
        for statement in statements:
            await conn.execute(statement)


async def fault(shop: Shop, operation: str, kind: FaultKind, remaining: int | None = None) -> None:
    async with shop.pool.acquire() as conn:
        await companies.set_fault(conn, "payment", operation, kind, 1.0, remaining=remaining)


async def healed(shop: Shop) -> None:
    async with shop.pool.acquire() as conn:
        await companies.clear_faults(conn)


async def asked_long_ago(shop: Shop, key: str) -> date:
    """The payment was asked for ten minutes ago: its outcome is due. Returns the day of that."""
    async with shop.pool.acquire() as conn:
        at: datetime = await conn.fetchval(
            """update payment_operation set requested_at = requested_at - interval '10 minutes'
            where payment_key = $1 returning requested_at""",
            key,
        )
    return at.date()


async def a_stuck_charge(shop: Shop) -> tuple[Order, str]:
    """The charge took effect, no answer came, none can be looked up, and a person is asked for."""
    order = await three_teas(shop)
    parcel = await shop.placed(order, IMPATIENT)
    await fault(shop, "capture", FaultKind.TIMEOUT_AFTER, remaining=1)
    await fault(shop, "lookup", FaultKind.UNAVAILABLE)
    await shop.drive(parcel, "shipped")
    assert list(await shop.attention(order.order_id)) == [f"charge_payment {parcel}"]
    await healed(shop)
    return order, parcel


async def test_s11_a_charge_that_timed_out_after_its_effect_and_is_stuck_is_mended_as_one(
    shop: Shop,
) -> None:
    order, parcel = await a_stuck_charge(shop)
    key = f"{parcel}:capture"
    day = await asked_long_ago(shop, key)
    (found,) = await reconciled(shop, day)
    assert (found.what, found.subject, found.remedy) == ("state", key, "retry")
    assert found.resolution == "open"
    assert (await shop.finish(order.order_id))["outcome"] == "closed"
    (found,) = await reconciled(shop, day)
    assert (found.resolution, found.who) == ("mended", "reconciliation")
    captures = [
        done for done in await shop.payment.operations(order.order_id) if done.kind == "capture"
    ]
    assert [done.amount.minor for done in captures] == [order.total_minor]
    resolved = [e for e in await shop.orders.events(order.order_id) if "resolved" in e.what]
    assert [(e.who, e.why) for e in resolved] == [
        ("reconciliation", "retry: its outcome can be known by now")
    ]
    await shop.settled()


async def test_a_day_of_orders_is_clean_whatever_lost_its_answer(shop: Shop) -> None:
    await shop.stocked("TEA", 20)
    for operation in ("authorize", "capture", "refund", "void"):
        await fault(shop, operation, FaultKind.TIMEOUT_AFTER, remaining=1)
    policy = a_policy(give_up_after=60, return_window=60)
    kept, sent_back, short = (an_order(("TEA", 2)) for _ in range(3))

    async def is_kept() -> None:
        await shop.placed(kept, a_policy(give_up_after=60))
        await shop.finish(kept.order_id)

    async def comes_back() -> None:
        await shop.drive(await shop.placed(sent_back, policy), "delivered")
        await shop.heard(sent_back.order_id, "delivered", 2)
        asked = ReturnRequest(reason="too hot")
        answer = await shop.aftersales.request_return(sent_back.order_id, asked)
        assert answer.return_id is not None
        await shop.warehouse.receive_return(answer.return_id, who="receiver")

    async def is_short() -> None:
        parcel = await shop.placed(short, a_policy(give_up_after=60))
        await shop.task("pick", parcel)
        await shop.warehouse.pick(parcel, {"1": 1}, who="picker")
        await shop.finish(short.order_id)

    await asyncio.gather(is_kept(), comes_back(), is_short())
    await shop.settled()
    today = (await shop.payment.operations(kept.order_id))[0].at.date()
    assert await reconciled(shop, today) == []
    (day,) = await shop.reconciliation.days(today, "sandbox")
    assert (day.state, day.listed, day.matched, day.under_way) == ("clean", 8, 8, 0)
    await shop.settled()  # the fees are booked, and the books are right


async def test_whoever_dies_between_any_two_steps_it_is_found_and_mended_once(shop: Shop) -> None:
    await shop.stocked("TEA", 20)
    given_up = an_order(("TEA", 1))
    await shop.placed(given_up, a_policy())
    authorization = f"{given_up.order_id}:authorize"
    (made,) = await shop.payment.operations(given_up.order_id)
    day = made.at.date()
    await execute(
        shop,
        f"""update payment_operation set state = 'failed', code = 'not_found', reference = null
        where payment_key = '{authorization}'""",
    )
    for lose in (shop.faults.before, shop.faults.after):
        for name in STEPS:
            lose(name)
        await fault(shop, "void", FaultKind.TIMEOUT_AFTER, remaining=1)
        (found,) = await reconciled(shop, day)
        assert (found.subject, found.remedy, found.resolution) == (authorization, "void", "mended")
        assert found.theirs is not None
        assert found.theirs.reference == made.reference
    voids = [
        done for done in await shop.payment.operations(given_up.order_id) if done.kind == "void"
    ]
    assert [(done.key, done.amount) for done in voids] == [
        (f"{given_up.order_id}:void", made.amount)
    ]


async def test_a_day_that_cannot_be_compared_is_due_again_and_says_so(shop: Shop) -> None:
    shop.faults.refuse("reconcile_day", "unreachable")
    today = datetime.now(UTC).date()
    with pytest.raises(Unreachable, match=f"sandbox.* could not be compared on {today}"):
        await reconciled(shop, today)
    shop.faults.heal("reconcile_day")
    assert await reconciled(shop, today) == []
    with pytest.raises(InvalidInput, match="provider: there is no 'bank'"):
        await shop.reconciliation.compare(today, provider="bank")


async def test_where_nobody_works_it_is_said_so_and_asking_again_waits_for_the_same(
    shop: Shop,
) -> None:
    queue, day = f"{shop.task_queue}-idle", datetime.now(UTC).date()
    idle = Reconciliation(shop.pool, shop.temporal, task_queue=queue)
    for _ in range(2):
        with pytest.raises(Unreachable, match="is a worker running"):
            await idle.compare(day, patience=timedelta(seconds=0.3))
    name = f"{ids.reconciliation_id(queue)}:{day}:all"
    await shop.temporal.get_workflow_handle(name).terminate()


async def test_a_schedule_compares_the_days_that_were_missed(shop: Shop) -> None:
    order = await three_teas(shop)
    await shop.placed(order)
    await execute(
        shop,
        """update payment_operation set requested_at = requested_at - interval '2 days',
                              settled_at = settled_at - interval '2 days'""",
        "update sandbox.payment_call set called_at = called_at - interval '2 days'",
    )
    (made,) = await shop.payment.operations(order.order_id)
    await keep_reconciling(shop.temporal, task_queue=shop.task_queue, every=timedelta(seconds=1))
    handle = shop.temporal.get_schedule_handle(ids.reconciliation_id(shop.task_queue))
    days = [made.at.date() + timedelta(days=n) for n in range(2)]
    try:

        async def compared() -> bool:
            kept = [day for one in days for day in await shop.reconciliation.days(one, "sandbox")]
            return [day.listed for day in kept] == [1, 0]

        await shop.until(compared, "the days before today are compared")
        (ran,) = (await handle.describe()).info.recent_actions[:1]
        assert isinstance(ran.action, ScheduleActionExecutionStartWorkflow)
        history = await shop.temporal.get_workflow_handle(
            ran.action.workflow_id, run_id=ran.action.first_execution_run_id
        ).fetch_history()
    finally:
        await handle.delete()
    assert "reconcile_day" in history.to_json()
    assert order.order_id not in history.to_json()  # counts, and no effect of the list
