"""Carriers' reports about a shipment, and the status that follows from them.

Carriers send events twice, late and out of order. Each is kept as it arrived. The status that a
customer sees only moves forward, and an end is final: delivered stays delivered.
"""

from __future__ import annotations

from typing import Final, Literal

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

Heard = Literal["new", "repeat", "of another"]
"""What became of a scan. `of another`: it was before the number was in use here, so all that came
of it is a person's task."""

SCANS_MAX: Final = 1000
"""More scans are in no message."""

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

_ENDS: dict[CarrierStatus, str] = {
    "delivered": "delivered",
    "return_to_sender": "undeliverable",
    "failure": "lost",
}


def overtaken_by(reported: CarrierStatus) -> list[CarrierStatus]:
    """The statuses that a report takes the place of: those that are no further along.

    Between equally far statuses the newer report wins, except at an end: an end is final.
    """
    return [
        status
        for status, progress in _PROGRESS.items()
        if progress <= _PROGRESS[reported] and status not in _ENDS
    ]


def end_of(status: CarrierStatus) -> str | None:
    """What the order's story calls this end of the carrier's part; None where it is none."""
    return _ENDS.get(status)


def is_moving(status: CarrierStatus) -> bool:
    """Whether the carrier has the parcel, so that it must have been handed over."""
    return _PROGRESS[status] >= _PROGRESS["in_transit"]
