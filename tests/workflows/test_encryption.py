"""Orders whose messages are encrypted: what the server holds, and what a missing key does."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from datetime import timedelta
from pathlib import Path

import pytest
from temporalio.client import Client
from temporalio.service import RPCError

from activities.orders.stuck import STEP, StuckOrders, why
from domain import ids
from domain.orders.messages import CancelRequest
from runtime.codec import ENCODING, data_converter
from runtime.key_ring import add_key, load_ring
from runtime.worker_options import sandbox
from store.database import Pool
from tests.support.builders import QUICK, an_order
from tests.support.shop import Shop
from tests.workflows.test_operator_page import the_page
from workflows.chapters.fulfilments import OrderFulfilments

REASON = "Kim Lee of 12 Elm Street has moved"


def keys_of(folder: Path, *names: str) -> Path:
    """A file with these keys; the same name is the same key."""
    file = folder / "-".join(("keys", *names))
    file.write_text("", encoding="utf-8")
    for name in names:
        one = folder / name
        if not one.exists():
            add_key(one, name)
        with file.open("a", encoding="utf-8") as out:
            out.write(f"{one.read_text(encoding='utf-8')}\n")
    file.chmod(0o600)
    assert [key.id for key in load_ring(file).keys] == list(names)
    return file


def with_keys(client: Client, keys: Path | None) -> Client:
    config = client.config()
    config["data_converter"] = data_converter(keys)
    return Client(**config)


def of_same_queue(shop: Shop, keys: Path | None) -> Shop:
    """The same shop, with other keys."""
    return Shop(shop.pool, with_keys(shop.temporal, keys), QUICK, task_queue=shop.task_queue)


async def raw(client: Client, order_id: str) -> bytes:
    """All that the server holds of an order's workflow, payloads as they are."""
    handle = client.get_workflow_handle(ids.workflow_id(order_id))
    described = await handle.describe()
    held: Iterable[bytes] = [
        event.SerializeToString() for event in (await handle.fetch_history()).events
    ]
    return b"".join([*held, described.raw_description.SerializeToString()])


async def test_without_keys_what_people_type_stands_in_the_history_and_with_keys_it_does_not(
    shop: Shop, temporal_client: Client, pool: Pool, tmp_path: Path
) -> None:
    client = with_keys(temporal_client, keys_of(tmp_path, "a"))
    encrypted = Shop(pool, client, QUICK)
    async with encrypted.working(workflow_runner=sandbox()):
        for each in (shop, encrypted):
            await each.stocked("TEA", 3)
            order = an_order(("TEA", 2))
            await each.placed(order)
            await each.aftersales.cancel(order.order_id, CancelRequest(reason=REASON))
            await each.result(order.order_id)
            held = await raw(temporal_client, order.order_id)
            assert (REASON.encode() in held) == (each is shop)
            described = await each.workflow(order.order_id).describe()
            summary = described.raw_description.execution_config.user_metadata.summary
            assert (summary.metadata["encoding"] == ENCODING) == (each is encrypted)
            assert order.channel_order_id in (await described.static_summary() or "")
            assert order.order_id in await the_page(each, order.order_id)
            events = await each.orders.events(order.order_id)
            assert any(event.why == REASON for event in events)


async def parked(shop: Shop) -> str:
    """An order whose cancellation came while no worker ran. Returns its id."""
    order = an_order(("TEA", 2))
    async with shop.working():
        await shop.stocked("TEA", 3)
        await shop.placed(order)
        await shop.idle(order.order_id)
    await shop.workflow(order.order_id).signal("cancel", {"reason": REASON})
    return order.order_id


async def test_a_worker_without_the_key_leaves_an_order_as_it_is_and_says_so_until_it_has_the_key(
    temporal_client: Client, pool: Pool, tmp_path: Path
) -> None:
    shop = Shop(pool, with_keys(temporal_client, keys_of(tmp_path, "a")), QUICK)
    order_id = await parked(shop)
    without = of_same_queue(shop, keys_of(tmp_path, "b"))
    stuck = StuckOrders(pool, without.temporal, shop.task_queue)
    other = an_order(("TEA", 1))
    async with without.working(relay=False):

        async def listed() -> bool:
            await stuck.look()
            return bool(await without.orders.list(attention=True))

        await without.until(listed, "the order is listed")
        (task,) = await without.needs_attention.tasks()
        assert (task.subject, task.name) == (order_id, STEP)
        assert "it is encrypted with the key 'a', which this program does not have" in task.reason
        assert "start the program again. Nothing is lost" in task.reason
        assert "cancelled" not in await without.story(order_id)
        await without.placed(other)  # the worker has survived

    both = of_same_queue(shop, keys_of(tmp_path, "b", "a"))
    async with both.working():
        assert (await both.result(order_id))["outcome"] == "cancelled"
        assert any(event.why == REASON for event in await both.orders.events(order_id))

        async def taken_off() -> bool:
            await stuck.look()
            return not await both.orders.list(attention=True)

        await both.until(taken_off, "the order is on the list no more")
        await both.aftersales.cancel(other.order_id, CancelRequest(reason=REASON))
        await both.settled()


async def test_what_a_failing_workflow_says_is_encrypted_and_those_with_the_key_are_told_it(
    temporal_client: Client, pool: Pool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop = Shop(pool, with_keys(temporal_client, keys_of(tmp_path, "a")), QUICK)
    order = an_order(("TEA", 2))

    async def broken(*_: object) -> None:
        raise KeyError(REASON)

    monkeypatch.setattr(OrderFulfilments, "_lacks", broken)
    async with shop.working():
        await shop.stocked("TEA", 3)
        part = await shop.placed(order)
        await shop.task("pick", part)
        await shop.warehouse.pick(part, {"1": 1}, who="picker")
        execution = await shop.workflow(order.order_id).describe()

        async def told() -> str | None:
            event, reason = await why(shop.temporal, execution)
            return reason if event else None

        assert REASON in await shop.until(told, "its workflow task fails")
        assert REASON.encode() not in await raw(temporal_client, order.order_id)
        _, untold = await why(with_keys(temporal_client, None), execution)
        assert "encrypted with the key 'a'" in untold
    await shop.workflow(order.order_id).terminate()


async def test_a_worker_that_knows_of_no_keys_does_not_take_an_encrypted_cancellation_for_nonsense(
    temporal_client: Client, pool: Pool, tmp_path: Path
) -> None:
    shop = Shop(pool, with_keys(temporal_client, keys_of(tmp_path, "a")), QUICK)
    order_id = await parked(shop)
    async with of_same_queue(shop, None).working(relay=False):

        async def failed() -> str | None:
            failures = [
                event.workflow_task_failed_event_attributes.failure.message
                for event in await shop.history(order_id)
                if event.HasField("workflow_task_failed_event_attributes")
            ]
            return failures[-1] if failures else None

        assert "set ORDERLOOM_CODEC_KEYS to the file that has it" in await shop.until(
            failed, "its workflow task fails"
        )
        assert await shop.story(order_id) == ["received", "stock reserved", "confirmed"]
    await shop.workflow(order_id).terminate()


async def test_a_step_whose_worker_lacks_the_key_is_tried_again_until_one_has_it(
    temporal_client: Client, pool: Pool, tmp_path: Path
) -> None:
    shop = Shop(pool, with_keys(temporal_client, keys_of(tmp_path, "a")), QUICK)
    without = of_same_queue(shop, keys_of(tmp_path, "b"))
    order = an_order(("TEA", 2))
    await shop.stocked("TEA", 3)
    async with shop.working(no_remote_activities=True):
        placing = asyncio.create_task(shop.orders.place(order, answer_within=timedelta(seconds=60)))
        await shop.until(lambda: pending(shop, order.order_id), "a step is scheduled")
    async with without.working(relay=False):

        async def tried() -> bool:
            return any(attempt >= 2 for attempt, _ in await pending(shop, order.order_id))

        await shop.until(tried, "the step is tried again")
        ((_, failure), *_) = await pending(shop, order.order_id)
        assert "encrypted with the key 'a', which this program does not have" in failure
    async with shop.working():
        assert (await placing).outcome == "confirmed"
        await shop.finish(order.order_id)
    await shop.settled()


async def pending(shop: Shop, order_id: str) -> list[tuple[int, str]]:
    """The attempts of steps that are under way, and how the last one of each failed."""
    try:
        described = await shop.workflow(order_id).describe()
    except RPCError:  # it has not begun
        return []
    return [
        (each.attempt, each.last_failure.cause.message)
        for each in described.raw_description.pending_activities
    ]
