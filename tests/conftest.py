"""Fixtures for all tests. Whatever needs a server gets a real one; see `servers.py`."""

from __future__ import annotations

import gc
import signal
from collections.abc import AsyncIterator, Iterator
from itertools import chain, zip_longest
from pathlib import Path
from typing import Final

import hypothesis  # noqa: F401  # Python 3.11 cannot compile it deep in the report of a failure
import pytest
import pytest_asyncio
from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter

from runtime.settings import load_settings
from runtime.worker_options import tuning
from store.database import Pool
from tests.support.builders import QUICK
from tests.support.command_line import COPIER, Cli, commands_for
from tests.support.servers import Databases, learn_types_once, running_postgres, running_temporal
from tests.support.shared_database import SharedDatabase
from tests.support.shop import Shop

IN_SANDBOX: Final = (
    *("workflows/test_journey", "workflows/test_saga"),
    *("workflows/test_purchase_order", "workflows/test_reconciliation"),
    "workflows/test_event_delivery",
)
"""Where workflows run in the sandbox, so that what would not replay is noticed: every step of every
workflow, as in the replays of all recorded lives. Everywhere else workers run as in production,
without it and with the pollers and the cache that ship."""


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--tuned", action="store_true", help="workers run as in production everywhere")


def pytest_runtest_setup(item: pytest.Item) -> None:
    place = f"{item.path.parent.name}/{item.path.stem}"
    sandboxed = place in IN_SANDBOX and not item.config.getoption("tuned")
    Shop.worker_options = {} if sandboxed else tuning(load_settings())


def pytest_configure() -> None:
    """A shell's background job ignores Ctrl-C, and would have the programs under test ignore it."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    learn_types_once()


WAITING: Final = (
    *("e2e", "stack", "scenarios/test_lost_servers.py", "scenarios/test_shops_visited.py"),
    *("workflows/test_encryption.py", "workflows/test_stuck.py"),
)
"""Folders and files that mostly wait for programs to start and for times to pass."""

LONGEST_FIRST: Final = ("simulation", "replay", "workflows", "scenarios", "cli", "database")
"""Folders whose files take longest. Begun last, one of them would keep one process busy alone."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the longest files, and let those that wait alternate with those that work."""
    here = Path(__file__).parents[1]
    files: dict[str, list[pytest.Item]] = {}
    for item in items:
        files.setdefault(item.path.relative_to(here).as_posix().removeprefix("tests/"), []).append(
            item
        )
    places = {folder: place for place, folder in enumerate(LONGEST_FIRST)}
    waiting = [name for name in files if name.startswith(WAITING)]
    working = [name for name in files if not name.startswith(WAITING)]
    working.sort(key=lambda name: places.get(name.split("/")[0], len(places)))
    turns = chain.from_iterable(zip_longest(waiting, working))
    items[:] = [item for name in turns if name is not None for item in files[name]]


def pytest_collection_finish() -> None:
    """What is loaded by now stays, and a test ends soon: few searches for garbage are needed."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(100_000, 50, 100)


@pytest.fixture(scope="session", autouse=True)
def copier() -> Iterator[None]:
    """Commands are run in copies of one process, which the first of them starts."""
    yield
    COPIER.end()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def databases() -> AsyncIterator[Databases]:
    """The PostgreSQL server of this test process, ready to hand out databases."""
    async with running_postgres() as server:
        databases = Databases(server)
        await databases.prepare()
        yield databases


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def shared_database(databases: Databases) -> AsyncIterator[SharedDatabase]:
    """The database that this process's tests share, one after the other."""
    shared = SharedDatabase(databases)
    yield shared
    await shared.leave()


@pytest_asyncio.fixture(loop_scope="session")
async def _database(shared_database: SharedDatabase) -> AsyncIterator[tuple[str, Pool]]:
    async with shared_database.lend() as lent:
        yield lent


@pytest.fixture
def database_url(_database: tuple[str, Pool]) -> str:
    """A migrated database, as empty as a new one, and nobody else's until the test ends."""
    return _database[0]


@pytest.fixture
def pool(_database: tuple[str, Pool]) -> Pool:
    """Connections to this test's database, which earlier tests have used."""
    return _database[1]


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def temporal_address() -> AsyncIterator[str]:
    """host:port of the Temporal server of this test process. Its workflows outlive a test."""
    async with running_temporal() as server:
        yield server.address


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def temporal_client(temporal_address: str) -> Client:
    """A client that speaks the project's data format."""
    return await Client.connect(temporal_address, data_converter=pydantic_data_converter)


@pytest_asyncio.fixture(loop_scope="session")
async def shop(pool: Pool, temporal_client: Client) -> AsyncIterator[Shop]:
    """A whole shop with a worker: real servers, sandbox companies, faults on demand."""
    shop = Shop(pool, temporal_client, QUICK)
    async with shop.working():
        yield shop


@pytest.fixture
def cli(shop: Shop, database_url: str, temporal_address: str, tmp_path: Path) -> Cli:
    """Commands for the test's shop, in processes of their own."""
    return commands_for(
        shop, database_url=database_url, temporal_address=temporal_address, home=tmp_path
    )
