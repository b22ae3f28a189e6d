"""Speaks with shops: tells them of parcels and stock levels, and asks them for what changed.

A shop is visited where something is due with it, by one worker at a time, and each part of a visit
is bounded. Several are visited at once, so that one that hangs keeps no other waiting. One that
does not answer is left alone for ever longer pauses.
"""

from __future__ import annotations

import asyncio
import logging
import uuid
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Final

from activities.relay import BATCH
from activities.retention import AS_SHIPPED
from activities.shops.asking import Asking
from activities.shops.client import ShopAway, ShopClient, ShopFault, ShopRefuses, ShopSaysNo
from activities.shops.clients import ShopClients
from activities.shops.telling import Telling
from store.database import DatabaseFault, Pool
from store.shops import contacts, telling
from store.shops.contacts import Contact

logger = logging.getLogger(__name__)

AT_ONCE: Final = 8
VISIT_SECONDS_MAX: Final = 90.0
LEASE: Final = timedelta(seconds=120)
REST_MAX: Final = timedelta(minutes=15)
REST_REFUSED: Final = timedelta(minutes=5)
ERROR_CHARACTERS_MAX: Final = 300

_LOOK_EVERY_S: Final = 1.0
_GOODBYE_S: Final = 2.0

Part = Callable[[], Awaitable[None]]


class ShopVisits:
    """A duty of the relay, beside the others. `kept`: how long parcels that were told stay."""

    def __init__(
        self,
        pool: Pool,
        clients: ShopClients,
        kept: timedelta = AS_SHIPPED.provider_events,
        *,
        visit_seconds_max: float = VISIT_SECONDS_MAX,
    ) -> None:
        self._pool = pool
        self._clients = clients
        self._kept = kept
        self._visit_seconds_max = visit_seconds_max

    async def visit_all(self) -> None:
        """Visit shops until nothing is due with any, also what gets due meanwhile."""
        try:
            await self._visit_all()
        except ExceptionGroup as faults:  # The relay waits for a database that is away.
            raise faults.exceptions[0] from faults

    async def _visit_all(self) -> None:
        async with asyncio.TaskGroup() as tasks:
            visits: set[asyncio.Task[None]] = set()
            while True:
                if len(visits) < AT_ONCE and (found := await self._next()) is not None:
                    visits.add(tasks.create_task(self._visit(*found)))
                    continue
                visits = {visit for visit in visits if not visit.done()}
                if not visits:
                    return
                first = asyncio.FIRST_COMPLETED
                await asyncio.wait(visits, timeout=_LOOK_EVERY_S, return_when=first)

    async def _next(self) -> tuple[Contact, str] | None:
        holder = uuid.uuid4().hex
        async with self._pool.acquire() as conn:
            contact = await contacts.claim(conn, holder, LEASE)
        return None if contact is None else (contact, holder)

    async def forget(self) -> None:
        """Delete parcels that were told long ago."""
        while await self._forget_some() == BATCH:
            pass

    async def _forget_some(self) -> int:
        async with self._pool.acquire() as conn:
            return await telling.forget(conn, self._kept, BATCH)

    async def _visit(self, contact: Contact, holder: str) -> None:
        try:
            async with asyncio.timeout(self._visit_seconds_max):
                fault = await self._parts(contact, holder)
        except TimeoutError:
            fault = ShopAway(f"it took longer than {self._visit_seconds_max:g} s")
        except asyncio.CancelledError:
            async with asyncio.timeout(_GOODBYE_S), self._pool.acquire() as conn:
                await contacts.let_go(conn, contact.channel, holder)
            raise
        async with self._pool.acquire() as conn:
            if fault is None:
                await contacts.answered(conn, contact.channel, holder)
                return
            said = str(fault)[:ERROR_CHARACTERS_MAX]
            refuses = isinstance(fault, ShopRefuses | ShopSaysNo)
            logger.warning("the shop of %s: %s", contact.channel, said)
            await contacts.failed(
                *(conn, contact.channel, holder, said),
                refuses=refuses,
                rest=_rest(fault, contact.failures),
                wanted=contact.checks,
            )

    async def _parts(self, contact: Contact, holder: str) -> ShopFault | None:
        """Run each part of the visit. When the shop refuses one, the others still run."""
        client = self._clients.of(contact)
        tells = Telling(self._pool, client, contact, holder)
        parts: list[Part] = [tells.parcels]
        if contact.checks is not None:
            parts.insert(0, lambda: self._check(client, contact, holder))
        if contact.tells_levels:
            parts.append(tells.levels)
        if contact.asks:
            parts.append(Asking(self._pool, client, contact, holder).ask)
        # A shop that stumbles often is not to be stopped at the same part each time.
        first = contact.failures % len(parts)
        found: ShopFault | None = None
        for part in (*parts[first:], *parts[:first]):
            try:
                await part()
            except ShopAway as fault:
                return fault
            except ShopFault as fault:
                found = found or fault
            except (*DatabaseFault, TimeoutError):
                raise
            except Exception as error:  # noqa: BLE001 - one shop's odd answer must not stop others
                return ShopAway(f"it answered in a way that is not understood: {error!r}")
        return found

    async def _check(self, client: ShopClient, contact: Contact, holder: str) -> None:
        found = await client.rights()
        rights = [found.name, *found.rights, *(f"lacks {one}" for one in found.lacking)]
        async with self._pool.acquire() as conn:
            await contacts.checked(conn, contact.channel, holder, rights, contact.checks)


def _rest(fault: ShopFault, failures: int) -> timedelta:
    """How long a shop is left alone."""
    if not isinstance(fault, ShopAway):
        return REST_REFUSED
    usual = min(REST_MAX, timedelta(seconds=2.0 ** min(failures + 1, 12)))
    return usual if fault.after is None else max(usual, fault.after)
