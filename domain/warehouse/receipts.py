"""Where a receipt of goods stands: what is expected, what came, and where it was put."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from domain.warehouse.tallies import Hand, Tally

Sender = Literal["supplier", "location"]


class Due(BaseModel):
    """Units of a SKU that are expected, and the most that may be received."""

    model_config = ConfigDict(frozen=True)

    sku: str
    due: int
    most: int


class Came(BaseModel):
    """Units that came. `place`: where they were put; "" where nobody said so.

    Damaged ones are received, because they came, and written off. What is `aside` is not received:
    it was not ordered, or is too much.
    """

    model_config = ConfigDict(frozen=True)

    sku: str
    units: int
    is_damaged: bool = False
    place: str = ""
    is_aside: bool = False


class Difference(BaseModel):
    """A SKU of which other units came than were announced, or expected. `aside`: not received."""

    model_config = ConfigDict(frozen=True)

    sku: str
    expected: int
    came: int
    damaged: int = 0
    aside: int = 0


class Receiving(Tally):
    """Where a receipt stands. `part`: of what it is. `by`: who sends it, by name."""

    sender: Sender
    part: str
    by: str
    due: tuple[Due, ...]
    announced: dict[str, int] = Field(default_factory=dict)
    """SKU → units that are on their way, as the supplier says; empty: it has not said so."""
    names: dict[str, str] = Field(default_factory=dict)
    places: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    """SKU → where it lies, the first one first."""
    free_place: str = ""
    """A place where nothing lies, for what has no place yet; "": there is none."""
    has_bins: bool = False
    """Goods are put away into places here."""
    is_blind: bool = False
    """Nobody is told how many units are expected, before all are counted."""
    came: tuple[Came, ...] = ()
    hand: Hand | None = None
    """Units that are to be put away."""
    odd: Came | None = None
    """What was scanned last, and is not received."""
    is_damaged: bool = False
    """The next units are."""
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

    def place(self, sku: str) -> str:
        """Where units of a SKU are best put; "": anywhere."""
        put = (one.place for one in self.came if one.sku == sku and one.place)
        return next(iter(self.places.get(sku, ())), next(put, self.free_place))

    def got(self, sku: str) -> int:
        """Units of a SKU that came, with those in hand."""
        hand = self.hand.units if self.hand is not None and self.hand.sku == sku else 0
        return hand + sum(one.units for one in self.came if one.sku == sku and not one.is_aside)

    def damaged(self, sku: str) -> int:
        """Units of them that are damaged."""
        return sum(one.units for one in self.came if one.sku == sku and one.is_damaged)

    def aside(self, sku: str) -> int:
        """Units of a SKU that came, and are not received."""
        return sum(one.units for one in self.came if one.sku == sku and one.is_aside)

    @property
    def units(self) -> dict[str, int]:
        """SKU → units that are received."""
        return {sku: self.got(sku) for sku in sorted({x.sku for x in self.came if not x.is_aside})}

    @property
    def missing(self) -> int:
        """Units that are expected and have not come."""
        return sum(max(0, one.due - self.got(one.sku)) for one in self.due)

    @property
    def taken(self) -> int:
        """Units that are received, of all SKUs."""
        return sum(self.units.values()) + (self.hand.units if self.hand else 0)

    @property
    def differences(self) -> tuple[Difference, ...]:
        """What came otherwise than it was announced; or expected, where nothing was announced."""
        expected = self.announced or {one.sku: one.due for one in self.due}
        skus = sorted({*expected, *(one.sku for one in self.came)})
        found = (
            Difference(
                sku=sku,
                expected=expected.get(sku, 0),
                came=self.got(sku),
                damaged=self.damaged(sku),
                aside=self.aside(sku),
            )
            for sku in skus
        )
        return tuple(x for x in found if x.came != x.expected or x.damaged or x.aside)
