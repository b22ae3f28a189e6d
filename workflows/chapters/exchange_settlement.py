"""An exchange order waits with its charge until it is known what comes back for it."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Final

from temporalio import workflow

from workflows.engine.outcomes import Done
from workflows.engine.steps import Steps

with workflow.unsafe.imports_passed_through():
    from activities.payments.exchanges import ExchangeOrder, Exchanges
    from domain.orders.policy import Policy
    from domain.words import span

GRACE: Final = timedelta(days=2)
"""So much later than the return of an exchange must have ended, a person is told."""


class ExchangeSettlement:
    """Of an exchange order: what comes back for it is known, so that the rest can be charged."""

    def __init__(self, steps: Steps, order_id: str, policy: Policy) -> None:
        self._steps = steps
        self._order_id = order_id
        self._policy = policy
        self._one_wait = asyncio.Lock()
        self.parts: set[str] = set()  # whose charge waits for it

    @property
    def awaited(self) -> int:
        """So many charges wait for it, and nothing else is under way about them."""
        if self._steps.waits_for(Exchanges.await_exchange, self._order_id):
            return len(self.parts)
        return 0

    async def known_for(self, part_id: str) -> None:
        """Wait until it is known. Of a later part it may have been known for long."""
        self.parts.add(part_id)
        try:
            async with self._one_wait:
                await self._wait()
        finally:
            self.parts.discard(part_id)

    async def _wait(self) -> None:
        within = self._policy.return_ends_within + GRACE

        async def overdue() -> str:
            return f"what comes back for {self._order_id} is not known after {span(within)}"

        outcome = await self._steps.wait(
            Exchanges.await_exchange,
            ExchangeOrder(order_id=self._order_id),
            self._order_id,
            "The return of what is exchanged",
            within=lambda: within,
            overdue=overdue,
        )
        assert isinstance(outcome, Done)  # it is awaited until it is known
