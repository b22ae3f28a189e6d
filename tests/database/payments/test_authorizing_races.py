"""What meets an authorization on its way: itself, a hand-over, a recall, its order's end."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from activities.fulfilment.contracts import Sent
from activities.payments.contracts import Void
from domain.errors import IllegalTransition
from domain.orders.order import Order
from store.database import Connection, Pool
from store.payments import cover, payments
from tests.support.bench import Bench, a_part, at_once, authorizing, charging, securing
from tests.support.builders import an_order


@pytest.fixture
async def bench(pool: Pool) -> Bench:
    bench = Bench(pool)
    await bench.stocked("TEA", 100)
    return bench


async def kinds(bench: Bench, order: Order) -> list[str]:
    """What the company has done for the order."""
    return [done.kind for done in await bench.payment.operations(order.order_id)]


async def standing(bench: Bench, order: Order) -> int:
    """The minor units that are authorized, and neither charged nor released."""
    async with bench.pool.acquire() as conn:
        return sum(each.room for each in await payments.authorizations(conn, order.order_id))


async def age(bench: Bench, days: float) -> None:
    """Every authorization is so much older."""
    await bench.pool.execute(
        "update payment_operation set requested_at = requested_at - $1::interval",
        timedelta(days=days),
    )
    await bench.pool.execute(
        "update payment_authorization set expires_at = expires_at - $1::interval",
        timedelta(days=days),
    )


async def test_of_attempts_that_run_at_once_one_authorizes_and_the_order_is_confirmed_once(
    bench: Bench,
) -> None:
    order = an_order(("TEA", 2))
    await bench.reserve(order)
    calls = [bench.authorizations.authorize_payment(authorizing(order)) for _ in range(6)]
    answers, refusals = await at_once(calls)
    assert (len(answers), refusals) == (6, [])
    assert await kinds(bench, order) == ["authorize"]
    told = (
        "select count(*) from order_event where order_no = order_no_of($1) and what = 'confirmed'"
    )
    assert await bench.count(told, order.order_id) == 1
    assert await standing(bench, order) == order.total_minor


async def test_renewals_that_run_at_once_make_one_and_release_the_old_one_once(
    bench: Bench,
) -> None:
    order = an_order(("TEA", 2))
    part = await bench.at(order, "confirmed")
    await age(bench, 6)
    ask = securing(order, part, datetime.now(UTC) + timedelta(days=2))
    await at_once([bench.authorizations.authorize_payment(ask) for _ in range(6)])
    assert sorted(await kinds(bench, order)) == ["authorize", "authorize", "void"]
    assert await standing(bench, order) == order.total_minor


@pytest.mark.parametrize("ended", [True, False], ids=["ended", "ends soon"])
async def test_whatever_is_first_what_was_handed_over_can_be_charged(
    bench: Bench, ended: bool
) -> None:
    order = an_order(("TEA", 2))
    await bench.at(order, "packed")
    part = f"{order.order_id}:1"
    await bench.send(part)
    await age(bench, 8 if ended else 6)
    ask = securing(order, part, datetime.now(UTC) + timedelta(days=2))
    renew = bench.authorizations.authorize_payment(ask)
    _, refusals = await at_once([renew, bench.warehouse.hand_over(part, who="packer")])
    assert all("not paid any more" in str(refusal) for refusal in refusals)
    assert not refusals or ended
    await bench.warehouse.hand_over(part, who="packer")  # a repeat, or the first that may
    await bench.payments.charge_payment(charging(part))
    assert await standing(bench, order) == 0
    assert (await kinds(bench, order)).count("capture") == 1


async def test_a_label_is_bought_by_the_money_that_is_there_when_it_is_wanted(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    order = an_order(("TEA", 2))
    part = await bench.at(order, "packed")
    looks = []

    async def overtaken(conn: Connection, order_id: str, *content: Any, **more: Any) -> Any:
        found = await cover.cover_of(conn, order_id, *content, **more)
        looks.append(found.holds)
        if len(looks) == 1:  # between the look and the intent it is released
            await bench.authorizations.void_payment(Void(order_id=order_id, why="test"))
        return found

    monkeypatch.setattr(bench.fulfilment, "_cover_of", overtaken)
    sent = await bench.send(part)
    assert (sent, looks) == (Sent(outcome="unpaid"), [True, False])
    bought = "select count(*) from shipment where fulfilment_id = $1"
    assert await bench.count(bought, part) == 0


async def test_what_is_renewed_as_its_parcel_is_stopped_is_released_in_the_end(
    bench: Bench,
) -> None:
    order = an_order(("TEA", 2))
    part = await bench.at(order, "confirmed")
    await age(bench, 6)
    ask = securing(order, part, datetime.now(UTC) + timedelta(days=2))
    await asyncio.gather(
        bench.authorizations.authorize_payment(ask), bench.fulfilment.recall(a_part(part))
    )
    await bench.authorizations.void_payment(Void(order_id=order.order_id, why="stopped"))
    assert await standing(bench, order) == 0
    found = await kinds(bench, order)
    assert found.count("authorize") == found.count("void")
    # A late attempt has nothing to authorize for what was stopped.
    await bench.authorizations.authorize_payment(ask)
    assert await kinds(bench, order) == found


async def test_an_authorization_whose_order_ends_meanwhile_is_released_at_once(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    order = an_order(("TEA", 2))
    await bench.reserve(order)
    real = bench.payment.authorize

    async def slow(**content: Any) -> Any:
        made = await real(**content)
        await bench.pool.execute(
            "update customer_order set decision = 'rejected' where order_id = $1", order.order_id
        )
        return made

    monkeypatch.setattr(bench.payment, "authorize", slow)
    with pytest.raises(IllegalTransition, match="is rejected: nothing is authorized"):
        await bench.authorizations.authorize_payment(authorizing(order))
    assert await kinds(bench, order) == ["authorize", "void"]
    assert await standing(bench, order) == 0
