"""What a contest comes to, and the file that keeps it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict

from benchmarks.census import Census
from benchmarks.figures import ratio
from benchmarks.machine import Machine
from benchmarks.measuring import Cost

FILE = "latest.json"


class Plan(BaseModel):
    """How much is measured. Seconds are per contestant and round, and per rate."""

    model_config = ConfigDict(frozen=True)

    rounds: int
    in_flight: int
    seconds: float
    open_seconds: float
    sampled_orders: int
    shares: tuple[float, ...] = (0.25, 0.5, 0.75)
    """Rates of the open loop, as shares of what the contestant reached in the closed one."""
    placed_min: int = 1
    """At half load at least so many orders are placed in a round: a p99 of fewer than a hundred is
    only the slowest of them."""
    shared_stages: bool = False
    """Each contestant's worker starts once: sooner done, and no figures to compare."""


class OpenLoad(BaseModel):
    """An open loop at one rate: medians over the rounds, and the sums of what went wrong."""

    model_config = ConfigDict(frozen=True)

    share: float
    orders_per_s: float
    placed: int
    p50_ms: float
    p99_ms: float
    late: int
    dropped: int


class Entry(BaseModel):
    """All figures of one contestant."""

    model_config = ConfigDict(frozen=True)

    cost: Cost
    rounds: tuple[float, ...]
    """Orders per second of each round."""
    census: Census
    open_loop: tuple[OpenLoad, ...] = ()


class Results(BaseModel):
    """All figures of a contest."""

    model_config = ConfigDict(frozen=True)

    at: datetime
    machine: Machine
    plan: Plan
    entries: dict[str, Entry]
    findings: tuple[str, ...]
    """What the audit found; nothing when clean."""

    @property
    def ratios(self) -> dict[str, float]:
        """Orderloom against the others: times as many orders per second."""
        ours = self.entries["orderloom"].cost.orders_per_s
        return {
            f"vs_{name}": round(ratio(ours, entry.cost.orders_per_s), 3)
            for name, entry in self.entries.items()
            if name != "orderloom"
        }

    def document(self) -> dict[str, Any]:
        """As it is written: a section for each contestant, with its figures side by side."""
        return {
            "date": self.at.isoformat(timespec="seconds"),
            "machine": self.machine.model_dump(),
            "plan": self.plan.model_dump(),
            "ratios": self.ratios,
            **{name: _section(entry) for name, entry in self.entries.items()},
            "audit": list(self.findings) or "clean",
        }


def write(results: Results, folder: Path) -> Path:
    """Write the results to `folder`, and return the file."""
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / FILE
    file.write_text(json.dumps(results.document(), indent=2) + "\n", encoding="utf-8")
    return file


def read(folder: Path) -> Results:
    """The results that were written last. Raises FileNotFoundError."""
    document: Mapping[str, Any] = json.loads((folder / FILE).read_text(encoding="utf-8"))
    known = {"date", "machine", "plan", "ratios", "audit"}
    audit = document["audit"]
    return Results(
        at=document["date"],
        machine=document["machine"],
        plan=document["plan"],
        entries={
            name: Entry(
                cost=Cost.model_validate({key: section[key] for key in Cost.model_fields}),
                rounds=section["rounds"],
                census=Census.model_validate({key: section[key] for key in Census.model_fields}),
                open_loop=section["open_loop"],
            )
            for name, section in document.items()
            if name not in known
        },
        findings=() if audit == "clean" else tuple(audit),
    )


def _section(entry: Entry) -> dict[str, Any]:
    figures = {
        name: round(value, 3) if isinstance(value, float) else value
        for name, value in {**entry.cost.model_dump(), **entry.census.model_dump()}.items()
    }
    return {
        **figures,
        "rounds": [round(rate, 3) for rate in entry.rounds],
        "open_loop": [load.model_dump() for load in entry.open_loop],
    }
