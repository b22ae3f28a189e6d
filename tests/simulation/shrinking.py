"""A failing life made small: what does not matter for its fault is left out of it."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from tests.simulation.lives import ON_POSTGRES, Kind, Lived, live

SEEDS: Final = Path(__file__).parent / "seeds"
"""A file for each life that once failed. Each is lived again by a test."""

TRIES_MAX: Final = 300
TRIES_ON_POSTGRES: Final = 100
"""There, a life takes fifty times as long."""


def shrunk(failed: Lived) -> tuple[Lived, frozenset[str]]:
    """The smallest life found with the same fault, and what it goes without."""
    without: frozenset[str] = frozenset()
    smallest, tries = failed, 0
    tries_max = TRIES_ON_POSTGRES if failed.kind == ON_POSTGRES else TRIES_MAX
    size = max(1, len(failed.happened) // 2)
    while size:
        index = 0
        while index < len(smallest.happened) and tries < tries_max:
            less = without | set(smallest.happened[index : index + size])
            again = live(failed.seed, less, kind=failed.kind)
            tries += 1
            if _same(again, failed):
                smallest, without = again, less
            else:
                index += size
        size = size // 2 if tries < tries_max else 0
    return smallest, without


@dataclass(frozen=True)
class Kept:
    """A life that once had a fault: what happened in it, and nothing else."""

    seed: int
    kind: Kind
    fault: str
    happened: tuple[str, ...]
    plant: str = ""
    """The planted fault that is the same, if there is one: with it this life fails again."""

    def live(self) -> Lived:
        return live(self.seed, only=frozenset(self.happened), kind=self.kind)


def keep(failed: Lived) -> Path:
    """Write the life down, so that a test lives it from now on."""
    SEEDS.mkdir(exist_ok=True)
    place = "postgres-" if failed.kind == ON_POSTGRES else ""
    path = SEEDS / f"{place}{failed.seed}.json"
    fault = failed.fault.partition("\n")[0]  # a traceback names files of this machine
    life = Kept(failed.seed, failed.kind, fault, tuple(dict.fromkeys(failed.happened)))
    path.write_text(json.dumps(asdict(life), indent=1) + "\n", encoding="utf-8")
    return path


def kept(*, on_postgres: bool = False) -> list[Kept]:
    """The lives that were written down, of one tier."""
    contents = (json.loads(path.read_text("utf-8")) for path in sorted(SEEDS.glob("*.json")))
    lives = [Kept(**{**each, "happened": tuple(each["happened"])}) for each in contents]
    return [life for life in lives if (life.kind == ON_POSTGRES) == on_postgres]


def _same(one: Lived, other: Lived) -> bool:
    """The same kind of fault, whatever it is about."""
    return one.fault[:30] == other.fault[:30]
