"""Whoever places an order is told what was decided about that one, whatever happens meanwhile."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from temporalio.client import Client
from temporalio.service import RPCError

from domain.errors import Conflict
from store.database import Pool
from tests.support.builders import QUICK, an_order
from tests.support.shop import Shop

PATIENT = timedelta(seconds=30)


async def test_a_connection_that_breaks_while_a_decision_is_awaited_is_no_answer(
    pool: Pool, temporal_client: Client
) -> None:
    shop = Shop(pool, temporal_client, QUICK)
    await shop.stocked("TEA", 1)
    order = an_order(("TEA", 1))
    placing = asyncio.create_task(shop.orders.place(order, answer_within=PATIENT))

    async def started() -> bool:
        try:
            await shop.workflow(order.order_id).describe()
        except RPCError:
            return False
        return True

    await shop.until(started, "the order is started")
    async with pool.acquire() as conn:
        others = "datname = current_database() and pid <> pg_backend_pid()"
        await conn.execute(f"select pg_terminate_backend(pid) from pg_stat_activity where {others}")
    async with shop.working():
        assert (await placing).outcome == "confirmed"
        await shop.finish(order.order_id)


async def test_of_two_contents_under_one_id_at_once_one_is_taken_and_the_other_is_told(
    shop: Shop,
) -> None:
    await shop.stocked("TEA", 5)
    one = an_order(("TEA", 1))
    other = one.model_copy(update={"note": "leave it at the door"})
    answers = await asyncio.gather(
        *(shop.orders.place(order, answer_within=PATIENT) for order in (one, one, other)),
        return_exceptions=True,
    )
    told = {type(answer) for answer in answers}
    assert Conflict in told
    taken = [answer for answer in answers if not isinstance(answer, BaseException)]
    assert {placement.outcome for placement in taken} == {"confirmed"}
    with pytest.raises(Conflict):
        await shop.orders.place(one if isinstance(answers[0], Conflict) else other)
