"""Many orders want the same stock at once: four ways to claim it, in turn."""

from __future__ import annotations

import argparse
import asyncio
import itertools
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from random import Random
from typing import Final

from pydantic import BaseModel, ConfigDict

from benchmarks.claims import ALL, LOCATION, Claims
from benchmarks.figures import percentile
from benchmarks.goods import an_order
from benchmarks.loops import Arrivals, closed_loop, open_loop
from benchmarks.venue import temporary_folder
from domain.orders.order import Order
from starter.stack.postgres import PostgresServer, embedded_postgres
from store.database import Pool, open_pool
from store.migrate import migrate
from store.stock import locations, stock
from store.views import audit

SKUS: Final = 1000
DEMAND: Final[dict[str, Callable[[int], float]]] = {
    "one hot SKU": lambda rank: float(rank == 1),
    "uniform": lambda _: 1.0,
    "Zipf(1.0)": lambda rank: rank**-1.0,
    "Zipf(2.0)": lambda rank: rank**-2.0,
}
"""How often the SKU of a rank, from 1, is wanted, of `SKUS`. What is compared stands together."""

HOT, UNIFORM, *_ = DEMAND

SCARCE: Final = "SCARCE"

_TEMPLATE: Final = "bench_stock"
_PLENTY: Final = 10_000_000
_UNDER_WAY_MAX: Final = 100_000
_SCARCE: Final = 20


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options of this command."""
    parser.add_argument("--quick", action="store_true", help="whether it runs: seconds")
    parser.add_argument("--rounds", type=int)
    parser.add_argument("--in-flight", type=int, help="orders under way in a closed loop")
    parser.add_argument("--seconds", type=float, help="of each of the three loops")
    parser.add_argument("--json", action="store_true", help="all figures as one document")
    parser.add_argument("--markdown", action="store_true", help="the table for a page")


class Plan(BaseModel):
    """What is to be measured. Rates in orders a second."""

    model_config = ConfigDict(frozen=True)

    demands: tuple[str, ...] = tuple(DEMAND)
    rounds: int = 5
    seconds: float = 1.5
    in_flight: int = 64
    connections: int = 10
    low_rate: float = 20
    """At which hardly anybody has to wait for anybody."""
    rush: float = 2
    """How many times the first way's closed loop on the same demand arrive in a rush."""


FULL: Final = Plan()
QUICK: Final = Plan(demands=(HOT,), rounds=1, seconds=0.2, in_flight=8)


class Load(BaseModel):
    """An open loop. Latencies in milliseconds, from the moment at which an order was due."""

    model_config = ConfigDict(frozen=True)

    orders_per_s: float
    p50_ms: float
    p99_ms: float


class Run(BaseModel):
    """One way under one demand, once. Latencies in milliseconds."""

    model_config = ConfigDict(frozen=True)

    way: str
    demand: str
    orders_per_s: float
    p50_ms: float
    p99_ms: float
    postgres_cpu_ms: float
    client_cpu_ms: float
    low: Load
    rush: Load
    oversold: int
    """Stock rows that are not what their movements and reservations say, or hold less than nothing;
    and units by which more or less than all was sold where there was too little."""


async def compete(plan: Plan, say: Callable[[str], object]) -> list[Run]:
    """Every way under every demand, in turn, round after round; each with a database of its own."""
    runs: list[Run] = []
    with temporary_folder() as home:
        async with embedded_postgres(home) as server:
            url = await server.create_database(_TEMPLATE)
            await migrate(url, sandbox=True)
            await _stock(url)
            for number, name in itertools.product(range(1, plan.rounds + 1), plan.demands):
                rush = 0.0
                for way in ALL:
                    async with _database(server, plan) as pool:
                        run = await _measure(server, pool, way, name, plan, rush, number)
                    rush = rush or plan.rush * run.orders_per_s
                    runs.append(run)
                    say(f"round {number}, {name}, {way.name}: {run.orders_per_s:.0f} orders/s")
    return runs


@asynccontextmanager
async def _database(server: PostgresServer, plan: Plan) -> AsyncIterator[Pool]:
    name = f"{_TEMPLATE}_run"
    pool = await open_pool(
        await server.create_database(name, template=_TEMPLATE), size_max=plan.connections
    )
    try:
        yield pool
    finally:
        await pool.close()
        await server.drop_database(name)


async def _stock(url: str) -> None:
    pool = await open_pool(url)
    await fill(pool)
    await pool.close()


async def fill(pool: Pool) -> None:
    """Take in more of every SKU than can be ordered, and few of one."""
    units = {_sku(rank): _PLENTY for rank in range(1, SKUS + 1)} | {SCARCE: _SCARCE}
    moves = [stock.Move(sku=sku, location=LOCATION, on_hand=n) for sku, n in units.items()]
    async with pool.acquire() as conn, conn.transaction():
        await locations.add(conn, [LOCATION])
        await stock.ensure_rows(conn, [(sku, LOCATION) for sku in units])
        await stock.move(conn, "fill", "received", moves, who="benchmark", why="stock")


async def _measure(
    server: PostgresServer,
    pool: Pool,
    way: type[Claims],
    demand: str,
    plan: Plan,
    rush: float,
    number: int,
) -> Run:
    random = Random(number)  # the same for every way
    numbers = itertools.count(1)
    claims = way(pool)
    skus = demanded(demand, random)
    warm = Buyer(claims, skus)
    await asyncio.gather(*(warm.place(next(numbers)) for _ in range(2 * plan.in_flight)))
    buyer = Buyer(claims, skus)
    program = server.program.pid
    assert program is not None
    window = await closed_loop(
        buyer,
        numbers,
        in_flight=plan.in_flight,
        seconds=plan.seconds,
        groups={"postgres": [program]},
        pool=None,
    )
    rate = window.closed / window.seconds

    async def load(rate: float) -> Load:
        due = arrivals(rate, plan.seconds, random)
        done = await open_loop(
            Buyer(claims, skus), numbers, due, under_way_max=_UNDER_WAY_MAX, say=print
        )
        return _load(rate, done)

    def cpu_ms(group: str) -> float:
        return 1000 * (window.after.cpu_s[group] - window.before.cpu_s[group]) / window.closed

    return Run(
        way=way.name,
        demand=demand,
        orders_per_s=rate,
        p50_ms=1000 * percentile(buyer.latencies_s, 0.5),
        p99_ms=1000 * percentile(buyer.latencies_s, 0.99),
        postgres_cpu_ms=cpu_ms("postgres"),
        client_cpu_ms=cpu_ms("generator"),
        low=await load(plan.low_rate),
        rush=await load(rush or plan.rush * rate),
        oversold=await sell_out(claims, pool, numbers, plan.in_flight),
    )


async def sell_out(claims: Claims, pool: Pool, numbers: Iterator[int], in_flight: int) -> int:
    """Sell what there is too little of, and count what is wrong in the books after all of it."""
    buyer = Buyer(claims, itertools.repeat(SCARCE))
    orders = max(in_flight, 2 * _SCARCE)
    await asyncio.gather(*(buyer.place(next(numbers)) for _ in range(orders)))
    async with pool.acquire() as conn:
        found = await audit.look(conn)
    wrong = sum(violation.rule in ("stock", "lines") for violation in found.violations)
    return wrong + abs(buyer.claimed - _SCARCE)


class Buyer:
    """Plays customers who want one unit each of what the demand says."""

    def __init__(self, claims: Claims, skus: Iterator[str]) -> None:
        self._claims = claims
        self._skus = skus
        self.latencies_s: list[float] = []
        self.claimed = 0

    async def place(self, number: int) -> str:
        """Order something. Returns the order's id."""
        order = wanting(next(self._skus), number)
        clock = asyncio.get_running_loop()
        began = clock.time()
        claimed = await self._claims.claim(order)
        self.claimed += claimed
        self.latencies_s.append(clock.time() - began)
        return order.order_id

    async def finish(self, workflow_id: str) -> None:
        """There is no more to it."""


def arrivals(rate: float, seconds: float, random: Random) -> list[float]:
    """When each order is due, in seconds from the beginning: by chance, `rate` a second."""
    due = itertools.accumulate(random.expovariate(rate) for _ in itertools.count())
    return list(itertools.takewhile(lambda at: at < seconds, due)) or [0.0]


def demanded(demand: str, random: Random) -> Iterator[str]:
    """What one customer after the other wants, without end."""
    ranks = range(1, SKUS + 1)
    weights = list(itertools.accumulate(DEMAND[demand](rank) for rank in ranks))
    while True:
        yield from map(_sku, random.choices(ranks, cum_weights=weights, k=1000))


_TEMPLATE_ORDER: Final = an_order("stock", 0)


def wanting(sku: str, number: int) -> Order:
    """The order with this number: one unit of the SKU."""
    line = _TEMPLATE_ORDER.lines[0].model_copy(update={"sku": sku, "quantity": 1})
    update = {"channel_order_id": f"stock-{number}", "lines": (line,)}
    return _TEMPLATE_ORDER.model_copy(update=update)


def _sku(rank: int) -> str:
    return f"SKU-{rank:04}"


def _load(rate: float, done: Arrivals) -> Load:
    return Load(
        orders_per_s=rate,
        p50_ms=1000 * percentile(done.latencies_s, 0.5),
        p99_ms=1000 * percentile(done.latencies_s, 0.99),
    )
