"""Many lives: one after the other, in several processes, and a summary."""

from __future__ import annotations

import asyncio
import traceback
from collections import Counter
from dataclasses import dataclass, field

from tests.simulation.checks import check
from tests.simulation.order_life import OrderLife
from tests.simulation.purchase_life import PurchaseLife

PURCHASE_EVERY = 10
"""One life of so many is a purchase order's: those with 5 at the end of their seed."""


@dataclass
class Lived:
    """What became of one seed. `fault`: what did not hold, empty where all did."""

    seed: int
    outcome: str = ""
    fault: str = ""
    tasks: int = 0
    happened: list[str] = field(default_factory=list)
    seen: Counter[str] = field(default_factory=Counter)
    story: list[str] = field(default_factory=list)


def live(seed: int, without: frozenset[str] = frozenset()) -> Lived:
    """Live the life of a seed, and look at everything."""
    return asyncio.run(_live(seed, without))  # instances of workflows begin in a running loop


async def _live(seed: int, without: frozenset[str]) -> Lived:
    lived = Lived(seed)
    life: OrderLife | PurchaseLife | None = None
    try:
        if seed % PURCHASE_EVERY == PURCHASE_EVERY // 2:
            life = PurchaseLife(seed, without)
            life.live()
            life.check()
        else:
            life = OrderLife(seed, without)
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
