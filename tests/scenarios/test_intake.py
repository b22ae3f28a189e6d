"""Intake first: an order is safe before its workflow starts, and it is started once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter

from domain.errors import Conflict, Unreachable
from domain.orders.messages import CancelRequest
from domain.orders.starts import OrderStart
from runtime.order_starts import start_order
from starter.stack.temporal import TemporalServer
from store.database import Pool
from tests.support.bench import Bench
from tests.support.builders import a_policy, an_order, shipping
from tests.support.servers import FAST_TEMPORAL, temporary_folder
from tests.support.shop import Shop

A_MINUTE_S = 60.0


@pytest_asyncio.fixture(loop_scope="session")
async def own_temporal() -> AsyncIterator[TemporalServer]:
    """A Temporal of this test's own, which it may stop."""
    with temporary_folder() as folder:
        server = TemporalServer(folder, options=FAST_TEMPORAL)
        await server.start()
        try:
            yield server
        finally:
            await server.stop()


async def test_orders_placed_while_temporal_is_stopped_are_started_when_it_is_back(
    pool: Pool, own_temporal: TemporalServer
) -> None:
    client = await Client.connect(own_temporal.address, data_converter=pydantic_data_converter)
    shop = Shop(pool, client, a_policy(give_up_after=60))
    await shop.stocked("TEA", 15)
    orders = [an_order(("TEA", 1)) for _ in range(20)]
    async with shop.working():
        await own_temporal.stop()
        placing = asyncio.gather(*(shop.orders.place(order, bulk=True) for order in orders))
        answers = await asyncio.wait_for(placing, A_MINUTE_S)
        assert {answer.outcome for answer in answers} == {"in_progress"}
        assert answers[0].reason.startswith("accepted, and will be started; Temporal d")

        # A repeat and a conflict are answered all the same.
        again = await asyncio.wait_for(shop.orders.place(orders[3]), A_MINUTE_S)
        assert again.outcome == "in_progress"
        with pytest.raises(Conflict, match="with other content"):
            await shop.orders.place(orders[3].model_copy(update={"note": "another"}))
        waiting = await shop.orders.get(orders[3].order_id)
        assert (waiting.summary.state, waiting.waits_to_start) == ("received", True)

        await own_temporal.start()
        await shop.all_decided(15)
        await shop.all_decided(5, "rejected")
        assert (await shop.orders.place(orders[3])).outcome in ("confirmed", "rejected")
        assert not (await shop.orders.get(orders[3].order_id)).waits_to_start
        report = await shop.audit()
        assert report.clean, "\n".join(report.lines())


async def test_an_order_whose_door_died_before_the_start_is_started_by_the_relay(
    shop: Shop,
) -> None:
    await shop.stocked("TEA", 5)
    order = an_order(("TEA", 2))
    await Bench(shop.pool).take_in(order, a_policy(give_up_after=60))
    with pytest.raises(Unreachable, match="a worker starts one within seconds"):
        await shop.aftersales.cancel(order.order_id, CancelRequest(reason="no"))
    # Long before anybody would think that a workflow is missing.
    await shop.all_decided(1)
    await shop.finish(order.order_id)
    await shop.settled()


async def test_a_start_that_comes_twice_or_whose_answer_was_lost_is_one_start(shop: Shop) -> None:
    await shop.stocked("TEA", 5)
    order, policy = an_order(("TEA", 2)), a_policy(give_up_after=60)
    await Bench(shop.pool).take_in(order, policy)
    start = OrderStart.of(order, policy)
    ends = [await start_order(shop.temporal, shop.task_queue, start) for _ in range(3)]
    assert ends == [True] * 3
    await shop.all_decided(1)
    assert (await shop.orders.place(order)).outcome == "confirmed"
    await shop.finish(order.order_id)
    assert not await start_order(shop.temporal, shop.task_queue, start), "it has ended"
    assert (await shop.story(order.order_id)).count("stock reserved") == 1
    await shop.settled()


async def test_nothing_personal_enters_temporal(shop: Shop) -> None:
    await shop.stocked("TEA", 5)
    secrets = ("Zenobia", "Quarterdeck 17", "Zwolle", "8011 ZZ", "zen@example.org", "5550199")
    name, street, city, code, mail, phone = secrets
    order = an_order(
        ("TEA", 2),
        customer={"id": "C-7", "name": name, "email": mail, "phone": f"+1202{phone}"},
        shipping=shipping(
            "5.00",
            address={
                "name": name,
                "line1": street,
                "city": city,
                "postal_code": code,
                "country": "NL",
            },
        ),
        note=f"for {name}",
    )
    await shop.placed(order, a_policy(return_window=0.1))
    await shop.finish(order.order_id)
    handle = shop.workflow(order.order_id)
    history = [event async for event in handle.fetch_history_events()]
    told = b"".join(event.SerializeToString() for event in history)
    assert order.order_id.encode() in told
    assert [secret for secret in secrets if secret.encode() in told] == []
    label = await shop.pool.fetchrow("select country, postal_code from sandbox.label")
    assert label is not None
    assert tuple(label) == ("NL", code), "the label has it from the order's row"


async def test_a_message_that_comes_before_the_orders_terms_are_known_waits_for_them(
    shop: Shop,
) -> None:
    await shop.stocked("TEA", 5)
    order, policy = an_order(("TEA", 3)), a_policy(give_up_after=60)
    await Bench(shop.pool).take_in(order, policy)
    shop.faults.before("reserve_stock", times=3)
    await start_order(shop.temporal, shop.task_queue, OrderStart.of(order, policy))
    known = CancelRequest.model_validate(
        {"reason": "less", "lines": [{"line_id": "1", "quantity": 1}]}
    )
    some = await shop.aftersales.cancel(order.order_id, known)
    assert (some.outcome, [each.quantity for each in some.cancelled]) == ("cancelled", [1])
    await shop.finish(order.order_id)
    await shop.settled()
