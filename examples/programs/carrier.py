"""The carriers: they scan the parcels that the API lists, and bring most of them to their door."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from orderloom_client.api.carriers import list_parcels, report_carrier_event
from orderloom_client.models import CarrierEvent

from .door import Door
from .plan import Plan, draw

_LOOKS_EVERY_S: Final = 0.5
_AT_ONCE: Final = 6
_TRANSIT: Final = timedelta(days=2)
_ENDS: Final = {"delivered": "delivered", "failure": "lost", "return_to_sender": "undeliverable"}


@dataclass(frozen=True)
class _Scan:
    status: str
    after: timedelta
    times: int = 1
    late: bool = False


class Carriers:
    """All of them, until they are cancelled."""

    def __init__(self, door: Door, plan: Plan) -> None:
        self._door = door
        self._plan = plan
        self._few_at_once = asyncio.Semaphore(_AT_ONCE)
        self._sent: dict[str, int] = {}

    async def run(self) -> None:
        """Look for parcels and scan them, again and again."""
        while True:
            parcels = await self._door.all(list_parcels)
            await asyncio.gather(*(self._carry(parcel) for parcel in parcels))
            await asyncio.sleep(_LOOKS_EVERY_S)

    async def _carry(self, parcel: Any) -> None:
        part_id = parcel.fulfilment_id
        if self._plan.holds("carry", parcel.order_id):
            return
        scans = self._journey(part_id)
        async with self._few_at_once:
            for number in range(self._sent.get(part_id, 0), len(scans)):
                due = parcel.handed_over_at + scans[number].after
                if due > datetime.now(UTC):
                    return
                await self._scan(parcel, number, scans[number], due)
                self._sent[part_id] = number + 1

    async def _scan(self, parcel: Any, number: int, scan: _Scan, due: datetime) -> None:
        # Carriers use tracking numbers again, so a scan is known by its parcel as well.
        event_id = f"{parcel.fulfilment_id}/{number}"
        at = due if scan.late else datetime.now(UTC)
        for time in range(scan.times):
            heard = await self._door.ask(
                report_carrier_event,
                body=CarrierEvent.from_dict(
                    {
                        "carrier": parcel.carrier,
                        "tracking_number": parcel.tracking_number,
                        "event_id": event_id,
                        "status": scan.status,
                        "happened_at": at.isoformat(),
                    }
                ),
                idempotency_key=f"scan {event_id} {time}",
            )
            if heard.heard.value == "repeat":
                self._plan.counts["repeated_scans"] += 1
                continue
            self._plan.counts.update(scans=1, late_scans=int(scan.late))
            if scan.status in _ENDS:
                self._plan.counts[_ENDS[scan.status]] += 1

    def _journey(self, part_id: str) -> list[_Scan]:
        """All scans of a parcel, in the order of sending."""
        whole = _TRANSIT * (0.5 + draw(part_id, "transit")) / self._plan.speed
        end = "delivered"
        if self._plan.happens("lost", part_id):
            end = "failure"
        elif self._plan.happens("undeliverable", part_id):
            end = "return_to_sender"
        again = 2 if self._plan.happens("repeated_scan", part_id) else 1
        first = _Scan("in_transit", whole * 0.1, times=again)
        last = _Scan(end, whole)
        if self._plan.happens("late_scan", part_id):
            return [last, _Scan("in_transit", whole * 0.1, late=True)]
        return [first, last] if end == "failure" else [first, _out(whole), last]


def _out(whole: timedelta) -> _Scan:
    return _Scan("out_for_delivery", whole * 0.8)
