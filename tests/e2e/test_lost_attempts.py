"""S32 in small: a worker dies between its effect and its answer, and the order goes on."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from temporalio import activity
from temporalio.client import Client

from activities.fulfilment import fulfilments
from activities.fulfilment.carrier import Label
from domain import ids
from domain.errors import Unreachable
from domain.orders.messages import CancelRequest
from starter.service import updates
from store import waits
from store.database import Connection, Pool
from store.fulfilment import shipments
from tests.support.builders import QUICK, a_policy, an_order
from tests.support.shop import Shop


@pytest.mark.parametrize("word", ["before it says that it waits", "after that"])
async def test_a_worker_that_dies_as_its_step_begins_to_wait_keeps_no_report_from_its_order(
    pool: Pool, temporal_client: Client, monkeypatch: pytest.MonkeyPatch, word: str
) -> None:
    died = asyncio.Event()

    async def die(conn: Connection, activity_id: str, order_id: str, **known: Any) -> None:
        if not died.is_set():
            if word == "after that":
                await begin_again(conn, activity_id, order_id, **known)
            died.set()
            # To the server this is what a dead worker is: an attempt that never answers.
            activity.raise_complete_async()
        await begin_again(conn, activity_id, order_id, **known)

    begin_again = waits.begin_again
    monkeypatch.setattr(waits, "begin_again", die)
    shop = Shop(pool, temporal_client, a_policy(pick_within=600, pack_within=600))
    await shop.stocked("CUP", 2)
    order = an_order(("CUP", 2))
    async with shop.working():
        part = await shop.placed(order)
        await asyncio.wait_for(died.wait(), 10)
        await shop.warehouse.pick(part, {"1": 1}, who="picker")
        if word != "after that":
            async with pool.acquire() as conn:  # half a minute passes
                await conn.execute(
                    "update wait_report set try_after = now() where activity_id = $1",
                    ids.sending_id(part),
                )
        assert (await shop.finish(order.order_id))["outcome"] == "closed"
        await shop.settled()
        assert (await shop.story(order.order_id)).count("short pick") == 1


async def test_a_label_whose_attempt_died_is_bought_all_the_same_and_once(
    pool: Pool, temporal_client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    died: list[str] = []

    async def die_with_the_label(
        self: fulfilments.Fulfilments, part: str, wanted: shipments.Wanted, label: Label
    ) -> str:
        if len(died) < 2:
            died.append(label.tracking_number)
            activity.raise_complete_async()  # to the server, an attempt that never answers
        return await record(self, part, wanted, label)

    record = fulfilments.Fulfilments._record
    monkeypatch.setattr(fulfilments.Fulfilments, "_record", die_with_the_label)
    shop = Shop(pool, temporal_client, a_policy(hand_over_within=600))
    await shop.stocked("CUP", 1)
    order = an_order(("CUP", 1))
    async with shop.working():
        part = await shop.placed(order)
        await shop.drive(part, "labelled")
        assert (await shop.finish(order.order_id))["outcome"] == "closed"
        await shop.settled()
        # The carrier gave the file again, by the key.
        async with pool.acquire() as conn:
            (file,) = await shipments.label_files(conn, part)
    (number,) = set(died)  # the key kept it one label
    assert number.encode() in file.content
    assert len(died) == 2
    detail = await shop.orders.get(order.order_id)
    assert [one.tracking_number for one in detail.fulfilments] == [number]


async def test_a_request_that_no_worker_takes_is_told_so_and_done_when_one_comes(
    pool: Pool, temporal_client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(updates, "ANSWER_SECONDS_MAX", 2.0)
    shop = Shop(pool, temporal_client, QUICK)
    await shop.stocked("CUP", 1)
    order = an_order(("CUP", 1))
    async with shop.working():
        await shop.placed(order)
    request = CancelRequest(reason="changed my mind", request_id="call-1")
    with pytest.raises(Unreachable, match="is a worker running"):
        await updates.answered(shop.aftersales.cancel(order.order_id, request), again="ask again")
    async with shop.working():
        assert (await shop.aftersales.cancel(order.order_id, request)).outcome == "cancelled"
        await shop.settled()
