"""A backup of PostgreSQL alone brings all orders back, with a Temporal that knows none of them."""

from __future__ import annotations

import asyncio
import sys
from collections import Counter
from datetime import timedelta
from pathlib import Path

from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter

from domain.orders.return_messages import ReturnRequest
from starter.stack.postgres import programs_folder
from store.database import Pool, open_pool
from store.schema_version import check
from tests.support.builders import a_policy, an_order
from tests.support.servers import Databases, running_temporal
from tests.support.shop import Shop, Stage

POLICY = a_policy(give_up_after=10, return_window=5)
STAGES: tuple[Stage, ...] = ("confirmed", "picked", "labelled", "shipped", "delivered")


async def run(program: str, *arguments: str) -> None:
    """A program of PostgreSQL's own, as an operator runs it."""
    running = await asyncio.create_subprocess_exec(
        str(programs_folder() / program),
        *arguments,
        stdin=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
    )
    _, errors = await running.communicate()
    sys.stderr.write(errors.decode())
    assert running.returncode == 0
    assert errors == b""


async def live_a_morning(shop: Shop) -> dict[str, str]:
    """Orders at each stage, one of them with a return on its way. Returns each with its parcel."""
    await shop.stocked("TEA", 20)
    parcels: dict[str, str] = {}
    async with shop.working():
        for stage in STAGES:
            order = an_order(("TEA", 2))
            parcels[order.order_id] = await shop.placed(order, POLICY)
            await shop.drive(parcels[order.order_id], stage)
        await shop.phase(order.order_id, "return window")
        await shop.aftersales.request_return(order.order_id, ReturnRequest(reason="too late"))
    return parcels


async def test_orders_of_a_backup_go_on_in_another_database_and_another_temporal(
    pool: Pool,
    database_url: str,
    databases: Databases,
    temporal_client: Client,
    tmp_path: Path,
) -> None:
    parcels = await live_a_morning(Shop(pool, temporal_client, POLICY))
    backup = tmp_path / "orderloom.dump"
    await run("pg_dump", "--format=custom", f"--file={backup}", f"--dbname={database_url}")
    async with databases.fresh(empty=True) as url, running_temporal() as server:
        await run("pg_restore", "--exit-on-error", f"--dbname={url}", str(backup))
        restored = await open_pool(url)
        try:
            async with restored.acquire() as conn:
                await check(conn)
            client = await Client.connect(server.address, data_converter=pydantic_data_converter)
            shop = Shop(restored, client, POLICY)
            resumed = [done async for done in shop.orders.resume_lost(settle=timedelta(0))]
            assert Counter(done.outcome for done in resumed) == {"resumed": len(STAGES)}
            async with shop.working():
                ended = await asyncio.gather(*(shop.finish(order_id) for order_id in parcels))
                assert Counter(each["outcome"] for each in ended) == {"closed": len(STAGES)}
                await shop.settled()
            story = Counter(
                [
                    line
                    for order_id in parcels
                    for line in await shop.story(order_id)
                    if line in ("picked", "label bought", "shipped", "charged", "refunded")
                ]
            )
        finally:
            restored.terminate()
    each_once = dict.fromkeys(("picked", "label bought", "shipped", "charged"), len(STAGES))
    assert story == {**each_once, "refunded": 1}
