"""`make fuzz-api`: schemathesis against the API over a whole shop, all checks.

    python -m tests.http.fuzz --examples 200 [--operation placeOrder]

Everything that it does there, real servers do. It ends with 1 where an answer is not what the
OpenAPI document says, or a fault of ours.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
from pathlib import Path

from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter

from runtime.settings import load_settings
from runtime.worker_options import tuning
from starter.http import callers
from starter.listening.server import bound, serve
from store.database import open_pool
from tests.support.api import Api
from tests.support.builders import QUICK, an_order
from tests.support.servers import Databases, running_postgres, running_temporal, temporary_folder
from tests.support.shop import Shop

CONFIG = Path(__file__).with_name("schemathesis.toml")
# Python 3.11 reads its own source for a report with what is left of its stack.
DEEP = (
    "import sys; sys.setrecursionlimit(100_000); import schemathesis as st; "
    "st.serializer('application/jsonl')(lambda _, text: str(text).encode('utf-8', 'replace')); "
    "from schemathesis.cli import schemathesis; schemathesis()"
)


async def fuzz(examples: int, operations: list[str]) -> int:
    """Returns the exit code of schemathesis."""
    Shop.worker_options = tuning(load_settings())
    async with running_postgres() as server, running_temporal() as temporal:
        databases = Databases(server)
        await databases.prepare()
        client = await Client.connect(temporal.address, data_converter=pydantic_data_converter)
        async with databases.fresh() as url:
            pool = await open_pool(url)
            shop = Shop(pool, client, QUICK)
            async with shop.working():
                with temporary_folder() as notes:
                    code = await _against(shop, examples, operations, notes)
            pool.terminate()
    return code


async def _against(shop: Shop, examples: int, operations: list[str], notes: Path) -> int:
    await shop.stocked("TEA-ASSAM-250", 100_000)
    # It tries wrong keys all the time, and wants to hear of each that it is wrong.
    callers.WRONG_KEYS_A_MINUTE = 1_000_000  # type: ignore[misc]  # a constant of the program
    api = Api(shop)
    caller = await api.caller()
    await caller.placed(an_order(("TEA-ASSAM-250", 1, "10.00"), channel_order_id="1001"))
    listening, stop = bound("127.0.0.1:0"), asyncio.Event()
    port = listening.getsockname()[1]
    serving = asyncio.create_task(serve(api.app, listening, stop, at_once=100))
    chosen = [part for name in operations for part in ("--include-operation-id", name)]
    program = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", DEEP, "--config-file", str(CONFIG)),
        *("run", f"http://127.0.0.1:{port}/openapi.json"),
        *("-H", f"Authorization: {caller.headers['Authorization']}"),
        *("--checks", "all", "--max-examples", str(examples), "--workers", "2"),
        *("--request-timeout", "40", "--no-color", *chosen),
        cwd=notes,
    )
    code = await program.wait()
    stop.set()
    await serving
    return code


def main() -> None:
    """Parse the options, and fuzz."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--examples", type=int, default=200)
    parser.add_argument("--operation", action="append", default=[])
    options = parser.parse_args()
    sys.exit(asyncio.run(fuzz(options.examples, options.operation)))


if __name__ == "__main__":
    main()
