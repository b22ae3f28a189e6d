"""Events go out by a workflow for each subscription, whatever dies on the way."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from temporalio.client import Client, WorkflowExecutionStatus
from temporalio.service import RPCError

from domain import ids
from domain.notifications.subscriptions import MadeSubscription, NewSubscription
from domain.orders.return_messages import ReturnRequest
from starter.service.service import Service
from store.database import Pool
from tests.support.builders import a_policy, an_order
from tests.support.receiver import EveryTenth, Got, Receiver, Reply, missing_in, receiving
from tests.support.shop import Shop

POLICY = a_policy(give_up_after=10, return_window=1)


async def subscribe(shop: Service, receiver: Receiver) -> MadeSubscription:
    return await shop.subscriptions.make(NewSubscription(url=receiver.url), by="test")


async def has_all(shop: Shop, receiver: Receiver) -> None:
    """Wait until the receiver has every event there is: each once, an order's in sequence."""

    async def find() -> bool:
        return await missing_in(receiver, shop.pool) == []

    await shop.until(find, f"the receiver has all events; it has {len(receiver.taken)}")


async def ended(shop: Shop, made: MadeSubscription) -> None:
    """Wait until the subscription's workflow has ended."""
    name = ids.event_delivery_id(made.subscription.subscription_id)

    async def find() -> bool:
        try:
            description = await shop.temporal.get_workflow_handle(name).describe()
        except RPCError:
            return False
        return description.status == WorkflowExecutionStatus.COMPLETED

    await shop.until(find, f"{name} has ended")


async def test_a_day_of_orders_reaches_a_subscriber_who_fails_every_tenth_time(
    shop: Shop,
) -> None:
    await shop.stocked("TEA", 40)
    async with receiving(EveryTenth()) as receiver:
        made = await subscribe(shop, receiver)
        orders = [an_order(("TEA", 2)) for _ in range(8)]
        for order in orders:
            await shop.placed(order, POLICY)
        returned = an_order(("TEA", 2))
        part = await shop.placed(returned, a_policy(give_up_after=10, return_window=60))
        async with shop.staffed():
            await shop.heard(returned.order_id, "delivered", 2)
            await shop.aftersales.request_return(returned.order_id, ReturnRequest(reason="too big"))
            await shop.settled()
        await has_all(shop, receiver)
        ids_taken = [got.headers["webhook-id"] for got in receiver.taken]
        assert len(set(ids_taken)) == len(ids_taken)
        assert len(receiver.all) > len(receiver.taken)
        mine = [got.event for got in receiver.taken if got.event["subject"] == returned.order_id]
        told = [event["type"].removeprefix("orderloom.").removesuffix(".v1") for event in mine]
        assert told.count("payment.charged") == 1  # before or after the carrier has delivered
        assert [each for each in told if each != "payment.charged"] == [
            *("order.received", "order.confirmed", "fulfilment.picked", "fulfilment.packed"),
            *("fulfilment.labelled", "fulfilment.shipped", "fulfilment.delivered"),
            *("return.approved", "return.received", "refund.issued", "order.closed"),
        ]
        shipped = mine[told.index("fulfilment.shipped")]["data"]
        assert (shipped["fulfilment_id"], shipped["units"]) == (part, {"1": 2})
        refund = mine[told.index("refund.issued")]["data"]
        assert refund["amount"] == refund["order"]["refunded"]
        await ended(shop, made)


async def test_a_worker_that_stops_in_the_middle_loses_and_reorders_nothing(
    pool: Pool, temporal_client: Client
) -> None:
    shop = Shop(pool, temporal_client, POLICY)
    await shop.stocked("TEA", 40)
    seen = asyncio.Event()
    slow = True

    def slowly(number: int, _got: Got) -> Reply:
        if number == 5:
            seen.set()
        return Reply(how="hang") if slow and number >= 5 else Reply()

    async with receiving(slowly) as receiver:
        async with shop.working():
            await subscribe(shop, receiver)
            for _ in range(4):
                await shop.placed(an_order(("TEA", 1)), POLICY)
            await seen.wait()
        slow = False
        async with shop.working(), shop.staffed():
            await shop.settled()
            await has_all(shop, receiver)


async def test_nothing_is_lost_when_the_database_ends_all_sessions(shop: Shop) -> None:
    await shop.stocked("TEA", 40)
    started, go_on = asyncio.Event(), False

    def hangs_first(number: int, _got: Got) -> Reply:
        started.set()
        return Reply() if go_on or number < 4 else Reply(how="hang")

    async with receiving(hangs_first) as receiver:
        await subscribe(shop, receiver)
        for _ in range(4):
            await shop.placed(an_order(("TEA", 1)), POLICY)
        await started.wait()
        # All sessions of the workers end at once, as when the server is restarted.
        async with shop.pool.acquire() as conn:
            await conn.execute(
                """select pg_terminate_backend(pid) from pg_stat_activity
                   where datname = current_database() and pid <> pg_backend_pid()"""
            )
        go_on = True
        receiver.close()
        await shop.pool.expire_connections()  # The test has lost its own sessions as well.
        async with shop.staffed():
            await shop.settled()
        await has_all(shop, receiver)


async def test_one_that_hangs_keeps_no_other_one_waiting(shop: Shop) -> None:
    await shop.stocked("TEA", 9)
    async with (
        receiving(lambda _n, _g: Reply(how="hang")) as hanging,
        receiving() as receiver,
    ):
        stuck = await subscribe(shop, hanging)
        await subscribe(shop, receiver)
        order = an_order(("TEA", 1))
        await shop.placed(order, POLICY)
        await shop.finish(order.order_id)
        await has_all(shop, receiver)
        named = stuck.subscription.subscription_id
        await shop.until(lambda: shop.subscriptions.retried(named), "it is tried again later")
        name = ids.event_delivery_id(named)
        running = await shop.temporal.get_workflow_handle(name).describe()
        assert running.status == WorkflowExecutionStatus.RUNNING, "it waits for the next attempt"
        await shop.temporal.get_workflow_handle(name).terminate("the test ends")


async def test_an_event_is_sent_again_after_seconds(shop: Shop) -> None:
    async with receiving(lambda number, _g: Reply(500) if number == 1 else Reply()) as receiver:
        made = await subscribe(shop, receiver)
        await shop.subscriptions.test(made.subscription.subscription_id)
        order = an_order(("TEA", 1))
        await shop.orders.place(order, answer_within=timedelta(seconds=10))
        await has_all(shop, receiver)
        await ended(shop, made)
