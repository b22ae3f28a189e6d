"""The demo's shop: what is on its shelves, what is ordered, and how time passes."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Final

from domain.errors import InvalidInput, Unreachable
from domain.messages import Placement
from domain.order import Order
from domain.policy import Policy
from starter.channels.documents import read_orders
from starter.channels.northwind import read_customers
from starter.client import OrderClient
from starter.desk import Desk
from starter.simulator import SimulateOptions

NORTHWIND: Final = Path(__file__).parents[2] / "examples" / "northwind"

SPEED: Final = 200_000.0
"""How fast the outside lives: a day takes less than half a second."""

# Of what is ordered of each product, this share lies at each place. Together it is more than is
# ordered: parcels get lost, and shelves turn out to hold less than they should.
SHELVES: Final = {"main": 0.8, "annex": 0.5}

_PLACED_AT_ONCE: Final = 16
_PLACED_AGAIN_MAX: Final = 10
_ANSWER_WITHIN: Final = timedelta(seconds=60)
_PAUSE_S: Final = 1.0

OUTSIDE: Final = SimulateOptions(
    speed=SPEED,
    seed=1996,
    short_pick_rate=0.02,
    lost_rate=0.015,
    undeliverable_rate=0.015,
    repeated_scan_rate=0.1,
    late_scan_rate=0.1,
    return_missing_rate=0.25,
    return_scrap_rate=0.2,
)


def policy(orders: int) -> Policy:
    """How long things may take on a day with so many orders.

    What people may take is not compressed, so that a slow machine is not taken for a lost parcel.
    Only the return window passes about as fast as the rest; on a busy day it is long enough for
    customers to hear of their parcel.
    """
    return Policy(
        give_up_after=timedelta(minutes=5),
        pick_within=timedelta(minutes=10),
        pack_within=timedelta(minutes=10),
        hand_over_within=timedelta(minutes=10),
        scan_within=timedelta(minutes=10),
        return_window=timedelta(days=30) / SPEED + orders * timedelta(seconds=0.1),
        return_within=timedelta(minutes=10),
    )


@dataclass(frozen=True)
class Placed:
    """How the orders were taken."""

    seconds: float
    outcomes: Counter[str]


def read_northwind_orders(at_most: int) -> list[Order]:
    """The first orders of the example. Raises InvalidInput where its files are not as they were."""
    names, problems = read_customers((NORTHWIND / "customers.csv").read_text())
    file = NORTHWIND / "orders.csv"
    orders = []
    for record in read_orders(file.read_bytes(), names):
        if record.order is None:
            raise InvalidInput(str(record.problems[0]), where=f"{file}:{record.line}")
        orders.append(record.order)
    if problems:
        raise InvalidInput(str(problems[0]), where="customers.csv")
    return orders[:at_most]


async def fill_shelves(desk: Desk, orders: Sequence[Order]) -> tuple[int, int]:
    """Take in enough of everything. Returns the number of SKUs and of units."""
    wanted: Counter[str] = Counter()
    for order in orders:
        for line in order.lines:
            wanted[line.sku] += line.quantity
    units = 0
    for sku, ordered in sorted(wanted.items()):
        for location, share in SHELVES.items():
            arrives = max(1, round(ordered * share))
            units += arrives
            await desk.receive_stock(
                f"demo-{sku}-{location}", sku, location, arrives, who="demo", why="opening stock"
            )
    return len(wanted), units


async def place_all(
    client: OrderClient, orders: Sequence[Order], placed: Callable[[], None]
) -> Placed:
    """Place the orders, several at once; `placed` is called after each."""
    clock = asyncio.get_running_loop()
    began = clock.time()
    outcomes: Counter[str] = Counter()
    waiting = iter(orders)

    async def work() -> None:
        for order in waiting:
            answer = await _place(client, order)
            outcomes[answer.outcome] += 1
            placed()

    async with asyncio.TaskGroup() as group:
        for _ in range(_PLACED_AT_ONCE):
            group.create_task(work())
    return Placed(seconds=clock.time() - began, outcomes=outcomes)


async def _place(client: OrderClient, order: Order) -> Placement:
    """Place an order, again where Temporal did not answer: nothing happens twice."""
    for _ in range(_PLACED_AGAIN_MAX):
        with suppress(Unreachable):
            return await client.place(order, answer_within=_ANSWER_WITHIN)
        await asyncio.sleep(_PAUSE_S)
    return await client.place(order, answer_within=_ANSWER_WITHIN)
