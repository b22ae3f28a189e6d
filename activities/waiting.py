"""Steps that wait for a report from outside. The relay completes them by their activity id."""

from __future__ import annotations

from typing import Any

from temporalio import activity

from domain import ids
from store import waits
from store.database import Pool


async def report_so_far(pool: Pool, step: str, part_id: str) -> dict[str, Any] | None:
    """The report that arrived before the step began to wait, or None."""
    async with pool.acquire() as conn:
        return await waits.take(conn, ids.wait_id(step, part_id))


async def wait_for_report(pool: Pool, step: str, part_id: str) -> dict[str, Any]:
    """Return the report if there is one; otherwise leave the activity open for the relay."""
    report = await report_so_far(pool, step, part_id)
    if report is None:
        activity.raise_complete_async()
    return report
