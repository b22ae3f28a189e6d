"""Replenishment: review the levels, and buy what is needed, by schedule or on request.

The decision is made in the store, under a lock; its purchase orders are rows, whose workflows the
relay starts. So a run that dies halfway, or runs twice, loses and doubles nothing.
"""

from __future__ import annotations

from temporalio import workflow

from workflows.engine import results, timeouts

with workflow.unsafe.imports_passed_through():
    from activities.purchasing.purchase_orders import Purchasing, Replenish, Replenished


@workflow.defn(name="Replenishment")
class ReplenishmentWorkflow:
    """One look at the levels: all of them, or those that were crossed."""

    @workflow.run
    async def run(self, ask: Replenish) -> Replenished:
        """Tried until it is done: an interrupted look goes on where the one before it came to."""
        return await results.insist(
            Purchasing.replenish,
            ask,
            start_to_close_timeout=timeouts.REPLENISHMENT,
            retry_policy=timeouts.DATABASE_RETRY,
            summary="Buy what is needed",
        )
