"""Which parcels are picked together: those that must leave, and of them those on one way. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

CANDIDATES_MAX: Final = 200
"""So many parcels are looked at for one wave."""


@dataclass(frozen=True)
class Candidate:
    """A parcel that can be picked. `day`: on which it must leave; None: nobody has promised one.

    `is_due`: that is today, or was before.
    """

    part_id: str
    skus: Collection[str]
    day: date | None = None
    is_due: bool = False


def together(
    candidates: Sequence[Candidate], places: Mapping[str, Sequence[str]], at_most: int
) -> list[str]:
    """The parcels of a wave, the most urgent first. `places`: SKU → where it lies.

    `candidates`: the most urgent first. The first one is in it, whatever it is made of, so that
    none waits for ever. Then comes which needs the fewest new stops, and of these which has its
    goods at the fewest new places. A later day waits until all of an earlier one are in it.
    """
    chosen: list[Candidate] = []
    skus: set[str] = set()
    seen: set[str] = set()

    def cost(one: Candidate) -> tuple[int, int, int]:
        new = [sku for sku in one.skus if sku not in skus]
        walked = {_place(sku, places) for sku in new} - seen
        return len(new), len(walked), -len(one.skus)

    left = list(candidates)
    while left and len(chosen) < at_most:
        soonest = [one for one in left if _turn(one) == _turn(left[0])]
        best = min(soonest, key=cost) if chosen else soonest[0]
        left.remove(best)
        chosen.append(best)
        skus.update(best.skus)
        seen.update(_place(sku, places) for sku in best.skus)
    return [one.part_id for one in chosen]


def _turn(one: Candidate) -> date | str | None:
    return "due" if one.is_due else one.day


def _place(sku: str, places: Mapping[str, Sequence[str]]) -> str:
    """Where it lies; nobody knows where two are that have no place, so they are two ways."""
    known = places.get(sku)
    return known[0] if known else f"of {sku}"
