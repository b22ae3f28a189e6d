"""A duty of the relay: it takes files from partners' folders, and sends the documents that wait."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Final

from pydantic import SecretStr

from activities.edi.transport import SETTLED_S, collect, deliver
from activities.inboxes import for_a_person, pause_after
from activities.notifications.sending import Sender
from activities.relay import BATCH
from activities.retention import AS_SHIPPED
from domain.edi.files import parts
from domain.edi.partners import Partner
from domain.edi.wire import INTERCHANGE_BYTES_MAX
from store.database import Pool
from store.edi import interchanges, partners

Authorization = Mapping[str, SecretStr]
"""Partner → what it wants to read in the header of that name."""

LEASE: Final = timedelta(seconds=60)
"""A worker that has not sent one by then has died: another one sends the same bytes."""


class EdiExchange:
    """Carries interchanges. `sender`: sends what goes by HTTP. `settled_s`: see `transport`.

    `authorization`: partner → the header that it asks for. `kept`: for how long an interchange is
    kept after it was done.
    """

    def __init__(
        self,
        pool: Pool,
        sender: Sender,
        *,
        authorization: Authorization | None = None,
        settled_s: float = SETTLED_S,
        kept: timedelta = AS_SHIPPED.provider_events,
    ) -> None:
        self._pool = pool
        self._sender = sender
        self._authorization = authorization or {}
        self._settled_s = settled_s
        self._kept = kept

    async def carry(self) -> None:
        """Take the files from each partner's folder, and send the documents that wait for it."""
        async with self._pool.acquire() as conn:
            known = {one.partner: one for one in await partners.find(conn) if not one.retired}
            waiting = await interchanges.partners_to_send_to(conn)
        for partner in known.values():
            await self._collect(partner)
        for name in waiting:
            if name in known:
                await self._send_all(known[name])

    async def _collect(self, partner: Partner) -> None:
        if partner.folders is None:
            return
        error = ""
        try:
            async with self._pool.acquire() as turn, turn.transaction():
                if await partners.may_collect(turn, partner.partner):
                    await collect(partner.folders, self._keep, settled_s=self._settled_s)
        except OSError as fault:
            error = f"the folder cannot be read: {fault.strerror}"
        name, source = partner.partner, partner.folders.incoming
        async with self._pool.acquire() as conn:
            if error:
                await interchanges.trouble(conn, name, source, error)
            else:
                await interchanges.no_trouble(conn, name, source)

    async def _keep(self, name: str, raw: bytes) -> None:
        """Keep each interchange of a file for itself, all of them or none.

        Of a file that is too large nothing is read: what is kept of it is for a person.
        """
        async with self._pool.acquire() as conn, conn.transaction():
            for part in parts(raw) if len(raw) <= INTERCHANGE_BYTES_MAX else [raw]:
                await interchanges.keep(conn, name, part)

    async def _send_all(self, partner: Partner) -> None:
        for _ in range(BATCH):
            if not await self._send_next(partner):
                return

    async def _send_next(self, partner: Partner) -> bool:
        """Send the next one, in their sequence: while it is under way, none behind it is sent."""
        if partner.folders is None and partner.url is None:
            return False
        async with self._pool.acquire() as conn, conn.transaction():
            row = await interchanges.lock_unsent(conn, partner.partner)
            if row is None or not row["is_due"] or row["raw"] is None:
                return False
            await interchanges.lease(conn, row["interchange_no"], LEASE)
        name = f"{partner.partner}-{int(row['control']):09}.edi"
        secret = self._authorization.get(partner.partner)
        error = await deliver(partner, name, row["raw"], self._sender, secret)
        async with self._pool.acquire() as conn:
            if not error:
                await interchanges.sent(conn, row["interchange_no"])
                return True
            pause = pause_after(row["tries"])
            await interchanges.not_sent(conn, row["interchange_no"], for_a_person(error), pause)
        return False

    async def forget(self) -> None:
        """Delete interchanges that were done long ago."""
        while await self._forget_some() == BATCH:
            pass

    async def _forget_some(self) -> int:
        async with self._pool.acquire() as conn:
            return await interchanges.forget(conn, self._kept, BATCH)
