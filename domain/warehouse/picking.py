"""A run in which units are taken off the shelves, for one parcel or for a wave of them.

Single: one parcel. Batch: units of a SKU are taken for all parcels together, and shared out by
their sequence. Cluster: each parcel has a spot on the cart, which is scanned with its units.
"""

from __future__ import annotations

from typing import Final, Literal

from pydantic import BaseModel, ConfigDict, Field

from domain.warehouse.scans import State

Style = Literal["single", "batch", "cluster"]
Ended = Literal["", "picked", "refused", "gone"]
Asking = Literal["", "short", "cancel"]
UNDO_MAX: Final = 20


class _Value(BaseModel):
    model_config = ConfigDict(frozen=True)


class PickLine(_Value):
    """A line of a parcel. `parts`: SKU → units that are taken off the shelf for one of it."""

    line_id: str
    quantity: int
    parts: dict[str, int]


class PickParcel(_Value):
    """One parcel of a run. `spot`: on the cart, from 1. `counted`: as it was recorded."""

    part_id: str
    spot: int
    lines: tuple[PickLine, ...]
    ended: Ended = ""
    counted: dict[str, int] = {}

    def wanted(self) -> dict[str, int]:
        """SKU → units that are taken for it."""
        units: dict[str, int] = {}
        for line in self.lines:
            for sku, each in line.parts.items():
                units[sku] = units.get(sku, 0) + each * line.quantity
        return {sku: n for sku, n in units.items() if n}


class Stop(_Value):
    """One SKU at one place: how many units each parcel gets, and has got.

    `place`: "" where nobody knows it. `others`: where the SKU lies besides. `is_short`: the rest is
    not there.
    """

    sku: str
    place: str = ""
    others: tuple[str, ...] = ()
    wanted: dict[str, int]
    got: dict[str, int] = {}
    is_short: bool = False

    def room(self, part_id: str) -> int:
        """Units that a parcel still gets here."""
        if self.is_short:
            return 0
        return self.wanted.get(part_id, 0) - self.got.get(part_id, 0)

    @property
    def left(self) -> int:
        """Units that are still to be taken here."""
        return sum(self.room(part_id) for part_id in self.wanted)


class Hand(_Value):
    """Units in the picker's hand, which go to a spot. `place`: of which stop."""

    sku: str
    units: int
    part_id: str


class Move(_Value):
    """Units that one scan brought to parcels, to be undone. `units`: parcel → units."""

    sku: str
    units: dict[str, int]


class Picking(State):
    """Where a pick run stands."""

    style: Style = "single"
    parcels: tuple[PickParcel, ...]
    stops: tuple[Stop, ...]
    names: dict[str, str] = Field(default_factory=dict)
    is_there: bool = False
    """The place of the stop was scanned."""
    times: int = 0
    """How many units the next scan stands for; 0: as many as its code."""
    hand: Hand | None = None
    asking: Asking = ""
    moves: tuple[Move, ...] = ()
    back: dict[str, int] = Field(default_factory=dict)
    """Units that are in hand and no parcel gets: they go back to the shelf."""

    @property
    def held(self) -> tuple[str, ...]:
        """The parcels that are not over."""
        return () if self.is_over else tuple(x.part_id for x in self.parcels if not x.ended)

    @property
    def stop(self) -> Stop | None:
        """Where to go next; None: nothing is left."""
        return next((stop for stop in self.stops if stop.left), None)

    @property
    def then(self) -> Stop | None:
        """The stop behind the next one; None: there is none."""
        return next((one for one in self.stops if one.left and one is not self.stop), None)

    @property
    def to_take(self) -> int:
        """Units that are still to be taken in the whole run."""
        return sum(stop.left for stop in self.stops)

    @property
    def taken(self) -> int:
        """Units that were taken."""
        return sum(sum(stop.got.values()) for stop in self.stops)

    def got(self, part_id: str) -> dict[str, int]:
        """SKU → units that a parcel has got."""
        units: dict[str, int] = {}
        for stop in self.stops:
            if n := stop.got.get(part_id, 0):
                units[stop.sku] = units.get(stop.sku, 0) + n
        return units

    def parcel(self, part_id: str) -> PickParcel:
        """One of its parcels."""
        return next(parcel for parcel in self.parcels if parcel.part_id == part_id)

    def goes_to(self, stop: Stop) -> PickParcel:
        """The parcel that gets the next unit of a stop that has some left."""
        return next(parcel for parcel in self.parcels if stop.room(parcel.part_id))

    def room(self, stop: Stop) -> int:
        """How many units one scan may bring: on a cart, those of one spot."""
        if self.style == "cluster":
            return stop.room(self.goes_to(stop).part_id)
        return stop.left

    def with_stop(self, stop: Stop, changed: Stop) -> Picking:
        """The run with a stop as it is now."""
        stops = tuple(changed if one is stop else one for one in self.stops)
        return self.model_copy(update={"stops": stops})
