"""The worker as a program: waiting for its servers, stopping gracefully, telling what it does."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from http.client import HTTPConnection
from pathlib import Path
from typing import Any, Final

import pytest
from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter

from activities.relay import Relay
from runtime.servers import WAIT_FOR_SERVERS_S
from runtime.settings import Settings
from starter.service.service import Service
from starter.stack.postgres import PostgresServer
from starter.stack.temporal import TemporalServer
from store.database import Pool, open_pool
from store.migrate import migrate
from store.sandbox import companies
from store.views import reads
from tests.e2e.stack import ROOT
from tests.support import watching
from tests.support.builders import QUICK, a_policy, an_order
from tests.support.other_version import make_tables_of_yesterday
from tests.support.servers import FAST_POSTGRES, FAST_TEMPORAL, Databases, temporary_folder
from tests.support.shop import Shop
from worker import serve

PATIENCE_S: Final = 60.0
STOP_S_MAX: Final = 30.0


class Worker:
    """`python worker.py` in a process of its own."""

    def __init__(self, log: Path, environment: dict[str, str]) -> None:
        self._log = log
        with log.open("wb") as file:
            self.process = subprocess.Popen(
                [sys.executable, str(ROOT / "worker.py")],
                cwd=log.parent,
                env={"PATH": os.environ["PATH"], "HOME": str(log.parent), **environment},
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=subprocess.STDOUT,
            )

    def text(self) -> str:
        return self._log.read_text(encoding="utf-8")

    def lines(self) -> list[dict[str, Any]]:
        """Everything that it has written: one JSON document per line."""
        *whole, _ = self.text().split("\n")
        return [json.loads(line) for line in whole]

    async def says(self, text: str) -> dict[str, Any]:
        """The first line with this text, once it is there."""

        async def find() -> dict[str, Any] | None:
            assert self.process.poll() is None, f"it ended:\n{self.text()}"
            return next((line for line in self.lines() if text in line["event"]), None)

        line: dict[str, Any] = await until(find, f"the worker says {text!r}")
        return line

    async def stop(self) -> int:
        """SIGTERM, and the exit code."""
        self.process.send_signal(signal.SIGTERM)
        return await asyncio.to_thread(self.process.wait, STOP_S_MAX)


@contextmanager
def running_worker(**environment: str) -> Iterator[Worker]:
    with temporary_folder() as folder:
        worker = Worker(folder / "worker.log", environment)
        try:
            yield worker
        finally:
            worker.process.kill()
            worker.process.wait()


async def until(find: Callable[[], Awaitable[Any]], what: str) -> Any:
    deadline = asyncio.get_running_loop().time() + PATIENCE_S
    while not (found := await find()):
        assert asyncio.get_running_loop().time() < deadline, f"this never happened: {what}"
        await asyncio.sleep(0.05)
    return found


def free_address() -> str:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"127.0.0.1:{probe.getsockname()[1]}"


@pytest.fixture
def shop(pool: Pool, temporal_client: Client) -> Shop:
    """A shop without a worker of its own."""
    return Shop(pool, temporal_client, QUICK)


@pytest.fixture
def environment(shop: Shop, database_url: str, temporal_address: str) -> dict[str, str]:
    """What a worker of this shop needs to know."""
    return {
        "TEMPORAL_ADDRESS": temporal_address,
        "DATABASE_URL": database_url,
        "ORDERLOOM_TASK_QUEUE": shop.task_queue,
    }


async def test_started_before_its_servers_it_says_what_it_waits_for_and_begins_when_they_come() -> (
    None
):
    metrics = free_address()
    with temporary_folder() as folder:
        temporal = TemporalServer(folder / "temporal", options=FAST_TEMPORAL)
        postgres = PostgresServer(folder / "postgres", settings=FAST_POSTGRES)
        try:
            await temporal.start()
            await temporal.stop()
            await postgres.start()
            database_url = await postgres.create_database()
            await migrate(database_url, sandbox=True)
            await postgres.stop()
            with running_worker(
                TEMPORAL_ADDRESS=temporal.address,
                DATABASE_URL=database_url,
                ORDERLOOM_METRICS_ADDRESS=metrics,
            ) as worker:
                waiting = await worker.says("Temporal does not answer yet")
                assert waiting["level"] == "warning"
                await asyncio.sleep(WAIT_FOR_SERVERS_S * 1.5)  # and tries again
                await temporal.start()
                await worker.says("PostgreSQL does not answer yet")
                await postgres.start()
                await worker.says("ready, task queue orderloom")
                await can_place_an_order(temporal.address, database_url)
                scraped = await asyncio.to_thread(read_metrics, metrics)
                assert watching.metrics_named("temporal_") <= watching.told(scraped)
                # What the client library says of a server that went away is a line like any other.
                await temporal.stop()
                await until(lambda: said_by(worker, "temporalio-sdk_core"), "a word about the loss")
                assert await worker.stop() == 0
        finally:
            await temporal.stop()
            await postgres.stop()


async def test_a_database_of_another_version_ends_it_with_2_and_a_sentence(
    temporal_address: str, databases: Databases
) -> None:
    async with databases.fresh(empty=True) as url:
        environment = {"TEMPORAL_ADDRESS": temporal_address, "DATABASE_URL": url}
        with running_worker(**environment) as unprepared:
            assert await asyncio.to_thread(unprepared.process.wait, PATIENCE_S) == 2
            assert "run `orderloom setup`" in unprepared.text()
        await make_tables_of_yesterday(url)
        with running_worker(**environment) as refused:
            assert await asyncio.to_thread(refused.process.wait, PATIENCE_S) == 2
            says = "worker: the database: was made by another version of Orderloom"
            assert says in refused.text()
            assert "Traceback" not in refused.text()


async def said_by(worker: Worker, logger: str) -> bool:
    return any(line["logger"].startswith(logger) for line in worker.lines())


async def can_place_an_order(address: str, database_url: str) -> None:
    client = await Client.connect(address, data_converter=pydantic_data_converter)
    pool = await open_pool(database_url)
    try:
        shop = Shop(pool, client, QUICK)
        await shop.stocked("CUP", 1)
        placement = await Service(pool, client, policy=QUICK).orders.place(an_order(("CUP", 1)))
        assert placement.outcome == "confirmed"
    finally:
        pool.terminate()


def read_metrics(address: str) -> str:
    connection = HTTPConnection(address, timeout=10)
    try:
        connection.request("GET", "/metrics")
        return connection.getresponse().read().decode()
    finally:
        connection.close()


async def test_told_to_stop_while_it_waits_for_a_server_it_ends_with_0() -> None:
    nobody = free_address()
    with running_worker(TEMPORAL_ADDRESS=nobody, DATABASE_URL="postgresql:///none") as worker:
        await worker.says("Temporal does not answer yet")
        assert await worker.stop() == 0


async def test_told_to_stop_in_the_middle_of_a_payment_it_ends_that_first_and_the_next_goes_on(
    shop: Shop, environment: dict[str, str]
) -> None:
    await shop.stocked("CUP", 3)
    order = an_order(("CUP", 2), token="tok_slow")
    with running_worker(**environment) as first:
        await first.says("ready")
        placing = asyncio.create_task(
            shop.orders.place(
                order,
                policy=a_policy(give_up_after=PATIENCE_S),
                answer_within=timedelta(seconds=PATIENCE_S),
            )
        )
        # The bank has done it, and takes some seconds to say so.
        await until(lambda: authorizations(shop.pool, order.order_id), "an authorization")
        assert await payment_state(shop.pool, order.order_id) == "requested"
        assert await first.stop() == 0
        assert await payment_state(shop.pool, order.order_id) == "succeeded"
    with running_worker(**environment):
        assert (await placing).outcome == "confirmed"
        assert (await shop.finish(order.order_id))["outcome"] == "closed"
    await shop.settled()
    assert len(await authorizations(shop.pool, order.order_id)) == 1


async def authorizations(pool: Pool, order_id: str) -> list[Any]:
    async with pool.acquire() as conn:
        return await conn.fetch("select from sandbox.payment where order_id = $1", order_id)


async def payment_state(pool: Pool, order_id: str) -> str:
    async with pool.acquire() as conn:
        [payment, *_] = (await reads.detail(conn, order_id)).payments
    return payment.state


async def test_every_line_of_its_log_is_json_and_a_failed_step_names_its_order(
    shop: Shop, environment: dict[str, str]
) -> None:
    await shop.stocked("CUP", 1)
    async with shop.pool.acquire() as conn:
        await companies.set_fault(
            conn, "payment", "authorize", companies.FaultKind.UNAVAILABLE, rate=1, remaining=1
        )
    order = an_order(("CUP", 1))
    with running_worker(**environment) as worker:
        await shop.placed(order)
        failed = await worker.says("Completing activity as failed")
        assert failed["order_id"] == order.order_id
        assert failed["step"] == "authorize_payment"
        assert await worker.stop() == 0
        assert [line["event"] for line in worker.lines()][-1] == "stopped"


async def test_a_worker_whose_relay_has_failed_does_not_go_on_without_it(
    environment: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(_: Relay) -> None:
        raise RuntimeError("a fault of ours")

    monkeypatch.setattr(Relay, "run", fail)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(RuntimeError, match="a fault of ours"):
        await asyncio.wait_for(serve(Settings(), asyncio.Event()), PATIENCE_S)


async def test_metrics_that_cannot_be_served_end_it_with_2_and_a_sentence(
    environment: dict[str, str],
) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        with running_worker(**environment, ORDERLOOM_METRICS_ADDRESS=address) as worker:
            assert await asyncio.to_thread(worker.process.wait, PATIENCE_S) == 2
            assert worker.text().startswith("worker: ORDERLOOM_METRICS_ADDRESS: ")
            assert "Traceback" not in worker.text()
