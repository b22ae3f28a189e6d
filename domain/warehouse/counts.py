"""Where a count on the floor stands: what is counted, where, and what should lie there."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from pydantic import BaseModel, ConfigDict, Field

from domain.warehouse.tallies import Tally


class Shelf(BaseModel):
    """Units of a SKU on hand, and those of them that lie on no shelf at the moment.

    Such as were picked and have not left, or are in somebody's hands. Below zero: more lie on the
    shelves than are on record, because a receipt is not over yet.
    """

    model_config = ConfigDict(frozen=True)

    on_hand: int
    away: int

    @property
    def expected(self) -> int:
        """How many should lie on the shelves."""
        return self.on_hand - self.away


class CountStop(BaseModel):
    """A SKU at one of its places. `place`: "" where it has none. `log`: units, scan by scan."""

    model_config = ConfigDict(frozen=True)

    sku: str
    place: str = ""
    log: tuple[int, ...] = ()
    is_done: bool = False

    @property
    def units(self) -> int:
        """Units that were counted there."""
        return sum(self.log)


class Plan(BaseModel):
    """What is counted in a run, in walking order."""

    model_config = ConfigDict(frozen=True)

    stops: tuple[CountStop, ...]
    names: dict[str, str] = {}


class Cycle(NamedTuple):
    """SKUs that make up so much of the worth that lies at a location are counted so often.

    `share`: with those of the classes before.
    """

    share: float
    every: timedelta


CYCLES: Final[Mapping[str, Cycle]] = {
    "A": Cycle(0.8, timedelta(days=30)),
    "B": Cycle(0.95, timedelta(days=90)),
    "C": Cycle(1.0, timedelta(days=180)),
}
"""What is worth most is counted most often."""


class ToCount(BaseModel):
    """A SKU that is to be counted. `counted_at`: when it was last; None: never.

    `place`: where it lies first; "": it has none.
    """

    model_config = ConfigDict(frozen=True)

    sku: str
    name: str | None
    place: str
    cycle: str
    counted_at: datetime | None


class Watched(BaseModel):
    """What is on record of the SKUs that a scan may be about. `plan`: of one that is no stop."""

    model_config = ConfigDict(frozen=True)

    shelves: dict[str, Shelf]
    plan: Plan | None = None


class Counting(Tally):
    """Where a count stands."""

    location: str
    stops: tuple[CountStop, ...] = ()
    names: dict[str, str] = Field(default_factory=dict)
    is_there: bool = False
    """The place of the stop was scanned."""
    trail: tuple[str, ...] = ()
    """SKUs, scan by scan, at this place."""
    strange: str = ""
    """A SKU that was scanned, and is not known to lie here."""
    found: tuple[str, ...] = ()
    """SKUs that lie here and were not known to."""
    seen: dict[str, Shelf] = Field(default_factory=dict)
    """SKU → what was on record when its count began. Where that changes, it is counted anew."""
    earlier: dict[str, int] = Field(default_factory=dict)
    """SKU → what the count before this one found, which is not what is on record."""
    differing: tuple[str, ...] = ()
    """SKUs of which two counts found the same, and other than is on record."""
    counted: dict[str, int] = Field(default_factory=dict)
    """SKU → units on the shelves, as it is on record now."""
    left_out: tuple[str, ...] = ()

    @property
    def held(self) -> tuple[str, ...]:
        """Nobody else counts the same SKU here meanwhile."""
        skus = sorted({stop.sku for stop in self.stops})
        return () if self.is_over else tuple(f"{self.location}/{sku}" for sku in skus)

    @property
    def stop(self) -> CountStop | None:
        """Where to count next; None: nowhere."""
        return next((stop for stop in self.stops if not stop.is_done), None)

    @property
    def here(self) -> tuple[CountStop, ...]:
        """What is to be counted at the place of the stop."""
        stop = self.stop
        if stop is None:
            return ()
        return tuple(x for x in self.stops if x.place == stop.place and not x.is_done)

    @property
    def differs(self) -> str:
        """The SKU of which a reason is asked; "": none is."""
        return next(iter(self.differing), "")

    @property
    def watched(self) -> tuple[str, ...]:
        """SKUs of which it must be known now what is on record."""
        return tuple(sorted({*self.seen, *(stop.sku for stop in self.here)}))

    def units(self, sku: str) -> int:
        """Units of a SKU that this count has found."""
        return sum(stop.units for stop in self.stops if stop.sku == sku)
