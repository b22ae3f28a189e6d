"""Hard cases of what payment companies tell by themselves, end to end."""

from __future__ import annotations

import asyncio

from activities.payments.contracts import Refund
from activities.providers.sandbox.payment import Card
from activities.providers.sandbox.webhooks import SignedEvent
from domain.orders.messages import AttentionAnswer, CancelRequest
from domain.orders.order import Order
from domain.orders.return_messages import ReturnRequest
from domain.payments.disputes import DisputeState
from store.sandbox import companies
from store.sandbox.companies import FaultKind
from tests.support.builders import a_policy, an_order, shipping
from tests.support.command_line import Cli
from tests.support.mishaps import Worker
from tests.support.provider_desk import FEE_MINOR, Telling
from tests.support.shop import Shop


async def paid(shop: Shop, order: Order) -> list[tuple[str, int]]:
    """Every effect that the payment company has for the order."""
    operations = await shop.payment.operations(order.order_id)
    return [(done.kind, done.amount.minor) for done in operations]


async def fault(shop: Shop, operation: str, kind: FaultKind, *, calls: int | None = None) -> None:
    async with shop.pool.acquire() as conn:
        await companies.set_fault(conn, "payment", operation, kind, 1.0, remaining=calls)


async def again_and_again(company: Telling, event: SignedEvent) -> None:
    """As a company that is never sure that it was heard."""
    await asyncio.gather(*(company.tell(event) for _ in range(5)))


async def test_s10_browser_and_webhook_race_and_it_is_one_order_and_one_capture(
    shop: Shop,
) -> None:
    company = Telling(shop.pool)
    await shop.stocked("TEA", 9)
    order = an_order(("TEA", 2), token=Card.OK)
    await fault(shop, "authorize", FaultKind.TIMEOUT_AFTER, calls=1)
    await fault(shop, "capture", FaultKind.TIMEOUT_AFTER, calls=1)
    authorized = company.payment("authorized", key=f"{order.order_id}:authorize")
    _, first, *_ = await asyncio.gather(
        again_and_again(company, authorized),
        shop.placed(order),
        shop.orders.place(order),  # the customer pressed twice
    )
    captured = company.payment("captured", key=f"{first}:capture")
    await asyncio.gather(again_and_again(company, captured), shop.finish(order.order_id))
    await again_and_again(company, captured)
    assert await paid(shop, order) == [("authorize", 25_00), ("capture", 25_00)]
    assert [row.order_id for row in await shop.orders.list()] == [order.order_id]
    assert not [line for line in await shop.story(order.order_id) if "refund" in line]
    await shop.settled()


async def test_s10_a_charge_whose_answer_was_lost_goes_on_by_itself_when_the_company_tells(
    shop: Shop,
) -> None:
    company = Telling(shop.pool)
    await shop.stocked("TEA", 9)
    order = an_order(("TEA", 2))
    first = await shop.placed(order, a_policy(give_up_after=0.5))
    await fault(shop, "capture", FaultKind.TIMEOUT_AFTER)
    await fault(shop, "lookup", FaultKind.UNAVAILABLE)
    await shop.drive(first, "shipped")
    step = await shop.parked(order.order_id)
    assert step == f"charge_payment {first}"
    await shop.attention(order.order_id)
    async with shop.pool.acquire() as conn:
        await companies.clear_faults(conn)
    await again_and_again(company, company.payment("captured", key=f"{first}:capture"))
    assert (await shop.finish(order.order_id))["outcome"] == "closed"
    assert await paid(shop, order) == [("authorize", 25_00), ("capture", 25_00)]
    (resolved,) = [
        event
        for event in await shop.orders.events(order.order_id)
        if event.what == f"attention resolved: {step}"
    ]
    assert (resolved.who, resolved.why) == ("webhook", "retry: sandbox says: captured")
    await shop.settled()


async def test_s18_a_dispute_of_a_cancelled_order_restocks_nothing_and_refunds_nothing(
    shop: Shop,
) -> None:
    company = Telling(shop.pool)
    await shop.stocked("TEA", 9)
    order = an_order(("TEA", 2, "10.00"), shipping=shipping("0"))
    await shop.placed(order)
    cancelled = await shop.aftersales.cancel(order.order_id, CancelRequest(reason="not wanted"))
    assert cancelled.outcome == "cancelled"
    await shop.result(order.order_id)
    before = await shop.level("TEA"), await paid(shop, order)
    await _disputed_and_lost(shop, company, order)
    assert (await shop.level("TEA"), await paid(shop, order)) == before
    assert (await shop.orders.get(order.order_id)).summary.state == "cancelled"


async def test_s18_a_dispute_of_a_closed_order_restocks_nothing_and_refunds_nothing(
    shop: Shop,
) -> None:
    company = Telling(shop.pool)
    await shop.stocked("TEA", 9)
    order = an_order(("TEA", 2, "10.00"), shipping=shipping("0"))
    await shop.placed(order)
    await shop.finish(order.order_id)
    before = await shop.level("TEA"), await paid(shop, order)
    await _disputed_and_lost(shop, company, order)
    assert (await shop.level("TEA"), await paid(shop, order)) == before
    assert (await shop.orders.get(order.order_id)).summary.state == "closed"


async def test_what_comes_back_after_a_lost_dispute_is_written_down_as_paid_back_by_the_bank(
    shop: Shop,
) -> None:
    company = Telling(shop.pool)
    await shop.stocked("TEA", 9)
    order = an_order(("TEA", 2, "5.00"), shipping=shipping("0"))
    first = await shop.placed(order, a_policy(give_up_after=60, return_window=60))
    await shop.drive(first, "delivered")
    await shop.heard(order.order_id, "delivered", 2)
    await shop.told(order.order_id, "charged")
    approved = await shop.aftersales.request_return(
        order.order_id, ReturnRequest(reason="disputed")
    )
    await _disputed_and_lost(shop, company, order)
    before = await paid(shop, order)
    assert approved.return_id is not None
    await shop.warehouse.receive_return(approved.return_id, who="receiver")
    step = await shop.parked(order.order_id)
    assert "at the bank" in (await shop.attention(order.order_id))[step]
    by_bank = AttentionAnswer(step=step, action="done", note="the bank gave it back: dp_1")
    await shop.orders.resolve_attention(order.order_id, by_bank)
    assert (await shop.result(order.order_id))["outcome"] == "closed"
    assert await paid(shop, order) == before  # nothing is paid back a second time
    assert await written_off(shop, order) == 0  # the goods are back: it was no loss
    report = await shop.audit()
    assert report.clean, "\n".join(report.lines())


async def written_off(shop: Shop, order: Order) -> int:
    async with shop.pool.acquire() as conn:
        amount: int = await conn.fetchval(
            "select coalesce(sum(amount_minor), 0)::bigint from posting "
            "join journal_entry using (entry_id) "
            "where account = 'write_offs' and order_no = order_no_of($1)",
            order.order_id,
        )
    return amount


async def _disputed_and_lost(shop: Shop, company: Telling, order: Order) -> None:
    """The bank takes half of it back, and keeps it; told in the wrong order, and twice."""
    async with shop.pool.acquire() as conn:
        authorization = await conn.fetchval(
            "select reference from payment where order_id = $1 and kind = 'authorize'",
            order.order_id,
        )
    lost = company.dispute(authorization, DisputeState.LOST, 9, what="closed", fee_minor=FEE_MINOR)
    opened = company.dispute(authorization, DisputeState.NEEDS_RESPONSE, what="opened")
    await company.tell(lost, opened, lost)
    await shop.told(order.order_id, "dispute: lost")

    async def worked_through() -> bool:
        async with shop.pool.acquire() as conn:
            count = "select count(*) from provider_event where processed_at is null"
            return bool(await conn.fetchval(count) == 0)

    await shop.until(worked_through, "everything that was told is worked through")
    async with shop.pool.acquire() as conn:
        disputed = await conn.fetchval("select disputed from order_money")
        booked = await conn.fetch(
            """
            select account, sum(amount_minor)::bigint as amount from posting
            join journal_entry using (entry_id) where effect like 'dispute:%' group by account
            """
        )
    assert disputed == 10_00
    assert {row["account"]: row["amount"] for row in booked} == {
        "write_offs": 10_00,
        "provider_fees": FEE_MINOR,
        "cash_in_transit": -10_00 - FEE_MINOR,
    }
    report = await shop.audit()
    assert report.clean, "\n".join(report.lines())


async def sent_back(shop: Shop, order: Order) -> str:
    """All of the order is bought and returned. Returns the refund's id."""
    order_id, parcel = order.order_id, await shop.placed(order, a_policy(return_window=60))
    await shop.drive(parcel, "delivered")
    await shop.heard(order_id, "delivered", sum(line.quantity for line in order.lines))
    approved = await shop.aftersales.request_return(order_id, ReturnRequest(reason="too strong"))
    await shop.warehouse.receive_return(str(approved.return_id), who="receiver")
    await shop.settled()
    return str(approved.return_id)


async def test_a_refund_that_the_bank_sends_back_is_owed_until_it_is_paid_another_way(
    shop: Shop, cli: Cli
) -> None:
    company = Telling(shop.pool)
    await shop.stocked("TEA", 2)
    order = an_order(("TEA", 2, "10.00"), shipping=shipping("0"))
    order_id, refund_id = order.order_id, await sent_back(shop, order)
    assert (await cli.done("payments", "--owed")).out == "nothing is owed\n"

    # Days later, and twice, as companies do.
    key = f"{refund_id}:refund"
    await shop.payment.send_back(key)
    told = company.payment("refund_failed", key=key, why="the account is closed")
    await again_and_again(company, told)
    await company.tell(company.payment("refund_failed", 1, key=key, why="the account is closed"))
    await shop.told(order_id, "refund came back")
    owed = (await cli.done("payments", "--owed")).out
    assert refund_id in owed
    assert "20.00 USD" in owed
    detail = await shop.orders.get(order_id)
    assert (detail.summary.payment_status, detail.summary.refunded_minor) == ("refund_owed", 0)
    assert await paid(shop, order) == [("authorize", 20_00), ("capture", 20_00)]
    (asked,) = detail.attention
    assert "the account is closed" in asked.reason
    # The step that had paid it may be tried once more: it has done its work.
    ask = Refund(refund_id=refund_id)
    await Worker(shop.pool, {"sandbox": shop.payment}).payments.refund_payment(ask)
    assert (await shop.orders.get(order_id)).summary.refunded_minor == 0
    report = await shop.audit()
    assert report.clean, report.lines()  # owed, and somebody is asked

    resolve = ("resolve", order_id, "done", "--note", "by bank transfer", "--by", "kim")
    await cli.done(*resolve)
    assert (await cli.done("payments", "--owed")).out == "nothing is owed\n"
    detail = await shop.orders.get(order_id)
    assert (detail.summary.payment_status, detail.summary.refunded_minor) == ("refunded", 20_00)
    assert [(p.kind, p.provider, p.state) for p in detail.payments][-2:] == [
        ("refund", "sandbox", "failed"),
        ("refund", "by_hand", "succeeded"),
    ]
    assert [row.who for row in await shop.orders.events(order_id)][-1] == "kim"
    await shop.settled()


async def test_a_refund_that_came_back_and_that_the_bank_then_gave_is_no_loss(shop: Shop) -> None:
    company = Telling(shop.pool)
    await shop.stocked("TEA", 2)
    order = an_order(("TEA", 2, "5.00"), shipping=shipping("0"))
    key = f"{await sent_back(shop, order)}:refund"
    await shop.payment.send_back(key)
    await company.tell(company.payment("refund_failed", key=key))
    await shop.told(order.order_id, "refund came back")
    await _disputed_and_lost(shop, company, order)
    assert await written_off(shop, order) == 10_00
    step = f"refund_failed {key}"
    await shop.payments.settle_bounced(
        order.order_id, step, "the bank gave it back: dp_1", who="kim"
    )
    assert await written_off(shop, order) == 0
    report = await shop.audit()
    assert report.clean, "\n".join(report.lines())


async def test_that_a_refund_failed_is_heard_also_before_it_is_recorded_as_done(
    shop: Shop,
) -> None:
    company = Telling(shop.pool)
    await shop.stocked("TEA", 2)
    order = an_order(("TEA", 2, "10.00"), shipping=shipping("0"))
    key = f"{await sent_back(shop, order)}:refund"
    async with shop.pool.acquire() as conn:
        back = (
            "update payment_operation set state = 'unknown', settled_at = null "
            "where payment_key = $1"
        )
        await conn.execute(back, key)
    told = company.payment("refund_failed", key=key, why="the account is closed")
    await company.tell(told)

    async def put_off() -> bool:
        async with shop.pool.acquire() as conn:
            return bool(
                await conn.fetchval("select last_error from provider_event where tries > 0")
            )

    await shop.until(put_off, "the event waits")
    assert "refund came back" not in await shop.story(order.order_id)
    async with shop.pool.acquire() as conn:
        done = (
            "update payment_operation set state = 'succeeded', settled_at = now() "
            "where payment_key = $1"
        )
        await conn.execute(done, key)
    await shop.told(order.order_id, "refund came back")
