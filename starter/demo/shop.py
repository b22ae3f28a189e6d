"""The demo's shop: Northwind's stock at the opening, its orders, and the passing of time."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Final, TypeVar

from pydantic import BaseModel, SecretStr

from domain.errors import InvalidInput, Unreachable
from domain.money import Price
from domain.orders.messages import Placement
from domain.orders.order import Order, Payment
from domain.orders.policy import Policy
from domain.purchasing.purchase_orders import PurchasingPolicy
from domain.stock.locations import Location, Locations
from starter.channels.documents import read_orders
from starter.channels.items_csv import read_items
from starter.channels.northwind_customers import read_customers
from starter.channels.northwind_supply import read_supply
from starter.channels.read_results import Problem
from starter.channels.stock_csv import read_stock
from starter.service.orders import Orders
from starter.service.service import Records
from starter.simulation.simulator import SimulateOptions
from store.database import Pool
from store.sandbox import companies

T = TypeVar("T")

NORTHWIND: Final = Path(__file__).parents[2] / "examples" / "northwind"

STRIPE_TEST_CARD: Final = "pm_card_visa"
"""A token that every account of Stripe's has while it is tested with; no card is behind it."""

SPEED: Final = 200_000.0
"""How fast the outside lives: a day takes less than half a second."""

BUYING: Final = PurchasingPolicy(
    approve_up_to={"USD": Decimal(100_000)}, ask_again_after=timedelta(seconds=5)
)
"""Nobody has to approve; a supplier that refuses is asked again soon, as there is no other."""

_FAULTS: Final = (
    ("payment", "authorize", 2),
    ("payment", "capture", 3),
    ("payment", "refund", 1),
    ("carrier", "buy_label", 2),
)
"""How often the sandbox companies do as they are asked and do not answer."""

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
    refused_order_rate=0.02,
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


def settings_of(prefix: str, values: BaseModel) -> dict[str, str]:
    """What is not as usual, as environment variables."""
    return {
        f"ORDERLOOM_{prefix}__{name.upper()}": value
        if isinstance(value, str)
        else json.dumps(value)
        for name, value in values.model_dump(mode="json", exclude_defaults=True).items()
    }


@dataclass(frozen=True)
class Opening:
    """The shop as it opens. `discontinued`: SKUs that are sold while they last."""

    skus: int
    units: int
    on_order: int
    discontinued: frozenset[str]


@dataclass(frozen=True)
class Placed:
    """How the orders were taken."""

    seconds: float
    outcomes: Counter[str]


def paid_with(stripe_key: SecretStr | None) -> Payment | None:
    """How all orders are paid where a key of Stripe's is set; None: as the channel says.

    Raises InvalidInput for a key that would move real money.
    """
    if stripe_key is None:
        return None
    if "_live_" in stripe_key.get_secret_value():
        raise InvalidInput(
            "the demo takes a test key, sk_test_…, only", where="ORDERLOOM_STRIPE__API_KEY"
        )
    return Payment(provider="stripe", token=STRIPE_TEST_CARD)


def read_northwind_orders(
    at_most: int | None = None, *, paid: Payment | None = None
) -> list[Order]:
    """The first orders of the example, paid otherwise than the channel says if `paid` is given.

    `at_most`: None is all of them.
    Raises InvalidInput where its files are not as they were.
    """
    names, problems = read_customers((NORTHWIND / "customers.csv").read_text(encoding="utf-8"))
    file = NORTHWIND / "orders.csv"
    orders = []
    for record in read_orders(file.read_bytes(), names):
        if record.order is None:
            raise InvalidInput(str(record.problems[0]), where=f"{file}:{record.line}")
        order = record.order
        orders.append(order if paid is None else order.model_copy(update={"payment": paid}))
    if problems:
        raise InvalidInput(str(problems[0]), where="customers.csv")
    return orders[:at_most]


def of_these_days(orders: Sequence[Order], today: date) -> list[Order]:
    """The same orders in our days: the last one is of today, and all are as far apart."""
    last = max(order.placed_at.toordinal() for order in orders)
    later = timedelta(days=today.toordinal() - last)
    return [order.model_copy(update={"placed_at": order.placed_at + later}) for order in orders]


async def open_shop(records: Records, *, seller: str, today: date) -> Opening:
    """Northwind as its export has it: stock, what is on order, when more is bought, from whom.

    The goods are the seller's.
    """
    products = (NORTHWIND / "products.csv").read_bytes()
    items = [_sound(row).content for row in read_items(products)]
    await records.catalogue.set_items(items)
    places = [one.model_copy(update={"seller": seller}) for one in _locations()]
    await records.locations.save(places)
    supply = read_supply(products, (NORTHWIND / "suppliers.csv").read_bytes(), today=today)
    costs = {x.sku: Price(each=x.unit_price, currency=x.currency) for x in supply.terms}
    units = 0
    for row in read_stock(products):
        shelf = _sound(row)
        if shelf.quantity:
            units += shelf.quantity
            await records.stock.receive(
                *(f"opening-{shelf.sku}", shelf.sku, shelf.location, shelf.quantity),
                unit_cost=costs[shelf.sku],
                who="demo",
                why="opening stock",
            )
    await records.purchasing.set_terms(supply.terms)
    await records.purchasing.enter(supply.on_order, who="demo", why="on order when the shop opened")
    await records.stock.set_levels(supply.levels)
    return Opening(
        skus=len(items),
        units=units,
        on_order=sum(row.quantity for row in supply.on_order),
        discontinued=frozenset(item.sku for item in items if item.discontinued),
    )


def _locations() -> Sequence[Location]:
    file = NORTHWIND / "locations.json"
    return Locations.model_validate_json(file.read_text(encoding="utf-8")).locations


def _sound(row: T | Problem) -> T:
    if isinstance(row, Problem):
        raise InvalidInput(str(row), where=f"products.csv:{row.line}")
    return row


async def place_all(client: Orders, orders: Sequence[Order], placed: Callable[[], None]) -> Placed:
    """Place the orders, several at once; `placed` is called after each."""
    clock = asyncio.get_running_loop()
    began = clock.time()
    outcomes: Counter[str] = Counter()
    waiting = iter(orders)

    async def work() -> None:
        for order in waiting:
            answer = await place(client, order)
            outcomes[answer.outcome] += 1
            placed()

    async with asyncio.TaskGroup() as group:
        for _ in range(_PLACED_AT_ONCE):
            group.create_task(work())
    return Placed(seconds=clock.time() - began, outcomes=outcomes)


async def place(client: Orders, order: Order) -> Placement:
    """Place an order, again where Temporal did not answer: nothing happens twice."""
    for _ in range(_PLACED_AGAIN_MAX):
        with suppress(Unreachable):
            return await client.place(order, answer_within=_ANSWER_WITHIN)
        await asyncio.sleep(_PAUSE_S)
    return await client.place(order, answer_within=_ANSWER_WITHIN)


async def misbehave(pool: Pool) -> None:
    """Make the sandbox companies do as they are asked without an answer, now and then."""
    async with pool.acquire() as conn:
        for company, operation, times in _FAULTS:
            await companies.set_fault(
                conn, company, operation, "timeout_after", 0.2, remaining=times
            )
