"""Disputes and what payment companies told, by the command line."""

from __future__ import annotations

from datetime import UTC, datetime

from domain.payments.disputes import DisputeState
from store.orders import events
from tests.support.builders import an_order
from tests.support.command_line import Cli
from tests.support.provider_desk import Telling
from tests.support.shop import Shop


async def test_disputes_and_events_that_wait_are_listed(cli: Cli, shop: Shop) -> None:
    none, nothing, all_done = await cli.many(
        ("disputes",), ("provider-events",), ("provider-events", "--failed")
    )
    assert (none.out, nothing.out) == ("no disputes\n", "nothing was told\n")
    assert all_done.out == "everything was worked through\n"
    company = Telling(shop.pool)
    await shop.stocked("TEA", 9)
    order = an_order(("TEA", 2))
    await shop.placed(order)
    due = int(company.began.timestamp()) + 86_400
    await company.tell(
        company.dispute("auth_1", DisputeState.NEEDS_RESPONSE, respond_by=due, fee_minor=15_00),
        company.dispute("auth_9", DisputeState.LOST, id="dp_2"),
        company.dispute("auth_1", DisputeState.LOST, id="dp_3", currency="XYZ"),
    )

    async def worked_through() -> bool:
        async with shop.pool.acquire() as conn:
            seen = "select count(*) from provider_event where processed_at is not null or tries > 0"
            return bool(await conn.fetchval(seen) == 3)

    await shop.until(worked_through, "the relay works through what was told")
    table, listed, of_order, unknown, failed, failed_json = await cli.many(
        ("disputes",),
        ("disputes", "--open", "--json"),
        ("disputes", order.order_id, "--json"),
        ("disputes", "web-none"),
        ("provider-events", "--failed"),
        ("provider-events", "--failed", "--json"),
    )
    for text in ("sandbox dp_1", order.order_id, "10.00 USD", "15.00 USD", "needs response"):
        assert text in table.out
    assert "(not known)" in table.out
    (dispute,) = listed.json["disputes"]
    assert listed.json == of_order.json
    assert datetime.fromisoformat(dispute.pop("respond_by")) == datetime.fromtimestamp(due, UTC)
    assert {key: dispute[key] for key in ("dispute_id", "order_id", "amount", "fee", "state")} == {
        "dispute_id": "dp_1",
        "order_id": order.order_id,
        "amount": "10.00",
        "fee": "15.00",
        "state": "needs_response",
    }
    assert (unknown.code, "there is no order web-none" in unknown.err) == (1, True)
    assert "unknown currency 'XYZ'" in failed.out
    (event,) = failed_json.json["provider_events"]
    assert (event["event_id"], event["processed_at"]) == ("evt_3", None)
    assert "body" not in event


async def test_a_refund_that_came_back_is_resolved_by_whoever_paid_it_another_way(
    cli: Cli, shop: Shop
) -> None:
    await shop.stocked("TEA", 9)
    order = an_order(("TEA", 2))
    await shop.placed(order)
    step = f"refund_failed {order.order_id}:R1:refund"
    async with shop.pool.acquire() as conn:
        await events.raise_attention(conn, order.order_id, step, "the refund came back", ["done"])
    resolve = ("resolve", order.order_id)
    refused, done, again = await cli.many(
        (*resolve, "retry", "--note", "once more"),
        (*resolve, "done", "--note", "by bank transfer", "--by", "kim"),
        (*resolve, "done", "--note", "by bank transfer", "--step", step),
    )
    assert (refused.code, "takes no retry: it takes done" in refused.err) == (1, True)
    assert (done.code, done.out) == (0, f"{order.order_id}: {step}: done\n")
    assert (again.code, "needs no attention" in again.err) == (1, True)
    assert f"attention resolved: {step}" in await shop.story(order.order_id)


async def test_a_dispute_in_another_currency_is_listed_and_whoever_has_booked_it_says_so(
    cli: Cli, shop: Shop
) -> None:
    company = Telling(shop.pool)
    await shop.stocked("TEA", 9)
    order = an_order(("TEA", 2), currency="JPY")
    await shop.placed(order)
    await company.tell(company.dispute("auth_1", DisputeState.NEEDS_RESPONSE, amount_minor=67_00))
    step = "book_dispute sandbox:dp_1"
    assert step in await shop.attention(order.order_id)
    open_, refused, done, tasks = await cli.many(
        ("disputes", "--open"),
        ("resolve", order.order_id, "retry", "--step", step, "--note", "once more"),
        ("resolve", order.order_id, "done", "--step", step, "--note", "booked"),
        ("show", order.order_id, "--json"),
    )
    assert "67.00 USD" in open_.out
    assert (refused.code, "takes no retry: it takes done" in refused.err) == (1, True)
    assert (done.code, done.out) == (0, f"{order.order_id}: {step}: done\n")
    assert tasks.json["attention"] == []
