"""The places at which goods are a seller's while their supplier sends them to a customer."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

LOCATION_MAX: Final = 64
"""A location's name has no more characters."""


def place_at(supplier: str) -> str:
    """The first seller's; another one has a place whose name begins alike."""
    return f"at-{supplier}"[:LOCATION_MAX]


def is_place_at(location: str, suppliers: Iterable[str]) -> bool:
    """Whether it is the place of one of these: nothing is bought to be brought there."""
    places = {place_at(one) for one in suppliers}
    return location in places or any(location.startswith(f"{one}-") for one in places)
