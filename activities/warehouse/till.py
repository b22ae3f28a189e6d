"""Sales at a till: the customer has the goods in the hand, and nobody looks for them."""

from __future__ import annotations

from contextlib import suppress
from typing import Final

from domain.errors import IllegalTransition, Refused
from store import clock
from store.database import Pool
from store.warehouse import counter, facts

TILL: Final = "till"
"""The name under which these reports stand in an order's story."""


class Till:
    """Reports what a warehouse would: safe to repeat, as all such reports."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def picked_and_packed(self, fulfilment_id: str) -> None:
        """picking → packed: the customer has brought the goods to the till.

        One that a person has picked, or that was recalled meanwhile, goes on as they said.
        """
        async with self._pool.acquire() as conn:
            for report in (facts.pick, facts.pack):
                with suppress(Refused):
                    await report(conn, fulfilment_id, who=TILL)

    async def handed_over(self, fulfilment_id: str) -> None:
        """labelled → delivered. One whose payment has ended waits for a person."""
        with suppress(IllegalTransition):
            async with self._pool.acquire() as conn:
                await counter.hand_over(conn, fulfilment_id, at=clock.now(), who=TILL)
