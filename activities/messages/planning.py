"""Makes messages of events: beside the orders, which know nothing of them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Final

from domain.messages.kinds import ChannelKind, MessageKind
from domain.notifications.event_types import EventType
from store.database import Pool
from store.messages import rows

EVENTS_AT_ONCE: Final = 500
ROUNDS_MAX: Final = 10
"""Then the relay's other duties have their turn."""


class MessagePlan:
    """A duty of the relay. Several workers take turns."""

    def __init__(
        self,
        pool: Pool,
        told: Sequence[tuple[ChannelKind, EventType, MessageKind]],
        *,
        tell_within: timedelta,
        old_after: timedelta,
    ) -> None:
        """`told`: which events become which messages, for which kinds of channels.

        `tell_within`: of an event that is older nobody is told. `old_after`: an order that was
        placed so long before it was taken in is an old one.
        """
        self._pool = pool
        self._told = told
        self._within = tell_within
        self._old_after = old_after

    async def plan(self) -> None:
        """Make messages of all events that have a position by now."""
        for _ in range(ROUNDS_MAX):
            async with self._pool.acquire() as conn:
                await rows.begin(conn)
                _, more = await rows.plan(
                    conn,
                    self._told,
                    within=self._within,
                    old_after=self._old_after,
                    at_most=EVENTS_AT_ONCE,
                )
            if not more:
                return
