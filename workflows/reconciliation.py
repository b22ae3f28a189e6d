"""Reconciliation: compare each payment company's days with our records, by schedule or on request.

The store keeps the compared days and their differences; only counts come back here. A run that dies
loses nothing: a day stays due until it was compared after its end, and while a difference is open.
"""

from __future__ import annotations

from temporalio import workflow
from temporalio.exceptions import ActivityError

from workflows.engine import results, timeouts

with workflow.unsafe.imports_passed_through():
    from activities.payments.reconciliation import (
        ProviderDay,
        Reconcile,
        Reconciliation,
        ReconciliationSummary,
    )


@workflow.defn(name="Reconciliation")
class ReconciliationWorkflow:
    """Compares the days that are due, or the one that is asked for, and mends what a rule can."""

    @workflow.run
    async def run(self, ask: Reconcile) -> ReconciliationSummary:
        """A company that does not answer keeps no other one waiting: its day is due again."""
        due = await results.insist(
            Reconciliation.days_due,
            ask,
            start_to_close_timeout=timeouts.DATABASE_STEP,
            retry_policy=timeouts.DATABASE_RETRY,
            summary="Which days are due",
        )
        compared, open_, failed = 0, 0, []
        for day in due.days:
            try:
                open_ += await self.reconcile(day)
                compared += 1
            except ActivityError as error:
                workflow.logger.warning("%s of %s is due again: %s", day.day, day.provider, error)
                failed.append(day)
        return ReconciliationSummary(compared=compared, open=open_, failed=tuple(failed))

    async def reconcile(self, day: ProviderDay) -> int:
        """Compare one day, and mend. Returns how many differences are open then."""
        compared = await results.insist(
            Reconciliation.reconcile_day,
            day,
            start_to_close_timeout=timeouts.RECONCILIATION,
            schedule_to_close_timeout=timeouts.RECONCILIATION_GIVE_UP,
            retry_policy=timeouts.PROVIDER_RETRY,
            summary=f"Compare {day.day} of {day.provider}",
        )
        if compared.differences == 0:
            return 0
        mended = await results.insist(
            Reconciliation.mend_day,
            day,
            start_to_close_timeout=timeouts.RECONCILIATION,
            schedule_to_close_timeout=timeouts.RECONCILIATION_GIVE_UP,
            retry_policy=timeouts.PROVIDER_RETRY,
            summary=f"Mend {day.day} of {day.provider}",
        )
        return mended.open
