"""What open pages cost the server: streams that wait, and an order that changes each second."""

from __future__ import annotations

import argparse
import asyncio
import multiprocessing
import socket
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from multiprocessing.queues import SimpleQueue
from typing import Final, cast
from urllib.parse import urlencode

from rich.console import Console

from benchmarks import meters
from benchmarks.aged import a_desk
from benchmarks.goods import an_order
from benchmarks.venue import temporary_folder
from domain.orders.policy import Policy
from domain.staff.people import StaffRequest
from starter.http.app import application
from starter.http.cursors import Cursors
from starter.http.front import Limits
from starter.http.health import Health
from starter.http.metrics import Metrics
from starter.listening.server import serve
from starter.service.service import Records, Service
from starter.service.staff import Browser
from starter.stack.postgres import embedded_postgres
from starter.web.screens.cookies import SESSION
from store.database import Pool
from store.orders import events, intake

_OF_A_SESSION: Final = 20
_WARM_UP_S: Final = 5.0
_AT_ONCE: Final = 2_000
_PASSWORD: Final = "seven blue lamps under a bridge"


def add_options(parser: argparse.ArgumentParser) -> None:
    """What the command takes."""
    parser.add_argument("--pages", type=int, default=500, help="open, each in a browser of its own")
    parser.add_argument("--seconds", type=float, default=60.0, help="measured")


async def measure(console: Console, args: argparse.Namespace) -> None:
    """Open so many pages, and print the share of a core that the servers take meanwhile."""
    with temporary_folder() as home:
        async with embedded_postgres(home) as server, a_desk(server, "bench_pages") as desk:
            orders = await _orders(desk.pool, args.pages)
            tokens = await _sessions(desk.pool, -(-args.pages // _OF_A_SESSION))
            paths = [f"/app/live?{urlencode({'order': one, 'mark': ''})}" for one in orders]
            asked = [(path, tokens[n // _OF_A_SESSION]) for n, path in enumerate(paths)]
            groups = {"postgres": [pid] if (pid := server.program.pid) else []}
            async with _listening(desk.pool) as port, _browsers(port, asked) as heard:
                await asyncio.sleep(_WARM_UP_S)
                before = await meters.read(groups, None)
                changes = await _change(desk.pool, orders, args.seconds)
                after = await meters.read(groups, None)
                told = heard.get()
    for name in ("generator", "postgres"):
        share = 100 * (after.cpu_s[name] - before.cpu_s[name]) / args.seconds
        who = "orderloom serve" if name == "generator" else name
        console.print(f"{who}: {share:.1f} % of a core")
    console.print(
        f"{args.pages} open pages, {changes} changes in {args.seconds:.0f} s, {told} streams open"
    )


async def _orders(pool: Pool, count: int) -> list[str]:
    found = [an_order("page", number) for number in range(count)]
    async with pool.acquire() as conn:
        for order in found:
            await intake.take_in(conn, [intake.Received(order, Policy())])
    return [order.order_id for order in found]


async def _sessions(pool: Pool, count: int) -> list[str]:
    staff = Records(pool).staff
    wanted = StaffRequest.model_validate({"login": "bench", "name": "Bench", "roles": ("agent",)})
    word = (await staff.make(wanted, who="benchmark")).password.get_secret_value()
    first = await staff.sign_in("bench", word, Browser())
    person = await staff.person(first)
    assert person is not None  # has just signed in
    await staff.change_password(person, word, _PASSWORD)
    return [await staff.sign_in("bench", _PASSWORD, Browser()) for _ in range(count)]


async def _change(pool: Pool, orders: Sequence[str], seconds: float) -> int:
    """Something happens to one order after the other, one a second. Returns how often."""
    done, until = 0, asyncio.get_running_loop().time() + seconds
    while asyncio.get_running_loop().time() < until:
        async with pool.acquire() as conn:
            order_id = orders[done % len(orders)]
            await events.tell(conn, order_id, f"bench:{done}", "put back", who="bench")
        done += 1
        await asyncio.sleep(1)
    return done


@asynccontextmanager
async def _listening(pool: Pool) -> AsyncIterator[int]:
    """The application on a port of this machine. Its CPU is this process's."""
    stop = asyncio.Event()
    app = application(
        *(cast("Service", Records(pool)), Health({}, {}), Cursors(b"of a benchmark" * 4)),
        limits=Limits(),
        metrics=Metrics(),
        stop=stop,
    )
    with socket.create_server(("127.0.0.1", 0), backlog=_AT_ONCE) as bound:
        serving = asyncio.create_task(serve(app, bound, stop, at_once=_AT_ONCE))
        yield bound.getsockname()[1]
        stop.set()
        await serving


@asynccontextmanager
async def _browsers(port: int, asked: Sequence[tuple[str, str]]) -> AsyncIterator[SimpleQueue[int]]:
    """A process with so many streams, so that they are not counted. It tells how many are open."""
    spawned = multiprocessing.get_context("spawn")
    heard = spawned.SimpleQueue()
    process = spawned.Process(target=_browse, args=(port, list(asked), heard), daemon=True)
    process.start()
    try:
        yield heard
    finally:
        process.terminate()
        process.join()


def _browse(port: int, asked: Sequence[tuple[str, str]], heard: SimpleQueue[int]) -> None:
    asyncio.run(_streams(port, asked, heard))


async def _streams(port: int, asked: Sequence[tuple[str, str]], heard: SimpleQueue[int]) -> None:
    opened = []
    for path, token in asked:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        head = f"GET {path} HTTP/1.1\r\nHost: bench\r\nCookie: {SESSION}={token}\r\n\r\n"
        writer.write(head.encode())
        status = await reader.readline()
        assert b" 200 " in status, status
        opened.append((reader, writer))
    heard.put(len(opened))
    await asyncio.gather(*(_listen(reader) for reader, _ in opened))


async def _listen(reader: asyncio.StreamReader) -> None:
    while await reader.read(65_536):
        pass
