"""Record the histories that `test_replay` replays: `python -m tests.replay.record`.

Run it when the workflow gains a way of life, and add the new file. Histories that are there stay:
they stand for orders that are open when a new version is deployed.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from temporalio.client import Client, WorkflowHistory
from temporalio.contrib.pydantic import pydantic_data_converter

from starter.stack.temporal import TemporalServer
from store.database import open_pool
from tests.replay import lives, money_lives, purchase_lives
from tests.support.builders import QUICK
from tests.support.runs import runs_of
from tests.support.servers import Databases, running_postgres, running_temporal
from tests.support.shop import Shop

HISTORIES = Path(__file__).parent / "histories"
PURCHASES = HISTORIES / "purchases"

LIVES = (*lives.LIVES, *money_lives.LIVES)
"""Of orders."""


async def record(again: bool) -> None:
    """Live every life that has no history yet (or all), and keep what its workflow went through."""
    PURCHASES.mkdir(parents=True, exist_ok=True)
    async with running_postgres() as server, running_temporal() as temporal:
        databases = Databases(server)
        await databases.prepare()
        for life in LIVES:
            if again or not (HISTORIES / f"{life.__name__}.json").exists():
                async with _working_shop(temporal, databases) as shop:
                    order_id = await life(shop)
                    await shop.result(order_id)
                    keep(life.__name__, await runs_of(shop, order_id))
        for purchase in purchase_lives.LIVES:
            file = PURCHASES / f"{purchase.__name__}.json"
            if again or not file.exists():
                async with _working_shop(temporal, databases) as shop:
                    workflow = purchase_lives.workflow(shop, await purchase(shop))
                    await workflow.result()
                    write(file, await workflow.fetch_history())


@asynccontextmanager
async def _working_shop(temporal: TemporalServer, databases: Databases) -> AsyncIterator[Shop]:
    """A shop of its own for one life, at work."""
    # A namespace keeps closed ids, and the lives' ids are always the same.
    client = await Client.connect(
        temporal.address, data_converter=pydantic_data_converter, identity="recorder"
    )
    async with databases.fresh() as url:
        pool = await open_pool(url)
        shop = Shop(pool, client, QUICK)
        async with shop.working():
            yield shop
        pool.terminate()


def keep(life: str, runs: list[WorkflowHistory]) -> None:
    """Write a file per run: `life.json`, `life-2.json` and so on."""
    for number, history in enumerate(runs, start=1):
        file = HISTORIES / (f"{life}.json" if number == 1 else f"{life}-{number}.json")
        write(file, history)


def write(file: Path, history: WorkflowHistory) -> None:
    """Keep a history, without what names a machine."""
    text = json.dumps(scrubbed(json.loads(history.to_json())), indent=1, ensure_ascii=False)
    file.write_text(text + "\n", encoding="utf-8")
    print(f"{file.name}: {len(history.events)} events")


def scrubbed(value: Any) -> Any:
    """Without what names a machine: who did it, on which sticky queue, and paths of files."""
    if isinstance(value, list):
        return [scrubbed(item) for item in value]
    if isinstance(value, dict):
        return {
            key: "recorder" if key == "identity" else scrubbed(item)
            for key, item in value.items()
            if key not in ("stickyAttributes", "binaryChecksum", "stackTrace")
        }
    return value


if __name__ == "__main__":
    asyncio.run(record(again="--again" in sys.argv))
