"""Asks a shop for the orders that changed, and keeps each as the message that tells of it.

Everything is counted by the shop's own clock: what changed up to a moment was read, and the next
time begins some minutes earlier, because a change can show up later than its time says. The time of
a change is in whole seconds, so an order that changed a moment ago is left for the next time: it
may change again within its second.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Final

from activities.shops.client import ODD, Changed, NotThere, Page, ShopAway, ShopClient, ShopSaysNo
from domain.errors import InvalidInput
from domain.shops.reading import subject_and_version
from store.database import Pool
from store.shops import contacts, messages
from store.shops.contacts import Contact

OVERLAP: Final = timedelta(minutes=5)
EVERY: Final = timedelta(minutes=5)
SOON: Final = timedelta(seconds=5)
ASK_SECONDS_MAX: Final = 20.0

_SETTLED_AFTER: Final = timedelta(seconds=2)
_APART: Final = timedelta(seconds=30)
_TOPICS: Final[Mapping[str, str]] = {"shopify": "orders/updated", "woocommerce": "order.updated"}
_FAILURES_MAX: Final = 2


class Asking:
    """One look at what changed at a shop."""

    def __init__(self, pool: Pool, client: ShopClient, contact: Contact, holder: str) -> None:
        self._pool = pool
        self._client = client
        self._contact = contact
        self._holder = holder
        self._from = self._since()
        self._failures = 0
        self._unread: datetime | None = None
        """The first change that could not be read: the next look begins there."""
        self._why = ""

    async def ask(self) -> None:
        """Read pages until there is no more, or no more time."""
        ends = asyncio.get_running_loop().time() + ASK_SECONDS_MAX
        page = await self._first()
        while True:
            complete = await self._take(page)
            over = not complete or not page.following
            upto = self._upto(page)
            if upto is not None and not await self._read_upto(upto, reading=not over):
                return  # Somebody else speaks with it by now.
            if over or asyncio.get_running_loop().time() > ends:
                break
            page = await self._client.changed(self._from, page.following)
        pause = EVERY if over and complete else SOON
        async with self._pool.acquire() as conn:
            await contacts.asked(conn, self._contact.channel, self._holder, pause)
        if self._unread is not None:  # All others were read.
            raise ShopAway(self._why)

    def _since(self) -> datetime:
        contact = self._contact
        if contact.read_upto is None:
            return contact.since - OVERLAP
        return contact.read_upto if contact.reading else contact.read_upto - OVERLAP

    async def _first(self) -> Page:
        """The first page, by the shop's clock, whatever that says."""
        contact = self._contact
        page = await self._client.changed(self._from)
        if page.at is None:
            return page
        if contact.read_upto is None:
            apart = page.at - contact.now
            if abs(apart) > _APART:
                self._from += apart
                return await self._client.changed(self._from)
        elif page.at < contact.read_upto - OVERLAP:
            # Its clock was set back: new changes have earlier times than those that were read.
            async with self._pool.acquire() as conn:
                await contacts.set_back(conn, contact.channel, self._holder, page.at)
            self._from = page.at - OVERLAP
            return await self._client.changed(self._from)
        return page

    async def _take(self, page: Page) -> bool:
        """Keep the new orders of a page. False: the next visit reads some that changed just now."""
        settled = [one for one in page.orders if self._is_settled(one, page)]
        keys = {_key(one): one for one in settled}
        async with self._pool.acquire() as conn:
            known = await contacts.known_messages(conn, self._contact.channel, list(keys))
        for key, one in keys.items():
            if key not in known:
                await self._keep(one)
        return len(settled) == len(page.orders)

    def _is_settled(self, one: Changed, page: Page) -> bool:
        return page.at is None or one.version <= page.at - _SETTLED_AFTER

    async def _keep(self, one: Changed) -> None:
        contact = self._contact
        try:
            content = one.content or await self._client.order(one.subject)
            subject, version = subject_and_version(contact.kind, content, one.version)
        except NotThere:  # It was deleted meanwhile.
            return
        except (ShopAway, ShopSaysNo, InvalidInput, *ODD) as fault:
            self._failures += 1
            if self._unread is None:
                self._unread = one.version
                self._why = f"order {one.subject} cannot be read: {fault}"
            after = fault.after if isinstance(fault, ShopAway) else None
            if self._failures >= _FAILURES_MAX or after is not None:
                raise ShopAway(self._why, after=after) from fault
            return  # One order that it cannot show holds back no others.
        self._failures = 0
        if version.astimezone(UTC) > one.version.astimezone(UTC):
            return  # It changed again, and comes again behind the others.
        body = json.dumps(content).encode()
        async with self._pool.acquire() as conn:
            key = _key(Changed(subject, version))
            await messages.keep(conn, contact.channel, key, _TOPICS[contact.kind], body, None)

    def _upto(self, page: Page) -> datetime | None:
        """Up to where everything was read."""
        read = [one.version for one in page.orders if self._is_settled(one, page)]
        if self._unread is not None:
            read = [version for version in read if version < self._unread]
        return max(read, default=None)

    async def _read_upto(self, upto: datetime, *, reading: bool) -> bool:
        async with self._pool.acquire() as conn:
            return await contacts.read_upto(
                conn, self._contact.channel, self._holder, upto, reading=reading
            )


def _key(one: Changed) -> str:
    """The same for the same change, however often it is read."""
    return f"asked:{one.subject}:{one.version.astimezone(UTC).isoformat()}"
