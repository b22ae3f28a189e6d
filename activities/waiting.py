"""Steps that wait for a report from outside. The relay completes them by their activity id."""

from __future__ import annotations

from typing import NoReturn

from temporalio import activity

from domain import ids
from store import waits
from store.database import Pool


async def say_that_it_waits(
    pool: Pool, step: str, part_id: str, *, po_id: str | None = None
) -> None:
    """From now on the relay hands the step's report over, also one that came before.

    `part_id` names a part of an order, or the purchase order `po_id`.
    """
    async with pool.acquire() as conn:
        await waits.begin(
            conn,
            ids.wait_id(step, part_id),
            order_id=ids.order_of(part_id) if po_id is None else None,
            po_id=po_id,
        )


async def wait_for_report(
    pool: Pool, step: str, part_id: str, *, po_id: str | None = None
) -> NoReturn:
    """Say that the step waits, and leave the activity open for the relay."""
    await say_that_it_waits(pool, step, part_id, po_id=po_id)
    activity.raise_complete_async()
