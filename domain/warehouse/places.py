"""Where goods lie within a location, and what is printed on them, as a shop's files tell it."""

from __future__ import annotations

from typing import Annotated, Final

from pydantic import Field, StringConstraints

from domain.fields import READABLE, Document, Id, Sku
from domain.warehouse.scans import CODE_MAX, UNITS_MAX

WALK_MAX: Final = 1_000_000
PlaceName = Annotated[str, StringConstraints(max_length=100), *READABLE]


class PlacedItem(Document):
    """A SKU lies at a place of a location. Without a place, nobody knows any more where it lies."""

    location: Id
    sku: Sku
    place: PlaceName = ""
    zone: PlaceName = ""
    walk: Annotated[int, Field(ge=0, le=WALK_MAX)] = 0
    """The place's turn in the walking order, the lowest first."""
    rank: Annotated[int, Field(ge=0, le=WALK_MAX)] = 0
    """Of several places of the SKU, the lowest is looked at first."""


class ItemCode(Document):
    """A code that is printed on goods. 0 units: it counts no more."""

    code: Annotated[str, StringConstraints(min_length=1, max_length=CODE_MAX), *READABLE]
    sku: Sku
    units: Annotated[int, Field(ge=0, le=UNITS_MAX)] = 1
