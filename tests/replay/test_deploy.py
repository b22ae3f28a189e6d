"""A deploy while orders are open: the next worker has other code, and all of them finish (S33)."""

from __future__ import annotations

import asyncio

import pytest
from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.worker import Replayer

from runtime.worker_options import sandbox
from store.database import Pool
from tests.architecture.source import sources
from tests.replay.changed import TellsTheWarehouse
from tests.support.shop import Shop
from tests.workflows.lives import BRISK, PLAIN_STORY, three_teas, told
from workflows.order import OrderWorkflow
from workflows.registry import WORKFLOWS


def test_s33_the_only_patch_is_the_one_that_shows_how_a_deploy_changes_a_step() -> None:
    assert [each.path for each in sources("workflows/") if "patched(" in each.text] == []


async def test_s33_new_orders_take_a_changed_step_and_open_ones_finish_as_they_began(
    pool: Pool, temporal_client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop = Shop(pool, temporal_client, BRISK)
    old, new = await three_teas(shop), await three_teas(shop)
    async with shop.working():
        parcel = await shop.placed(old)
        await shop.drive(parcel, "labelled")
    changed = [TellsTheWarehouse if one is OrderWorkflow else one for one in WORKFLOWS]
    monkeypatch.setattr("worker.WORKFLOWS", changed)
    # Nobody else is told of the line that only this change writes.
    monkeypatch.setattr("tests.support.books.is_known", lambda word: True)
    async with shop.working():
        await shop.placed(new)
        await asyncio.gather(shop.finish(old.order_id), shop.finish(new.order_id))
        await shop.settled()
    assert await told(shop, old.order_id) == PLAIN_STORY
    assert await told(shop, new.order_id) == sorted([*PLAIN_STORY, "warehouse told"])
    replayer = Replayer(
        workflows=[TellsTheWarehouse],
        data_converter=pydantic_data_converter,
        workflow_runner=sandbox(),
    )
    for order in (old, new):
        await replayer.replay_workflow(await shop.workflow(order.order_id).fetch_history())
