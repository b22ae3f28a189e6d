"""Compares our records with payment companies', day by day, and keeps what people say about it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Collection
from datetime import date, timedelta
from typing import Any

from temporalio.client import Client, WorkflowFailureError
from temporalio.common import WorkflowIDConflictPolicy
from temporalio.exceptions import ActivityError, ApplicationError
from temporalio.service import RPCError

from domain import ids
from domain.errors import InvalidInput, Refused, Unreachable
from starter.service.updates import unreachable
from store.database import Pool
from store.payments import reconciliation, resolving
from store.payments.reconciliation import Day, KeptDifference
from store.payments.resolving import Resolved

ANSWER_WITHIN = timedelta(seconds=30)

PATIENCE = timedelta(minutes=1)
"""A day of thousands of effects is read from a company in pages."""


class StillComparing(Unreachable):
    """A comparison was not done in time. It goes on."""


class ReconciliationRecords:
    """The days that were compared, and the differences. It needs the database alone."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def days(
        self,
        day: date | None = None,
        provider: str | None = None,
        *,
        after: tuple[date, str] | None = None,
        at_most: int | None = None,
    ) -> list[Day]:
        """The results of a day, one for each provider; or of all days, the newest first.

        `after`: behind this day of this provider.
        """
        async with self._pool.acquire() as conn:
            return await reconciliation.days(conn, day, provider, after=after, at_most=at_most)

    async def difference(self, difference_id: int) -> KeptDifference:
        """One difference. Raises NotFound."""
        async with self._pool.acquire() as conn:
            return await reconciliation.get(conn, difference_id)

    async def differences(
        self,
        *,
        day: date | None = None,
        provider: str | None = None,
        only_open: bool = True,
        sellers: Collection[str] | None = None,
        after: tuple[date, str, str, str] | None = None,
        at_most: int = 100_000,
    ) -> list[KeptDifference]:
        """Differences, the newest day first: those that are open, or all.

        `sellers`: of orders of one of these alone. `after`: behind the one of this day, provider,
        subject and class.
        """
        async with self._pool.acquire() as conn:
            return await reconciliation.differences(
                conn,
                provider=provider,
                day=day,
                only_open=only_open,
                sellers=sellers,
                after=after,
                at_most=at_most,
            )

    async def resolve(
        self, difference_id: int, *, note: str, who: str, was_by_hand: bool = False
    ) -> Resolved:
        """A person has seen to a difference. Raises NotFound, and Refused where it is closed.

        A refund that was made at the company itself is recorded for its order. `was_by_hand`: it is
        one that was reported before as done by hand. What somebody did about it elsewhere is a
        fact, like a count: no workflow waits for it.
        """
        async with self._pool.acquire() as conn, conn.transaction():
            return await resolving.resolve(
                conn, difference_id, note=note, who=who, was_by_hand=was_by_hand
            )


class Reconciliation(ReconciliationRecords):
    """The same, with the comparison itself, which a workflow makes."""

    def __init__(self, pool: Pool, temporal: Client, *, task_queue: str) -> None:
        super().__init__(pool)
        self._temporal = temporal
        self._task_queue = task_queue

    async def compare(
        self,
        day: date,
        *,
        provider: str | None = None,
        patience: timedelta = PATIENCE,
    ) -> None:
        """Compare a day (UTC) now, of one company or all, and mend what a rule can.

        Returns when that is done. The same call during that time waits for the same run. Raises
        InvalidInput for a future day or an unknown company, StillComparing where it takes longer
        than `patience`, or no worker runs, and Unreachable where a company or Temporal does not
        answer.
        """
        running: Awaitable[dict[str, Any]] = self._temporal.execute_workflow(
            "Reconciliation",
            {"provider": provider, "day": day.isoformat()},
            id=f"{ids.reconciliation_id(self._task_queue)}:{day}:{provider or 'all'}",
            task_queue=self._task_queue,
            id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
            static_summary=f"{day} of {provider or 'all payment companies'} is compared, by hand",
            result_type=dict[str, Any],
            rpc_timeout=ANSWER_WITHIN,
        )
        try:
            answer = await asyncio.wait_for(running, patience.total_seconds())
        except TimeoutError:
            raise StillComparing(
                f"{day} was not compared within {patience.total_seconds():.0f} s: is a worker "
                "running, and does the company answer? It goes on; asking again waits for the same "
                "comparison"
            ) from None
        except WorkflowFailureError as error:
            raise _refusal(error) from error
        except RPCError as error:
            raise unreachable(error) from error
        if answer["failed"]:
            names = ", ".join(one["provider"] for one in answer["failed"])
            raise Unreachable(f"{names} could not be compared on {day}: the worker's log says why")


def _refusal(error: WorkflowFailureError) -> InvalidInput | Refused:
    cause: BaseException | None = error.cause
    if isinstance(cause, ActivityError):
        cause = cause.cause
    if isinstance(cause, ApplicationError) and cause.type == InvalidInput.kind:
        return InvalidInput(cause.message)
    return Refused(f"the comparison has failed: {cause}")
