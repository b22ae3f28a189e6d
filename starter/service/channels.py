"""Keeps channels: where orders come from."""

from __future__ import annotations

from collections.abc import Sequence

from domain.orders.channels import Channel
from domain.orders.policy import Policy
from domain.seen import check_seen
from store.database import Pool
from store.orders import channels


class Channels:
    """Channels: web shops, tills, marketplace accounts, and ways for business customers.

    What changes here concerns the orders that come from now on.
    """

    def __init__(self, pool: Pool, policy: Policy | None = None) -> None:
        """`policy`: of orders of which neither their channel nor they say anything else."""
        self._pool = pool
        self.usual_policy = policy or Policy()

    async def list(
        self, *, after: str | None = None, at_most: int | None = None
    ) -> Sequence[Channel]:
        """All channels, by their codes; or so many of them at most, behind the one with a code."""
        async with self._pool.acquire() as conn:
            return await channels.find(conn, after=after, at_most=at_most)

    async def get(self, channel: str) -> Channel:
        """One channel. Raises NotFound."""
        async with self._pool.acquire() as conn:
            return await channels.get(conn, channel)

    async def save(self, wanted: Sequence[Channel]) -> None:
        """Set all there is to know about these channels: all of them, or none where one is wrong.

        Raises InvalidInput for a seller or a location that is not there.
        """
        async with self._pool.acquire() as conn:
            await channels.save(conn, wanted)

    async def make(self, wanted: Channel) -> None:
        """Make a channel. Raises Conflict (`code_taken`) where it is there, and as `save` does."""
        async with self._pool.acquire() as conn:
            await channels.save(conn, [wanted], only_new=True)

    async def change(self, wanted: Channel, *, seen: str) -> None:
        """Set all there is to know about a channel that is as somebody saw it: `version_of` that.

        Raises NotFound, Conflict (`changed_since`), and as `save` does.
        """
        async with self._pool.acquire() as conn, conn.transaction():
            check_seen(await channels.lock(conn, wanted.channel), seen, wanted.channel)
            await channels.save(conn, [wanted])

    async def retire(self, channel: str) -> None:
        """Let it take no new orders. Raises NotFound."""
        async with self._pool.acquire() as conn:
            await channels.retire(conn, channel)

    async def reopen(self, channel: str) -> None:
        """Let it take new orders again. Raises NotFound."""
        async with self._pool.acquire() as conn:
            await channels.reopen(conn, channel)
