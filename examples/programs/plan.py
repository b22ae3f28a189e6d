"""What is to happen on this day, read from a file, and what came of it, written to another."""

from __future__ import annotations

import asyncio
import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

STAGES: Final = {
    "before picking": "pick",
    "picked": "pack",
    # The warehouse does not wait: a packed parcel only waits for its label, a slow one.
    "packed": "pack",
    "labelled": "handover",
    "handed over": "carry",
}
"""The step that waits, to catch an order at a stage."""


@dataclass
class Wish:
    """A customer who cancels an order or sends it back, or one line of it.

    `stage`: where the order is then; empty: after it has arrived. `in_shop`: it is cancelled in the
    shop that has sent it.
    """

    order_id: str
    stage: str
    line_id: str | None
    in_shop: bool = False
    outcome: str = "not asked"
    reached: asyncio.Event = field(default_factory=asyncio.Event)
    over: bool = False


@dataclass
class Plan:
    """The day. `orders`: what to place, and whether by the API or by a shop of its channel.

    `aside`: channels whose orders have people of their own.
    """

    url: str
    keys: Mapping[str, str]
    shops: Mapping[str, Mapping[str, str]]
    orders: Sequence[Mapping[str, Any]]
    wishes: Sequence[Wish]
    aside: Sequence[str]
    rates: Mapping[str, float]
    speed: float
    ends_within_s: float
    counts: Counter[str] = field(default_factory=Counter)

    @classmethod
    def read(cls, document: Mapping[str, Any]) -> Plan:
        """From JSON."""
        return cls(**{**document, "wishes": [Wish(**one) for one in document["wishes"]]})

    def holds(self, step: str, order_id: str) -> bool:
        """Whether a step must wait for a customer; notes that the order has come that far."""
        if any(order_id.startswith(f"{channel}-") for channel in self.aside):
            return True
        wish = next((one for one in self.wishes if one.order_id == order_id and one.stage), None)
        if wish is None or wish.over or STAGES[wish.stage] != step:
            return False
        wish.reached.set()
        return wish.stage != "packed"

    def happens(self, rate: str, part_id: str) -> bool:
        """Whether something with a rate happens to a part: always the same for the same part."""
        return draw(part_id, rate) < self.rates[rate]


def draw(part_id: str, about: str) -> float:
    """A number in [0, 1), always the same for the same question."""
    digest = hashlib.blake2b(f"{part_id} {about}".encode(), digest_size=6).digest()
    return int.from_bytes(digest, "big") / 2**48


def fewer(units: Mapping[str, int], part_id: str) -> dict[str, int]:
    """The units, less some of one of them."""
    which = sorted(units)[int(draw(part_id, "which is short") * len(units))]
    lacking = 1 + int(draw(part_id, "how short") * units[which])
    return {**units, which: units[which] - lacking}
