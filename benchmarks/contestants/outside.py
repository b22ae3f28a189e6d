"""What the benchmark sees of an order from outside, the same way for every contestant.

It looks with connections of its own, so that its looking is not counted as the contestant's work.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Final, TypeVar

from domain.fulfilment.tracking import CarrierStatus
from store.database import Pool
from store.fulfilment import shipments

T = TypeVar("T")

JOURNEY: Final[tuple[CarrierStatus, ...]] = ("in_transit", "out_for_delivery", "delivered")
"""What the carrier says of each parcel: as many scans as `orderloom simulate` has it say."""

PAUSES: Final = 3 + len(JOURNEY)
"""Somebody takes a moment to pick, to pack and to hand over, and before each scan."""

_LOOK_S = 0.05


@dataclass(frozen=True)
class Label:
    """What is on the parcel."""

    carrier: str
    tracking_number: str


def required(thing: T | None) -> T:
    """The thing, which a contestant with effects always has."""
    if thing is None:
        raise ValueError("a contestant with effects needs its database")
    return thing


async def label_of(watch: Pool, fulfilment_id: str) -> Label:
    """Wait until the parcel has its label, without which no carrier takes it."""
    while True:
        async with watch.acquire() as conn:
            parcel = await shipments.find(conn, fulfilment_id)
        if parcel is not None and parcel.tracking_number is not None:
            return Label(carrier=str(parcel.carrier), tracking_number=parcel.tracking_number)
        await asyncio.sleep(_LOOK_S)
