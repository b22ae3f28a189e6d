"""Many lives: one after the other, in several processes, and a summary."""

from __future__ import annotations

import asyncio
import traceback
from collections import Counter
from dataclasses import dataclass, field
from typing import Final, Literal

from tests.simulation.chance import Chance
from tests.simulation.checks import check
from tests.simulation.on_postgres import checks as checks_on_postgres
from tests.simulation.on_postgres import ground
from tests.simulation.on_postgres.order_life import OrderLifeOnPostgres
from tests.simulation.order_life import OrderLife
from tests.simulation.purchase_life import PurchaseLife

Kind = Literal["order", "purchase order", "order on PostgreSQL"]

ON_POSTGRES: Final[Kind] = "order on PostgreSQL"
"""Lived on the ground that is laid in this process; see on_postgres/ground.py."""

PURCHASE_EVERY = 5
"""One life of so many is a purchase order's: those whose seed it divides."""


@dataclass
class Lived:
    """What became of one seed. `fault`: what did not hold, empty where all did."""

    seed: int
    kind: Kind = "order"
    outcome: str = ""
    fault: str = ""
    tasks: int = 0
    happened: list[str] = field(default_factory=list)
    seen: Counter[str] = field(default_factory=Counter)
    story: list[str] = field(default_factory=list)


def live(
    seed: int,
    without: frozenset[str] = frozenset(),
    *,
    only: frozenset[str] | None = None,
    kind: Kind | None = None,
) -> Lived:
    """Live the life of a seed, and look at everything. `without`, `only`: see Chance."""
    if kind is None:
        kind = "order" if seed % PURCHASE_EVERY else "purchase order"
    # Instances of workflows begin in a running loop.
    return asyncio.run(_live(kind, Chance(seed, without, only)))


async def _live(kind: Kind, chance: Chance) -> Lived:
    lived = Lived(chance.seed, kind)
    life: OrderLife | OrderLifeOnPostgres | PurchaseLife | None = None
    try:
        if kind == "purchase order":
            life = PurchaseLife(chance)
            life.live()
            life.check()
        elif kind == ON_POSTGRES:
            life = OrderLifeOnPostgres(chance, ground.laid())
            life.live()
            checks_on_postgres.check(life)
        else:
            life = OrderLife(chance)
            life.live()
            check(life)
    except AssertionError as broken:
        lived.fault = f"{type(broken).__name__}: {broken}"
        if not str(broken):
            lived.fault += traceback.format_exc(limit=-2)
    except Exception as error:  # noqa: BLE001 - whatever was raised, this life has a fault
        lived.fault = f"{type(error).__name__}: {error}\n{traceback.format_exc(limit=-5)}"
    if life is not None:
        result = life.life.result or {}
        lived.outcome = result.get("outcome", "")
        if isinstance(life, PurchaseLife):
            lived.outcome = f"purchase {result.get('state', 'without end')}"
        lived.tasks = life.life.tasks
        lived.happened = life.chance.happened
        lived.seen = life.chance.seen
        lived.story = life.life.story
        life.life.forget()
    return lived
