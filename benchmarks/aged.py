"""The same questions to a database without orders, and to one with millions of closed ones."""

from __future__ import annotations

import argparse
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from random import Random
from typing import Final

from rich.console import Console
from rich.table import Table

from activities.orders.order_records import CloseOrder, OrderRecords
from activities.payments.authorizations import Authorizations
from activities.payments.contracts import Authorize, Charge
from activities.payments.payments import Payments
from activities.providers.sandbox.payment import SandboxPayment
from activities.stock.inventory import Inventory
from benchmarks.aged_rows import get_stuck, multiply, size_of
from benchmarks.figures import median, percentile
from benchmarks.goods import SKUS, UNITS, an_order
from benchmarks.venue import temporary_folder
from domain import ids
from domain.orders.order import Order
from domain.orders.policy import Policy
from domain.stock.reservations import ReserveStock
from starter.service.service import Records
from starter.stack.postgres import PostgresServer, embedded_postgres
from store.database import Pool, open_pool
from store.fulfilment import shipments
from store.migrate import migrate
from store.orders import intake
from store.stock import locations, stock
from store.views import lists, reads, warehouse_tasks

ORDERS: Final = 2_000_000
AIM: Final = 1.3
_MOULDS: Final = 20
AGED: Final = "bench_aged"
"""The database with many orders."""

_CLOSED: Final = "mould"
_OPEN: Final = "sketch"
_OPEN_SHARE: Final = 80
"""Of so many orders one is still open."""
_STAGES: Final = ("placed", "authorized", "picked", "shipped", "delivered", "closed")
_WHO: Final = "benchmark"


class Desk:
    """What is asked of a database, one call for each."""

    def __init__(self, pool: Pool) -> None:
        self.pool = pool
        provider = {"sandbox": SandboxPayment(pool, random=Random(1))}
        self._inventory = Inventory(pool)
        self._authorizations = Authorizations(pool, provider)
        self._payments = Payments(pool, provider)
        self._records = OrderRecords(pool)
        self._doors = Records(pool)

    async def stock(self) -> None:
        """More of everything than can be ordered."""
        moves = [stock.Move(sku=sku, location="main", on_hand=UNITS) for sku in SKUS]
        async with self.pool.acquire() as conn, conn.transaction():
            await locations.add(conn, ["main"])
            await stock.ensure_rows(conn, [(sku, "main") for sku in SKUS])
            await stock.move(conn, "fill", "received", moves, who=_WHO, why="stock")

    async def place(self, order: Order) -> None:
        """On record, with its stock reserved."""
        async with self.pool.acquire() as conn:
            await intake.take_in(conn, [intake.Received(order, Policy())])
        await self._inventory.reserve_stock(ReserveStock(order_id=order.order_id))

    async def authorize(self, order: Order) -> None:
        """Paid for: its warehouse may begin."""
        await self._authorizations.authorize_payment(Authorize(order_id=order.order_id))

    async def pick(self, order: Order) -> None:
        await self._doors.warehouse.pick(ids.fulfilment_id(order.order_id, 1), who=_WHO)

    async def live(self, order: Order, until: str = "closed") -> None:
        """From placing to one of the stages, closed at last."""
        steps = (self.place, self.authorize, self.pick, self._send, self._deliver, self._close)
        for step in steps[: _STAGES.index(until) + 1]:
            await step(order)

    async def begin(self, order: Order, number: int) -> None:
        """Begin an order and leave it late at one of its stages. Some then need a person."""
        await self.live(order, _STAGES[number % (len(_STAGES) - 1)])
        await get_stuck(self.pool, order.order_id, number)

    async def _send(self, order: Order) -> None:
        """Pack it, hand it over, and charge it."""
        part = ids.fulfilment_id(order.order_id, 1)
        await self._doors.warehouse.pack(part, who=_WHO)
        async with self.pool.acquire() as conn:
            await shipments.want_label(
                conn,
                part,
                label_key=f"{part}:label",
                carriers={"": "sandbox"},
                holds=True,
                seen=None,
            )
            await shipments.label_bought(
                conn,
                part,
                label_key=f"{part}:label",
                carrier="sandbox",
                tracking_number=_tracking_number(order),
            )
        await self._doors.warehouse.hand_over(part, who=_WHO)
        await self._payments.charge_payment(Charge(order_id=order.order_id, part_id=part))

    async def _deliver(self, order: Order) -> None:
        for status in ("in_transit", "delivered"):
            await self._doors.carriers.event(
                carrier="sandbox",
                tracking_number=_tracking_number(order),
                event_id=status,
                status=status,
                happened_at=datetime.now(UTC),
            )

    async def _close(self, order: Order) -> None:
        await self._records.close_order(
            CloseOrder(order_id=order.order_id, decision="closed", reason="")
        )

    async def newest(self, _: Order) -> None:
        async with self.pool.acquire() as conn:
            await lists.summaries(conn, at_most=50)

    async def by_state(self, _: Order) -> None:
        async with self.pool.acquire() as conn:
            await lists.summaries(conn, state="in_fulfilment", at_most=50)

    async def of_customer(self, order: Order) -> None:
        async with self.pool.acquire() as conn:
            await lists.summaries(conn, customer_id=order.customer.id, at_most=50)

    async def show(self, order: Order) -> None:
        async with self.pool.acquire() as conn:
            await reads.detail(conn, order.order_id)
            await reads.news(conn, order.order_id)

    async def tasks(self, _: Order) -> None:
        async with self.pool.acquire() as conn:
            await warehouse_tasks.find(conn, at_most=50)


def _tracking_number(order: Order) -> str:
    return f"T-{order.channel_order_id}"


Question = Callable[[Desk], Callable[[Order], Awaitable[None]]]
QUESTIONS: Final[dict[str, Question]] = {
    "place": lambda desk: desk.place,
    "authorize": lambda desk: desk.authorize,
    "pick": lambda desk: desk.pick,
    "list, newest": lambda desk: desk.newest,
    "list, in fulfilment": lambda desk: desk.by_state,
    "search, one customer": lambda desk: desk.of_customer,
    "show, with its story": lambda desk: desk.show,
    "the warehouse's tasks": lambda desk: desk.tasks,
}
"""Each is asked about the same orders, the first three in this sequence."""


def add_options(parser: argparse.ArgumentParser) -> None:
    """What the command takes."""
    parser.add_argument("--orders", type=int, default=ORDERS, help="made-up closed orders")
    parser.add_argument("--asked", type=int, default=200, help="orders that are asked about")
    parser.add_argument(
        "--thin",
        type=int,
        default=1,
        help="only each so-manieth has the rows of scans, books and documents, which cost space",
    )


async def compare(console: Console, args: argparse.Namespace) -> None:
    """Fill one of two databases, ask both the same in pairs, and print how long each took.

    `args.thin`: only each so-manieth made-up order gets the rows that nothing here looks at.
    """
    orders, asked, thin = args.orders, args.asked, args.thin
    with temporary_folder() as home:
        async with (
            embedded_postgres(home) as server,
            a_desk(server, "bench_empty") as empty,
            an_aged_desk(server, orders, console, thin=thin) as aged,
        ):
            took = await _ask(empty, aged, asked)
    _print(console, took)
    slower = [name for name, (one, two) in took.items() if median(two) > AIM * median(one)]
    console.print(f"more than {AIM} × as long: {', '.join(slower) or 'nothing'}")


@asynccontextmanager
async def an_aged_desk(
    server: PostgresServer, orders: int, console: Console, *, thin: int = 1
) -> AsyncIterator[Desk]:
    """One with so many closed orders, and some open ones. `thin`: see `multiply`."""
    async with a_desk(server, AGED) as aged:
        began = time.monotonic()
        for number in range(_MOULDS):
            await aged.live(an_order(_CLOSED, number))
        closed = await multiply(aged.pool, _CLOSED, orders, thin=thin)
        for number in range(_MOULDS):
            await aged.begin(an_order(_OPEN, number), number)
        opened = await multiply(aged.pool, _OPEN, orders // _OPEN_SHARE)
        size = await size_of(aged.pool)
        seconds = time.monotonic() - began
        console.print(
            f"{closed:,} closed orders and {opened:,} open ones, {size / 2**30:.1f} GB, "
            f"in {seconds:.0f} s"
        )
        yield aged


@asynccontextmanager
async def a_desk(server: PostgresServer, name: str) -> AsyncIterator[Desk]:
    """One in a database of its own, with stock and no order."""
    url = await server.create_database(name)
    await migrate(url, sandbox=True)
    pool = await open_pool(url)
    try:
        desk = Desk(pool)
        await desk.stock()
        yield desk
    finally:
        pool.terminate()


async def _ask(empty: Desk, aged: Desk, asked: int) -> dict[str, tuple[list[float], list[float]]]:
    """Question → the milliseconds in each, of which the first tenth does not count."""
    took: dict[str, tuple[list[float], list[float]]] = {}
    for name, question in QUESTIONS.items():
        took[name] = ([], [])
        for number in range(asked):
            order = an_order("asked", number)
            turns = list(zip(took[name], (empty, aged), strict=True))
            for milliseconds, desk in turns if number % 2 else reversed(turns):
                began = time.perf_counter()
                await question(desk)(order)
                milliseconds.append(1000 * (time.perf_counter() - began))
        took[name] = (took[name][0][asked // 10 :], took[name][1][asked // 10 :])
    return took


def _print(console: Console, took: dict[str, tuple[list[float], list[float]]]) -> None:
    table = Table("", "empty, p50 ms", "aged, p50 ms", "ratio", "p90 ms, empty", "aged")
    for name, (one, two) in took.items():
        table.add_row(
            name,
            f"{median(one):.2f}",
            f"{median(two):.2f}",
            f"{median(two) / median(one):.2f}",
            f"{percentile(one, 0.9):.2f}",
            f"{percentile(two, 0.9):.2f}",
        )
    console.print(table)
