"""A failing life made small: what does not matter for its fault is left out of it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Final

from tests.simulation.lives import Lived, live

SEEDS: Final = Path(__file__).parent / "seeds"
"""A file for each life that once failed. Each is lived again by a test."""

TRIES_MAX: Final = 300


def shrunk(failed: Lived) -> tuple[Lived, frozenset[str]]:
    """The smallest life found with the same fault, and what it goes without."""
    without: frozenset[str] = frozenset()
    smallest, tries = failed, 0
    size = max(1, len(failed.happened) // 2)
    while size:
        index = 0
        while index < len(smallest.happened) and tries < TRIES_MAX:
            less = without | set(smallest.happened[index : index + size])
            again = live(failed.seed, less)
            tries += 1
            if _same(again, failed):
                smallest, without = again, less
            else:
                index += size
        size = size // 2 if tries < TRIES_MAX else 0
    return smallest, without


def keep(failed: Lived, without: frozenset[str]) -> Path:
    """Write the life down, so that a test lives it from now on."""
    SEEDS.mkdir(exist_ok=True)
    path = SEEDS / f"{failed.seed}.json"
    content = {"seed": failed.seed, "fault": failed.fault, "without": sorted(without)}
    path.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    return path


def kept() -> list[tuple[str, int, frozenset[str]]]:
    """The lives that were written down: what was wrong, the seed, and what it goes without."""
    found = []
    for path in sorted(SEEDS.glob("*.json")):
        content = json.loads(path.read_text(encoding="utf-8"))
        found.append((content["fault"], content["seed"], frozenset(content["without"])))
    return found


def _same(one: Lived, other: Lived) -> bool:
    """The same kind of fault, whatever it is about."""
    return one.fault[:30] == other.fault[:30]
