"""What a shop is told: a parcel that was handed over, and stock levels."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from domain.shops.connections import ShopOptions


@dataclass(frozen=True)
class Parcel:
    """A parcel as its shop is told of it.

    `subject`: the shop's id of the order. `units`: the shop's id of a line → units in the parcel.
    `is_last`: everything of the order that will be sent has been.
    """

    fulfilment_id: str
    subject: str
    carrier: str
    number: str
    url: str
    units: Mapping[str, int]
    is_last: bool


@dataclass(frozen=True)
class Level:
    """The units of a SKU that a shop may sell. `names`: what the shop calls it; any may be."""

    sku: str
    units: int
    names: Sequence[str] = field(default_factory=tuple)


def levels_of(units: Mapping[str, int], options: ShopOptions) -> list[Level]:
    """What a shop is told, with all that it may call each: its aliases, and our own name."""
    aliases: dict[str, list[str]] = defaultdict(list)
    for theirs, ours in sorted(options.skus.items()):
        aliases[ours].append(theirs)
    levels = []
    for sku, count in units.items():
        names = aliases.get(sku, [])
        # What the shop calls by this name may be something else of ours.
        own = () if sku in options.skus else (sku,)
        levels.append(Level(sku, count, (*names, *own)))
    return levels


def carrier_name(carrier: str, options: ShopOptions) -> str:
    """What the shop calls a carrier of ours."""
    return options.carriers.get(carrier, carrier)


def tracking_url(carrier: str, number: str, options: ShopOptions) -> str:
    """Where the parcel is followed; empty: nobody has said that of this carrier."""
    return options.tracking_urls.get(carrier, "").replace("{number}", number)
