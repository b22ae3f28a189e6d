"""Where a receipt of goods stands: what is expected, what came, and where it was put."""

from __future__ import annotations

from typing import Final, Literal

from pydantic import BaseModel, ConfigDict, Field

from domain.warehouse.scans import State

Sender = Literal["supplier", "location"]
Asking = Literal["", "done", "short", "cancel"]
LOG_MAX: Final = 2000
"""Scans that one receipt keeps, so that each can be undone."""


class Due(BaseModel):
    """Units of a SKU that are expected, and the most that may be received."""

    model_config = ConfigDict(frozen=True)

    sku: str
    due: int
    most: int


class Came(BaseModel):
    """Units that came. `place`: where they were put; "" where nobody said so.

    Damaged ones are received, because they came, and written off.
    """

    model_config = ConfigDict(frozen=True)

    sku: str
    units: int
    is_damaged: bool = False
    place: str = ""


class Receiving(State):
    """Where a receipt stands. `part`: of what it is. `by`: who sends it, by name."""

    sender: Sender
    part: str
    by: str
    due: tuple[Due, ...]
    names: dict[str, str] = Field(default_factory=dict)
    places: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    """SKU → where it lies, the first one first."""
    has_bins: bool = False
    """Goods are put away into places here."""
    came: tuple[Came, ...] = ()
    hand: Came | None = None
    """Units that are to be put away."""
    is_damaged: bool = False
    """The next units are."""
    times: int = 0
    """How many units the next scan stands for; 0: as many as its code."""
    asking: Asking = ""
    ends: bool = False
    """What is missing is not sent any more, or was lost on the way."""
    why_not: str = ""
    """Why none of it was taken on record; "": it was, or nobody has tried."""

    @property
    def held(self) -> tuple[str, ...]:
        """Nobody else receives the same meanwhile."""
        return () if self.is_over else (self.part,)

    def line(self, sku: str) -> Due | None:
        """What is expected of a SKU; None: nothing."""
        return next((one for one in self.due if one.sku == sku), None)

    def got(self, sku: str) -> int:
        """Units of a SKU that came, with those in hand."""
        hand = self.hand.units if self.hand is not None and self.hand.sku == sku else 0
        return hand + sum(one.units for one in self.came if one.sku == sku)

    def damaged(self, sku: str) -> int:
        """Units of them that are damaged."""
        return sum(one.units for one in self.came if one.sku == sku and one.is_damaged)

    @property
    def units(self) -> dict[str, int]:
        """SKU → units that came."""
        return {sku: self.got(sku) for sku in sorted({one.sku for one in self.came})}

    @property
    def missing(self) -> int:
        """Units that are expected and have not come."""
        return sum(max(0, one.due - self.got(one.sku)) for one in self.due)

    @property
    def taken(self) -> int:
        """Units that came, of all SKUs."""
        return sum(one.units for one in self.came) + (self.hand.units if self.hand else 0)
