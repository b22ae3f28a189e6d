"""Carriers' reports about a shipment, and the status that follows from them.

Carriers send events twice, late and out of order. Each is kept as it arrived. The status that a
customer sees only moves forward, and an end is final: delivered stays delivered.
"""

from __future__ import annotations

from typing import Literal

CarrierStatus = Literal[
    "unknown",
    "pre_transit",
    "in_transit",
    "out_for_delivery",
    "available_for_pickup",
    "delivered",
    "return_to_sender",
    "failure",
]

# Progress of each status. Pick-up and the last mile have the same: either may come first.
_PROGRESS: dict[CarrierStatus, int] = {
    "unknown": 0,
    "pre_transit": 1,
    "in_transit": 2,
    "out_for_delivery": 3,
    "available_for_pickup": 3,
    "delivered": 4,
    "return_to_sender": 4,
    "failure": 4,
}
_END = 4


def advance(current: CarrierStatus, reported: CarrierStatus) -> CarrierStatus:
    """The status after one more report: the reported one if it is further along, else the current.

    Between equally far statuses the newer report wins, except at an end.
    """
    if is_end(current):
        return current
    return reported if _PROGRESS[reported] >= _PROGRESS[current] else current


def is_end(status: CarrierStatus) -> bool:
    """Whether the carrier's part is over: delivered, on its way back, or lost."""
    return _PROGRESS[status] == _END


def is_moving(status: CarrierStatus) -> bool:
    """Whether the carrier has the parcel, so that it must have been handed over."""
    return _PROGRESS[status] >= _PROGRESS["in_transit"]
