"""What the HTTP door costs: placing beside a client's placing, reads, pages, search, webhooks."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from functools import partial
from typing import Final
from urllib.parse import quote, urlsplit

from rich.console import Console
from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter

from benchmarks import meters
from benchmarks.figures import median, percentile, ratio
from benchmarks.goods import SKUS, UNITS, a_document, an_order
from benchmarks.venue import temporary_folder
from benchmarks.wire import Wire
from domain.access.api_keys import PER_MINUTE_MAX, KeyRequest
from domain.access.keys import SCOPES
from domain.payments import signatures
from runtime.discovery import StackInfo
from starter.http.cursors import Cursors
from starter.service.service import Service
from starter.stack.supervisor import embedded_stack
from store.client_pool import open_client_pool
from store.database import Pool

READS_A_SECOND: Final = 200
SECRET: Final = "the benchmark's own secret"
_AT_ONCE: Final = 8
_PAGE: Final = 50
_OLD: Final = """
    with made as (
        insert into customer_order (order_id, channel, seller, channel_order_id, digest, policy,
                                    document, currency, total_minor, placed_at, received_at,
                                    decided_at, decision, state)
        select 'web-old-' || n, 'web', 'main', 'old-' || n, 'd', '{}', '{}', 'USD', 100,
               now() - interval '400 days' + n * interval '30 seconds',
               now() - interval '400 days' + n * interval '30 seconds', now(), 'closed', 'closed'
        from generate_series(1, $1::bigint) as n
        returning order_no, channel_order_id
    ), people as (
        insert into order_person (order_no, customer_id, person)
        select order_no, 'C-' || channel_order_id, '{}' from made
    )
    insert into order_line (order_no, line_id, position, sku, ordered, shipped, delivered,
                            goods_minor, tax_minor, shipping_minor, shipping_tax_minor)
    select order_no, '1', 1, 'SKU-001', 1, 1, 1, 100, 0, 0, 0 from made
"""
"""Orders that were closed long ago, with what a list shows of them."""


class Reach:
    """One stack with its door, asked in several ways."""

    def __init__(
        self, here: Service, pool: Pool, info: StackInfo, token: str, console: Console
    ) -> None:
        self._here = here
        self._pool = pool
        self._info = info
        self._say = console.print
        assert info.http_url is not None
        url = urlsplit(info.http_url)
        self._host, self._port = url.hostname or "", url.port or 0
        self._headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        servers = [pid for name, pid in info.pids.items() if name != "serve"]
        self._groups = {"servers and worker": servers, "serve": [info.pids["serve"]]}

    def wire(self) -> Wire:
        return Wire(self._host, self._port, self._headers)

    async def _cost(self, work: Callable[[], Awaitable[None]], orders: int) -> dict[str, float]:
        """CPU in ms an order, by whom."""
        before = await meters.read(self._groups, None)
        await work()
        await self._settled()
        after = await meters.read(self._groups, None)
        return {
            name: 1000 * (after.cpu_s[name] - before.cpu_s[name]) / orders for name in after.cpu_s
        }

    async def _settled(self) -> None:
        """Until all that was placed is decided."""
        while await self._pool.fetchval(
            "select count(*) from order_in_state where state = 'received'"
        ):
            await asyncio.sleep(0.2)

    async def placing(self, orders: int, rounds: int) -> None:
        """By the client, by HTTP, in turn: what an order costs all but who sends it over HTTP."""
        ratios = []
        for number in range(rounds):
            client = await self._cost(partial(self._by_client, number, orders), orders)
            http = await self._cost(partial(self._by_http, number, orders), orders)
            one = client["servers and worker"] + client["generator"]
            other = http["servers and worker"] + http["serve"]
            ratios.append(ratio(other, one))
            self._say(
                f"placing, CPU an order: by the client {one:.1f} ms, {client['generator']:.1f} of "
                f"it its own; by HTTP {other:.1f} ms, {http['serve']:.1f} of it serve: "
                f"{ratios[-1]:.2f}"
            )
        self._say(f"placing by HTTP ÷ by the client: {median(ratios):.2f} (aim 1.3 at most)")

    async def _by_client(self, round_: int, orders: int) -> None:
        numbers = iter(range(orders))

        async def work() -> None:
            for number in numbers:
                await self._here.orders.place(an_order(f"c{round_}", number))

        await asyncio.gather(*(work() for _ in range(_AT_ONCE)))

    async def _by_http(self, round_: int, orders: int) -> None:
        numbers = iter(range(orders))

        async def work() -> None:
            wire = self.wire()
            for number in numbers:
                body = json.dumps(a_document(f"h{round_}", number)).encode()
                key = {"Idempotency-Key": f"h{round_}-{number}"}
                told = await wire.ask("POST", "/v1/orders", body, key)
                assert told.status in (201, 202), told
            await wire.close()

        await asyncio.gather(*(work() for _ in range(_AT_ONCE)))

    async def _open_loop(self, paths: Sequence[str], rate: float) -> list[float]:
        """Each path once, at a rate, whether or not those before are answered. Seconds of each."""
        free: asyncio.Queue[Wire] = asyncio.Queue()
        for _ in range(4 * _AT_ONCE):
            free.put_nowait(self.wire())
        clock = asyncio.get_running_loop().time
        began = clock()
        took = []

        async def one(number: int, path: str) -> None:
            due = began + number / rate
            await asyncio.sleep(max(0.0, due - clock()))
            wire = await free.get()
            told = await wire.ask("GET", path)
            assert told.status == 200, told
            took.append(clock() - due)  # what waited for a connection has waited
            free.put_nowait(wire)

        await asyncio.gather(*(one(number, path) for number, path in enumerate(paths)))
        return took

    async def reading(self, seconds: float) -> None:
        """Single orders at 200 a second."""
        ids = [
            row[0]
            for row in await self._pool.fetch(
                "select order_id from customer_order where decision = 'confirmed' limit 500"
            )
        ]
        count = int(seconds * READS_A_SECOND)
        paths = [f"/v1/orders/{ids[number % len(ids)]}" for number in range(count)]
        await self._open_loop(paths[:READS_A_SECOND], READS_A_SECOND)
        took = await self._open_loop(paths, READS_A_SECOND)
        self._say(
            f"reading an order, {READS_A_SECOND}/s: p50 {1000 * percentile(took, 0.5):.1f} ms, "
            f"p99 {1000 * percentile(took, 0.99):.1f} ms (aim 20)"
        )

    async def listing(self, old: int) -> None:
        """Pages at both ends of a list, and the search beside them."""
        total = await self._pool.fetchval("select count(*) from customer_order")
        cursors = Cursors(await self._here.access.signing_secret("cursors"))
        asked = {"list": "/v1/orders"}
        row = await self._pool.fetchrow(
            "select order_id, received_at from customer_order "
            "order by received_at offset $1 limit 1",
            2 * _PAGE,
        )
        assert row is not None
        last = cursors.after([row["received_at"].isoformat(), row["order_id"]], asked)
        ends = {"first": f"/v1/orders?limit={_PAGE}"}
        ends["last"] = f"{ends['first']}&cursor={quote(last)}"
        middles = {}
        for name, path in ends.items():
            await self._open_loop([path] * 20, 20)
            middles[name] = median(await self._open_loop([path] * 100, 20))
        self._say(
            f"pages of {_PAGE} of {total:,} orders: first {1000 * middles['first']:.1f} ms, last "
            f"{1000 * middles['last']:.1f} ms: {ratio(middles['last'], middles['first']):.2f}"
        )
        for what, text in (
            ("an order's id", f"web-old-{old // 2}"),
            ("a channel's number", f"old-{old // 3}"),
            ("a customer's id", f"C-old-{old // 4}"),
            ("nothing", "nobody-has-this"),
        ):
            path = f"/v1/search?q={quote(text)}"
            await self._open_loop([path] * 20, 20)
            took = await self._open_loop([path] * 100, 20)
            self._say(f"search by {what}: p99 {1000 * percentile(took, 0.99):.1f} ms (aim 20)")

    async def webhooks(self, seconds: float) -> None:
        """As many as are stored, while orders go on."""
        stop = time.monotonic() + seconds
        stored = 0

        async def tell(who: int) -> None:
            nonlocal stored
            wire = self.wire()
            number = 0
            while time.monotonic() < stop:
                number += 1
                body, signature = _event(f"evt_{who}_{number}")
                path = "/v1/webhooks/payments/sandbox"
                told = await wire.ask("POST", path, body, {"Stripe-Signature": signature})
                assert told.status == 200, told
                stored += 1
            await wire.close()

        orders = asyncio.create_task(self._by_http(99, 100))
        await asyncio.gather(*(tell(who) for who in range(2 * _AT_ONCE)))
        await orders
        kept = await self._pool.fetchval("select count(*) from provider_event")
        self._say(
            f"webhooks while orders go on: {stored / seconds:.0f} stored a second (aim 1,000), "
            f"{kept:,} kept"
        )


async def run(console: Console, args: argparse.Namespace) -> None:
    """All of it, on a stack of its own."""
    os.environ["ORDERLOOM_WEBHOOK_SECRETS"] = json.dumps({"sandbox": [SECRET]})
    with temporary_folder() as home:
        async with (
            embedded_stack(home, report=console.print, http=True) as stack,
            connected(stack.info) as (here, pool),
        ):
            await fill_shelves(here)
            made = await here.access.make(
                KeyRequest(name="benchmark", scopes=SCOPES, per_minute=PER_MINUTE_MAX), who="bench"
            )
            token = made.secret_text.get_secret_value()
            reach = Reach(here, pool, stack.info, token, console)
            await reach.placing(args.orders, args.rounds)
            await reach.reading(args.seconds)
            await reach.webhooks(args.seconds)
            for line in (await here.audit()).lines()[-1:]:
                console.print(line)
            # These rows have no books, so the audit came before. What follows only reads.
            console.print(f"{args.old:,} closed orders are written")
            await pool.execute(_OLD, args.old, timeout=3600)
            await pool.execute("analyze", timeout=600)
            await reach.listing(args.old)


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options of this command."""
    parser.add_argument("--orders", type=int, default=300, help="placed each way, in each round")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=20, help="of reads, and of webhooks")
    parser.add_argument("--old", type=int, default=1_000_000, help="closed orders to list")


@asynccontextmanager
async def connected(info: StackInfo) -> AsyncIterator[tuple[Service, Pool]]:
    """All doors of a stack, and its database."""
    temporal = await Client.connect(info.temporal_address, data_converter=pydantic_data_converter)
    pool = await open_client_pool(info.database_url, size_max=10)
    try:
        yield Service(pool, temporal), pool
    finally:
        pool.terminate()


async def fill_shelves(here: Service) -> None:
    """More of everything than can be ordered."""
    for sku in SKUS:
        await here.stock.receive(
            *(f"fill-{sku}", sku, "main", UNITS), new_location=True, who="bench", why="benchmark"
        )


def _event(event_id: str) -> tuple[bytes, str]:
    """An event that is of no use to anybody, and its signature."""
    now = datetime.now(UTC)
    content = {"id": event_id, "type": "balance.available", "created": int(now.timestamp())}
    body = json.dumps({**content, "data": {}}).encode()
    return body, signatures.sign(body, SECRET, at=now)
