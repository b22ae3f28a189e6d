"""Many lives: one after the other, in several processes, and a summary."""

from __future__ import annotations

import asyncio
import traceback
from collections import Counter
from dataclasses import dataclass, field
from typing import Literal

from tests.simulation.chance import Chance
from tests.simulation.checks import check
from tests.simulation.order_life import OrderLife
from tests.simulation.purchase_life import PurchaseLife

Kind = Literal["order", "purchase order"]

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
    life: OrderLife | PurchaseLife | None = None
    try:
        if kind == "purchase order":
            life = PurchaseLife(chance)
            life.live()
            life.check()
        else:
            life = OrderLife(chance)
            life.live()
            check(life)
    except AssertionError as broken:
        lived.fault = f"{type(broken).__name__}: {broken}"
        if not str(broken):
            lived.fault += traceback.format_exc(limit=-2)
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
