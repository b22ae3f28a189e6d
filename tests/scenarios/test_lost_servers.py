"""A service that stays open while its database is killed, or stands still.

Each test has a PostgreSQL of its own. Its server is killed without a word, or its processes are
stopped as a paused machine stops them: connections stay open, and nothing answers.
"""

from __future__ import annotations

import asyncio
import dataclasses
import inspect
import os
import signal
import time
import types
import typing
from collections.abc import AsyncIterator, Collection, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import MISSING
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from enum import Enum
from pathlib import Path
from typing import Any, Literal

import psutil
import pytest
from pydantic import SecretStr
from temporalio.service import RPCError

from domain.errors import OrderloomError, Unreachable
from domain.money import Money
from domain.orders.messages import CancelRequest
from domain.payments import signatures
from starter.service import purchasing
from starter.service.connection import service
from starter.service.service import Service
from starter.service.webhooks import Webhooks, signature_checks
from starter.stack.postgres import PostgresServer
from store.database import DatabaseFault
from store.migrate import migrate
from tests.support.builders import an_order
from tests.support.command_line import PROGRAM, ROOT
from tests.support.servers import running_postgres

SECRET = "whsec_of_this_test_alone"
STALL_ANSWER_SECONDS_MAX = 20.0


def processes_of(server: PostgresServer) -> list[psutil.Process]:
    assert server.program.pid is not None
    first = psutil.Process(server.program.pid)
    return [first, *first.children(recursive=True)]


def kill(server: PostgresServer) -> None:
    for process in processes_of(server):
        process.kill()


@contextmanager
def standing_still(server: PostgresServer) -> Iterator[None]:
    stopped = processes_of(server)
    for process in stopped:
        process.suspend()
    try:
        yield
    finally:
        for process in stopped:
            process.resume()


@asynccontextmanager
async def opened(
    monkeypatch: pytest.MonkeyPatch, temporal_address: str, tmp_path: Path
) -> AsyncIterator[tuple[PostgresServer, Service]]:
    """A service on a PostgreSQL of its own, which has answered once."""
    async with running_postgres() as server:
        url = await server.create_database("orders")
        await migrate(url)
        monkeypatch.setenv("DATABASE_URL", url)
        monkeypatch.setenv("TEMPORAL_ADDRESS", temporal_address)
        monkeypatch.setenv("ORDERLOOM_HOME", str(tmp_path / "none"))
        async with service() as here:
            assert await here.orders.list() == []
            yield server, here


NO_DATABASE = ("suggested", "is_sent_at_once", "run_of")
"""What a door reckons by itself, or asks Temporal alone."""


def methods(door: Any) -> Iterator[tuple[str, Any]]:
    for name, method in inspect.getmembers(door, callable):
        if not name.startswith("_") and name not in NO_DATABASE:
            yield f"{type(door).__name__}.{name}", method


def arguments_for(method: Any) -> dict[str, Any]:
    """Something of the right type for each parameter that must be given, and little patience."""
    hints = typing.get_type_hints(method)
    brief = {"patience": timedelta(seconds=1)} if "patience" in hints else {}
    return brief | {
        name: something(hints[name])
        for name, parameter in inspect.signature(method).parameters.items()
        if parameter.default is parameter.empty and parameter.kind is not parameter.VAR_KEYWORD
    }


def something(wanted: Any) -> Any:
    origin, parts = typing.get_origin(wanted), typing.get_args(wanted)
    if origin is Literal:
        return parts[0]
    if origin in (typing.Union, types.UnionType):
        return something(parts[0])
    if origin is typing.Annotated:
        return something(parts[0])
    if origin in (Mapping, dict):
        return {something(parts[0]): something(parts[1])}
    if origin in (Collection, Sequence, list, tuple):
        return [something(parts[0])]
    ready = {
        str: "one",
        bool: True,
        float: 0.5,
        int: 1,
        bytes: b"{}",
        Decimal: Decimal(1),
        date: date(2026, 1, 2),
        datetime: datetime.now(UTC) + timedelta(days=1),
        Money: Money(minor=100, currency="EUR"),
    }
    if wanted in ready:
        return ready[wanted]
    if wanted is type(an_order(("TEA", 1))):
        return an_order(("TEA", 1))
    if isinstance(wanted, type) and issubclass(wanted, Enum):
        return next(iter(wanted))
    if isinstance(wanted, type) and dataclasses.is_dataclass(wanted):
        hints = typing.get_type_hints(wanted)
        given = [one.name for one in dataclasses.fields(wanted) if one.default is MISSING]
        return wanted(**{name: something(hints[name]) for name in given})
    if hasattr(wanted, "_fields"):
        hints = typing.get_type_hints(wanted)
        return wanted(*(something(hints[name]) for name in wanted._fields))
    assert hasattr(wanted, "model_fields"), wanted
    return wanted.model_construct(
        **{
            name: something(field.annotation)
            for name, field in wanted.model_fields.items()
            if field.is_required()
        }
    )


async def answer_of(method: Any) -> Exception | None:
    try:
        called = method(**arguments_for(method))
        if inspect.isawaitable(called):
            await called
        elif inspect.isasyncgen(called):
            async for _ in called:
                pass
        else:
            async with called:
                pass
    except (OrderloomError, RPCError, *DatabaseFault) as error:
        return error
    return None


async def test_every_method_says_in_our_own_words_that_the_database_is_gone(
    monkeypatch: pytest.MonkeyPatch, temporal_address: str, tmp_path: Path
) -> None:
    monkeypatch.setattr(purchasing, "PATIENCE_S", 1.0)  # nobody works here
    async with opened(monkeypatch, temporal_address, tmp_path) as (server, here):
        doors = (
            *(here.orders, here.aftersales, here.payments, here.purchasing, here.reconciliation),
            *(here.accounting, here.baskets, here.carriers, here.catalogue, here.credit),
            *(here.locations, here.stock, here.subscriptions, here.transfers, here.warehouse),
        )
        kill(server)
        named = [each for door in doors for each in methods(door)]
        answers = await asyncio.gather(*(answer_of(method) for _, method in named))
        found = dict(zip((name for name, _ in named), answers, strict=True))
        assert len(found) > 60
        raw = {
            name: repr(error)
            for name, error in found.items()
            if not isinstance(error, OrderloomError)
        }
        assert raw == {}
        unreachable = [name for name, error in found.items() if isinstance(error, Unreachable)]
        assert {f"Orders.{name}" for name in ("place", "get", "list", "events")} <= set(unreachable)
        assert len(unreachable) > len(found) * 0.8, set(found) - set(unreachable)


async def test_what_a_stalled_database_is_asked_is_answered_in_time(
    monkeypatch: pytest.MonkeyPatch, temporal_address: str, tmp_path: Path
) -> None:
    async with opened(monkeypatch, temporal_address, tmp_path) as (server, here):
        webhooks = Webhooks(here._pool, signature_checks({"sandbox": [SecretStr(SECRET)]}))
        body = b'{"id": "evt_1", "type": "dispute", "created": 1, "data": {}}'
        now = datetime.now(UTC)

        async def placed() -> None:
            with pytest.raises(Unreachable):
                await here.orders.place(an_order(("TEA", 1)), answer_within=timedelta(seconds=3))

        async def told() -> None:
            signature = signatures.sign(body, SECRET, at=now)
            answer = await webhooks.receive("sandbox", body, signature, now=now)
            assert answer.status == 503

        async def cancelled() -> None:
            with pytest.raises(Unreachable):
                await here.aftersales.cancel("web-none", CancelRequest(reason="no"))

        async def watched() -> None:
            watching = await asyncio.create_subprocess_exec(
                *(*PROGRAM, "watch", "--interval", "0.1"),
                env={**os.environ, "PYTHONPATH": str(ROOT)},
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
            )
            try:
                assert watching.stdout is not None
                assert watching.stderr is not None
                assert b"no orders" in await watching.stdout.readline()
                looking.set()
                assert b"still watching" in await watching.stderr.readline()
            finally:
                watching.send_signal(signal.SIGKILL)
                await watching.communicate()

        looking = asyncio.Event()
        watch = asyncio.create_task(watched())
        await asyncio.wait_for(looking.wait(), 60)
        with standing_still(server):
            began = time.monotonic()
            async with asyncio.timeout(90):
                took = await asyncio.gather(
                    *(timed(one) for one in (placed(), told(), watch)),
                )
            assert max(took) < STALL_ANSWER_SECONDS_MAX, took
            assert time.monotonic() - began < STALL_ANSWER_SECONDS_MAX
        # With the server back, the same service works on. Whether it took the order is for the
        # database to tell: it may have read the question as it came to stand still.
        assert len(await here.orders.list()) <= 1


async def timed(work: Any) -> float:
    began = time.monotonic()
    await work
    return time.monotonic() - began
