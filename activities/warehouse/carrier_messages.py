"""Works through carriers' messages: each once, in any order, also after a crash.

Each scan of a message goes by the door that reports of people go by, in a transaction of its own,
and a scan that is told again changes nothing. So a message may be worked through twice, and needs
no lock. One whose parcel is not known here is tried again: its label may be bought a moment later.
"""

from __future__ import annotations

import logging
from collections import Counter
from datetime import timedelta
from typing import Final

from activities.inboxes import for_a_person, pause_after, said
from activities.relay import BATCH
from activities.retention import AS_SHIPPED
from domain.fulfilment.carrier_messages import Scan, Told, company_of, read
from domain.words import few
from store import clock
from store.database import DatabaseFault, Pool, Record
from store.faults import is_of_a_value
from store.warehouse import carrier_messages, scans

logger = logging.getLogger(__name__)

LEASE: Final = timedelta(minutes=2)
AT_ONCE: Final = 20
"""Messages that are claimed together: each may hold a thousand scans, and two megabytes."""
ROUNDS_MAX: Final = 50
UNKNOWN_FOR: Final = timedelta(days=30)
"""So long a label may be bought here after the carrier has told of its parcel."""

_NO_PARCEL: Final = "unknown number"


class CarrierMessages:
    """A duty of the relay. `kept`: for how long a message is kept after it was worked through."""

    def __init__(self, pool: Pool, kept: timedelta = AS_SHIPPED.provider_events) -> None:
        self._pool = pool
        self._kept = kept

    async def work_through(self) -> None:
        """Work through the messages that are due."""
        for _ in range(ROUNDS_MAX):
            async with self._pool.acquire() as conn:
                due = await carrier_messages.claim(conn, LEASE, AT_ONCE)
            for message in due:
                await self._work(message)
            if len(due) < AT_ONCE:
                return

    async def forget(self) -> None:
        """Delete messages that were worked through long ago."""
        while await self._forget_some() == BATCH:
            pass

    async def _forget_some(self) -> int:
        async with self._pool.acquire() as conn:
            return await carrier_messages.forget(conn, self._kept, BATCH)

    async def _work(self, message: Record) -> None:
        number, sender = message["message_no"], message["sender"]
        heard: Counter[str] = Counter()
        unknown: set[str] = set()
        try:
            told = read(sender, message["body"])
            faults = list(told.faults)
            for scan in told.scans:
                try:
                    what = await self._scan(sender, told, scan)
                except Exception as error:  # noqa: BLE001 - one scan must not stop the others
                    faults.append(_reason(error))
                    continue
                heard[what] += 1
                if what == _NO_PARCEL:
                    unknown.add(scan.tracking_number)
        except Exception as error:  # noqa: BLE001 - one message's defect must not stop the others
            faults = [_reason(error)]
        outcome = ", ".join(f"{count} {what}" for what, count in sorted(heard.items()))
        numbers = few(sorted(unknown), "number")
        age = clock.now() - message["received_at"]
        if unknown and not faults and age > UNKNOWN_FOR:
            unknown, outcome = set(), f"no parcel has ever had {numbers}"
        async with self._pool.acquire() as conn:
            if not (faults or unknown):
                await carrier_messages.processed(conn, number, outcome or "tells of no parcel")
                return
            reasons = [*faults, f"no parcel has the number {numbers}"] if unknown else faults
            pause = pause_after(message["tries"])
            await carrier_messages.later(
                conn,
                number,
                # Most labels come within a minute, and after a day hardly one.
                pause if faults else max(pause, age / 24),
                error=for_a_person("; ".join(reasons)),
                tracking_number=None if faults else numbers,
            )
        logger.warning("message %s of carrier %s waits", number, sender)

    async def _scan(self, sender: str, told: Told, scan: Scan) -> str:
        """Report one scan. Returns what became of it."""
        names = [name for name in (scan.carrier, company_of(sender)) if name is not None]
        async with self._pool.acquire() as conn:
            label = await carrier_messages.label_of(conn, scan.tracking_number, names)
            if label is None:
                return _NO_PARCEL
            return await scans.carrier_event(
                conn,
                carrier=label.carrier,
                tracking_number=scan.tracking_number,
                event_id=scan.event_id,
                status=scan.status,
                happened_at=told.happened_at(scan, label.asked_at),
                detail=scan.detail,
            )


def _reason(error: Exception) -> str:
    """Raises the error where the database is away: then the message comes again by itself."""
    if isinstance(error, DatabaseFault) and not is_of_a_value(error):
        raise error
    return said(error)
