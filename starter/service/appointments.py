"""Services that are given to customers at a time: what is agreed, and what became of it."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import UTC, datetime

from store.database import Pool
from store.fulfilment import appointments
from store.fulfilment.appointments import Appointment
from store.warehouse import counter


class Appointments:
    """Each report is one transaction; the same again changes nothing."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def to_come(
        self,
        *,
        location: str | None = None,
        channels: Collection[str] | None = None,
        sellers: Collection[str] | None = None,
        at_most: int = 1000,
    ) -> Sequence[Appointment]:
        """What is still to be given, the soonest first, that matches every filter."""
        async with self._pool.acquire() as conn:
            return await appointments.to_come(
                conn, location=location, channels=channels, sellers=sellers, at_most=at_most
            )

    async def make(
        self, fulfilment_id: str, begins_at: datetime, *, who: str, note: str = ""
    ) -> None:
        """Agree on a time, or on another one: `store.fulfilment.appointments.make`."""
        async with self._pool.acquire() as conn:
            await appointments.make(conn, fulfilment_id, begins_at, who=who, note=note)

    async def missed(self, fulfilment_id: str, *, who: str, note: str = "") -> None:
        """It was not given at its time: `store.fulfilment.appointments.missed`."""
        async with self._pool.acquire() as conn:
            await appointments.missed(conn, fulfilment_id, who=who, note=note)

    async def done(self, fulfilment_id: str, *, who: str) -> None:
        """The customer has had it. It is charged and invoiced in the same transaction.

        Raises IllegalTransition where it is not paid, or its order is held.
        """
        async with self._pool.acquire() as conn:
            await counter.hand_over(conn, fulfilment_id, at=datetime.now(UTC), who=who)
