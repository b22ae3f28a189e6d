"""The outcome and time of each part of an order outside: drawn from a seed and the part's id.

Nothing here has a memory, so the same question always gets the same answer.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from domain.fulfilment.tracking import CarrierStatus
from domain.orders.policy import Duration
from domain.orders.quantities import LineUnits
from store.aftersales.returns import Counted

Task = Literal["pick", "put-back", "pack", "handover", "receive-return"]

Rate = Annotated[float, Field(ge=0, le=1)]


class SimulateOptions(BaseModel):
    """The behaviour of the outside. Durations are real, and pass `speed` times as fast.

    Each takes from half to one and a half times as long. Rates are shares of picks, parcels and
    return parcels.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    speed: Annotated[float, Field(gt=0)] = 1.0
    seed: int = 1
    pick_takes: Duration = timedelta(minutes=30)
    pack_takes: Duration = timedelta(minutes=10)
    hand_over_takes: Duration = timedelta(hours=4)
    transit_takes: Duration = timedelta(days=2)
    return_takes: Duration = timedelta(days=4)

    short_pick_rate: Rate = 0.01
    """Some units of one line are not found."""
    lost_rate: Rate = 0.005
    undeliverable_rate: Rate = 0.01
    """The carrier brings the parcel back."""
    repeated_scan_rate: Rate = 0.05
    """The carrier sends one of the scans twice."""
    late_scan_rate: Rate = 0.05
    """The carrier sends the first scan after the last one."""
    return_missing_rate: Rate = 0.1
    """Some units of one line are not in the return parcel."""
    return_scrap_rate: Rate = 0.1
    """Some units of one line that come back cannot be sold again."""

    acknowledge_takes: Duration = timedelta(hours=4)
    """The time to a supplier's answer. The goods take from 0.7 to 1.2 times the lead time."""
    refused_order_rate: Rate = 0.01
    """The supplier will not serve a purchase order."""
    short_supply_rate: Rate = 0.05
    """It sends less of one SKU than was ordered, and says so."""
    late_supply_rate: Rate = 0.1
    """It names a later day than the requested one."""
    slip_rate: Rate = 0.1
    """It names a day, and a later one after that."""
    part_delivery_rate: Rate = 0.25
    """It sends in two parts."""
    late_paper_rate: Rate = 0.05
    """Its papers arrive together with the goods."""
    repeated_report_rate: Rate = 0.05
    """A report of the supplier or the dock arrives twice."""

    until_idle: bool = False
    """End when there was nothing to do for `idle_after`, a real time that `speed` does not shorten.
    """
    idle_after: Duration = timedelta(seconds=5)
    at_once: Annotated[int, Field(ge=1, le=100)] = 6
    """Reports on their way to the database at the same time."""

    @model_validator(mode="after")
    def _one_end_for_each_parcel(self) -> Self:
        if self.lost_rate + self.undeliverable_rate > 1:
            raise ValueError("lost_rate and undeliverable_rate are more than 1 together")
        return self


@dataclass(frozen=True)
class Scan:
    """A carrier's scan of a parcel, `after` a time since the hand-over."""

    event_id: str
    status: CarrierStatus
    after: timedelta
    times: int = 1
    late: bool = False


class Fate:
    """The answers that follow from the options."""

    def __init__(self, options: SimulateOptions) -> None:
        self._options = options
        self._takes = {
            "pick": options.pick_takes,
            "put-back": options.pack_takes,
            "pack": options.pack_takes,
            "handover": options.hand_over_takes,
            "receive-return": options.return_takes,
        }

    def due(self, task: Task, part_id: str, since: datetime) -> datetime:
        """The time when a task is done that waits since `since`."""
        return since + self._lasts(self._takes[task], part_id, task)

    def found(self, fulfilment_id: str, units: LineUnits) -> dict[str, int]:
        """The picker's count."""
        return self._short(fulfilment_id, units, self._options.short_pick_rate)

    def came_back(self, return_id: str, units: LineUnits) -> dict[str, Counted]:
        """The count of a return parcel, by line id: units to sell again, and units to scrap."""
        received = self._short(return_id, units, self._options.return_missing_rate)
        spoilt = ""
        if self._happens(self._options.return_scrap_rate, return_id, "spoilt"):
            spoilt = self._one_of(units, return_id, "which is spoilt")
        return {
            line_id: Counted(scrapped=quantity)
            if line_id == spoilt
            else Counted(restocked=quantity)
            for line_id, quantity in received.items()
        }

    def journey(self, fulfilment_id: str) -> tuple[Scan, ...]:
        """All of the carrier's scans of a parcel, in the order of sending."""
        options = self._options
        total = self._lasts(options.transit_takes, fulfilment_id, "transit")
        end: CarrierStatus = "delivered"
        draw = self._draw(fulfilment_id, "end")
        if draw < options.lost_rate + options.undeliverable_rate:
            end = "failure" if draw < options.lost_rate else "return_to_sender"
        # Carriers use tracking numbers again, so an event is known by its parcel as well.
        scans = [
            Scan(f"{fulfilment_id}/1", "in_transit", total * 0.1),
            Scan(f"{fulfilment_id}/2", "out_for_delivery", total * 0.8),
            Scan(f"{fulfilment_id}/3", end, total),
        ]
        if end == "failure":
            del scans[1]  # It never went that far.
        if self._happens(options.repeated_scan_rate, fulfilment_id, "repeated"):
            again = int(self._draw(fulfilment_id, "which is repeated") * len(scans))
            scans[again] = replace(scans[again], times=2)
        if self._happens(options.late_scan_rate, fulfilment_id, "late"):
            scans.append(replace(scans.pop(0), late=True))
        return tuple(scans)

    def _short(self, part_id: str, units: LineUnits, rate: float) -> dict[str, int]:
        there = dict(units)
        if self._happens(rate, part_id, "short"):
            line_id = self._one_of(units, part_id, "which is short")
            there[line_id] -= 1 + int(self._draw(part_id, "how short") * there[line_id])
        return there

    def _one_of(self, units: LineUnits, part_id: str, about: str) -> str:
        return sorted(units)[int(self._draw(part_id, about) * len(units))]

    def _lasts(self, duration: timedelta, part_id: str, about: str) -> timedelta:
        return duration * (0.5 + self._draw(part_id, f"{about} lasts")) / self._options.speed

    def _happens(self, rate: float, part_id: str, about: str) -> bool:
        return self._draw(part_id, about) < rate

    def _draw(self, part_id: str, about: str) -> float:
        return draw(self._options.seed, part_id, about)


def draw(seed: int, part_id: str, about: str) -> float:
    """A number in [0, 1), always the same for the same question."""
    question = f"{seed} {part_id} {about}".encode()
    return int.from_bytes(hashlib.blake2b(question, digest_size=6).digest(), "big") / 2**48
