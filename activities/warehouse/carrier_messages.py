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

from activities.inboxes import ERROR_CHARACTERS_MAX, pause_after, said
from activities.relay import BATCH
from activities.retention import AS_SHIPPED
from domain.fulfilment.carrier_messages import Scan, company_of, read
from domain.words import few
from store import clock
from store.database import DatabaseFault, Pool, Record
from store.faults import is_of_a_value
from store.warehouse import carrier_messages, scans

logger = logging.getLogger(__name__)

LEASE: Final = timedelta(minutes=2)
ROUNDS_MAX: Final = 10
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
                due = await carrier_messages.claim(conn, LEASE, BATCH)
            for message in due:
                await self._work(message)
            if len(due) < BATCH:
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
        unknown: list[str] = []
        try:
            told = read(sender, message["body"])
            faults = list(told.faults)
            for scan in told.scans:
                try:
                    what = await self._scan(sender, scan)
                except Exception as error:  # noqa: BLE001 - one scan must not stop the others
                    faults.append(_reason(error))
                    continue
                heard[what] += 1
                if what == _NO_PARCEL and scan.tracking_number not in unknown:
                    unknown.append(scan.tracking_number)
        except Exception as error:  # noqa: BLE001 - one message's defect must not stop the others
            faults = [_reason(error)]
        outcome = ", ".join(f"{count} {what}" for what, count in sorted(heard.items()))
        if unknown and not faults and clock.now() - message["received_at"] > UNKNOWN_FOR:
            unknown, outcome = [], f"no parcel has ever had {few(unknown, 'number')}"
        async with self._pool.acquire() as conn:
            if not (faults or unknown):
                await carrier_messages.processed(conn, number, outcome or "tells of no parcel")
                return
            if unknown:
                faults.append(f"no parcel has the number {few(unknown, 'number')}")
            await carrier_messages.later(
                conn,
                number,
                pause_after(message["tries"]),
                error="; ".join(faults)[:ERROR_CHARACTERS_MAX],
                tracking_number=unknown[0] if unknown and len(faults) == 1 else None,
            )
        logger.warning("message %s of carrier %s waits", number, sender)

    async def _scan(self, sender: str, scan: Scan) -> str:
        """Report one scan. Returns what became of it."""
        names = [name for name in (scan.carrier, company_of(sender)) if name is not None]
        async with self._pool.acquire() as conn:
            carrier = await carrier_messages.label_carrier(conn, scan.tracking_number, names)
            if carrier is None:
                return _NO_PARCEL
            return await scans.carrier_event(
                conn,
                carrier=carrier,
                tracking_number=scan.tracking_number,
                event_id=scan.event_id,
                status=scan.status,
                happened_at=scan.happened_at,
                detail=scan.detail,
            )


def _reason(error: Exception) -> str:
    """Raises the error where the database is away: then the message comes again by itself."""
    if isinstance(error, DatabaseFault) and not is_of_a_value(error):
        raise error
    return said(error)
