"""Who has come to belong to a segment, and who does so no more: told as changes of customers."""

from __future__ import annotations

from typing import Final

from domain.customers.membership import belongs
from store import clock
from store.customers import memberships, segments
from store.database import Pool

CUSTOMERS_AT_ONCE: Final = 1_000
BLOCKS_MAX: Final = 10
"""Then the relay's other duties have their turn, and the next look goes on from there."""


class Memberships:
    """A duty of the relay. Several workers take turns: who comes while one is at it has no work.

    It looks at all customers, block by block, and begins again: who has not ordered for half a
    year comes to belong to a segment though nothing happens. Without segments it does nothing.
    """

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def look(self) -> None:
        """Look at the next customers, all of them where there are few."""
        for _ in range(BLOCKS_MAX):
            if not await self._block():
                return

    async def _block(self) -> bool:
        """Whether there are more behind these."""
        async with self._pool.acquire() as conn, conn.transaction():
            after = await memberships.turn(conn)
            if after is None:
                return False
            known = await segments.find(conn)
            found, reached = await segments.contacts(conn, after=after, at_most=CUSTOMERS_AT_ONCE)
            now = clock.now()
            theirs = [
                (one.customer_no, shown.segment)
                for one in found
                for shown in known
                if shown.set_as is not None and belongs(one.facts, shown.set_as, now)
            ]
            unread = [one.segment for one in known if one.set_as is None]
            await memberships.settle(conn, theirs, after=after, upto=reached, unread=unread)
        return reached is not None
