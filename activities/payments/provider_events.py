"""Processes the events of payment companies: each once and in any order, also after a crash.

An event is read and applied in the transaction that marks it as processed. An event that cannot be
applied is tried again, after ever longer pauses, and no other event waits for it.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import timedelta

from activities.inboxes import ERROR_CHARACTERS_MAX, pause_after, said
from activities.payments.event_reader import EventReader
from activities.relay import BATCH
from activities.retention import AS_SHIPPED
from domain.errors import NotFound
from domain.payments.provider_events import DisputeNews, PaymentNews, Wake
from store.database import Connection, Pool, Record
from store.payments import disputes, provider_events

logger = logging.getLogger(__name__)

WAKEN_WITHIN = timedelta(minutes=1)
"""An event whose steps were not woken within this time is looked at again."""

Waken = Callable[[Wake], Awaitable[bool]]


class ProviderEvents:
    """A duty of the relay.

    `readers`: the reader of each company's events, by the company's name. `waken` makes a step that
    waits for a person look again. It returns False if it must be called again. `kept`: for how long
    an event is kept after it was processed.
    """

    def __init__(
        self,
        pool: Pool,
        waken: Waken,
        readers: Mapping[str, EventReader],
        kept: timedelta = AS_SHIPPED.provider_events,
    ) -> None:
        self._pool = pool
        self._kept = kept
        self._waken = waken
        self._readers = readers

    async def hear(self) -> None:
        """Process the events that are due."""
        await self.work_through(BATCH)
        await self.place_disputes(BATCH)

    async def forget(self) -> None:
        """Delete the events that were processed long ago."""
        while await self._forget_some() == BATCH:
            pass

    async def _forget_some(self) -> int:
        async with self._pool.acquire() as conn:
            return await provider_events.forget_processed(conn, self._kept, BATCH)

    async def work_through(self, batch: int) -> int:
        """Process at most `batch` events that are due. Returns the number of events tried."""
        for done in range(batch):
            if not await self._process_next():
                return done
        return batch

    async def place_disputes(self, batch: int) -> None:
        """Assign disputes of payments that were unknown before to their orders."""
        async with self._pool.acquire() as conn:
            await disputes.place(conn, batch)

    async def _process_next(self) -> bool:
        async with self._pool.acquire() as conn, conn.transaction():
            event = await provider_events.lock_due(conn)
            if event is None:
                return False
            wakes = await self._try(conn, event)
        # No transaction is open during calls to Temporal. After a crash here, the event comes
        # again.
        if wakes and all([await self._waken(wake) for wake in wakes]):
            async with self._pool.acquire() as conn:
                await provider_events.processed(conn, event["provider"], event["event_id"])
        return True

    async def _try(self, conn: Connection, event: Record) -> Sequence[Wake]:
        """Apply an event, or postpone it with the reason. Returns the steps to wake."""
        provider, event_id = event["provider"], event["event_id"]
        try:
            async with conn.transaction():
                wakes = await self._apply(conn, event)
        except Exception as error:  # noqa: BLE001  # one event's defect must not stop the others
            pause = pause_after(event["tries"])
            await provider_events.later(conn, provider, event_id, said(error), pause)
            logger.warning("%s of %s waits: %s", event_id, provider, type(error).__name__)
            return ()
        if wakes:
            steps = ", ".join(f"{wake.step!r} of {wake.order_id}" for wake in wakes)
            waits_for = f"wakes {steps}"[:ERROR_CHARACTERS_MAX]
            await provider_events.later(conn, provider, event_id, waits_for, WAKEN_WITHIN)
        else:
            await provider_events.processed(conn, provider, event_id)
        return wakes

    async def _apply(self, conn: Connection, event: Record) -> Sequence[Wake]:
        company, _, _ = event["provider"].partition(":")  # All accounts there say the same things.
        reader = self._readers.get(company)
        if reader is None:
            known = ", ".join(sorted(self._readers))
            raise NotFound(f"nobody reads events of {event['provider']!r} here, only of {known}")
        match reader(event["body"]):
            case DisputeNews(dispute=piece):
                await disputes.hear(conn, event["provider"], piece)
            case PaymentNews() as news:
                return await provider_events.heed(conn, event["provider"], news)
        return ()
