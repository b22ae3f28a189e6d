"""Where the count of a parcel that came back stands: what was announced, what came, and how."""

from __future__ import annotations

from typing import Final, get_args

from pydantic import BaseModel, ConfigDict, Field

from domain.aftersales.conditions import Condition, Disposition
from domain.warehouse.tallies import Hand, Tally

PHOTO_MAX: Final = 200
CONDITIONS: Final[tuple[Condition, ...]] = get_args(Condition)


class BackLine(BaseModel):
    """Units of a line that are expected. `goes`: what becomes of them, by their condition."""

    model_config = ConfigDict(frozen=True)

    line_id: str
    sku: str
    quantity: int
    goes: dict[Condition, Disposition]


class Expected(BaseModel):
    """A return whose parcel is expected."""

    model_config = ConfigDict(frozen=True)

    return_id: str
    lines: tuple[BackLine, ...]


class Parcel(BaseModel):
    """What a code on a parcel stands for: an order, and the returns that it may be of.

    `other_id`: a return that is not expected: the one that it names, which is over, or one that is
    not approved yet (`is_requested`); "": there is none.
    """

    model_config = ConfigDict(frozen=True)

    order_id: str
    returns: tuple[Expected, ...] = ()
    other_id: str = ""
    is_requested: bool = False
    names: dict[str, str] = {}


class Opened(Hand):
    """Units whose condition is to be told."""

    photo: str = ""


class Back(BaseModel):
    """Units in one condition. `line_id`: "" for what was not announced.

    `turn`: what was told at once has the same number.
    """

    model_config = ConfigDict(frozen=True)

    sku: str
    units: int
    line_id: str = ""
    condition: Condition = "new"
    photo: str = ""
    turn: int = 0


class Returning(Tally):
    """Where it stands. `part`: the return; "": none is known. `order_id`: likewise."""

    part: str = ""
    order_id: str = ""
    lines: tuple[BackLine, ...] = ()
    choices: tuple[str, ...] = ()
    """Returns of which one is to be chosen."""
    is_unannounced: bool = False
    other_id: str = ""
    """A return that is not expected; see `Parcel`."""
    is_requested: bool = False
    names: dict[str, str] = Field(default_factory=dict)
    units: tuple[Back, ...] = ()
    hand: Opened | None = None

    @property
    def held(self) -> tuple[str, ...]:
        """Nobody else counts the same return meanwhile."""
        return () if self.is_over or not self.part else (self.part,)

    def got(self, line_id: str) -> int:
        """Units of a line that came."""
        return sum(one.units for one in self.units if one.line_id == line_id)

    @property
    def missing(self) -> int:
        """Units that were announced and have not come."""
        return sum(line.quantity - self.got(line.line_id) for line in self.lines)

    @property
    def taken(self) -> int:
        """Units that came."""
        return sum(one.units for one in self.units) + (self.hand.units if self.hand else 0)

    def came(self, line_id: str = "") -> tuple[Back, ...]:
        """The units of a line; without one, those that were not announced."""
        return tuple(one for one in self.units if one.line_id == line_id)

    def goes(self, one: Back) -> Disposition | None:
        """What becomes of units; None: a person decides."""
        line = next((line for line in self.lines if line.line_id == one.line_id), None)
        return None if line is None else line.goes[one.condition]
