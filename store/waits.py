"""Reports from outside, kept until they reach the workflow that waits for them.

The report is written in the transaction of its fact. From there the relay hands it to the waiting
step; a step that begins after its report finds it here. So no report is lost, whichever program
dies in between.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from store.database import Connection, Record, load_queries

_sql = load_queries(__file__)

CHANNEL = "wait_report"
"""The PostgreSQL notification channel that wakes the relay."""


async def report(
    conn: Connection, order_id: str, activity_id: str, outcome: dict[str, Any]
) -> None:
    """Keep a report for the step that waits under `activity_id`, and wake the relay at commit."""
    await _sql.report(conn, activity_id=activity_id, order_id=order_id, po_id=None, outcome=outcome)


async def report_to_all(
    conn: Connection, waiting: Mapping[str, str], outcome: dict[str, Any]
) -> None:
    """Keep the same report for each of many steps: activity id → order id."""
    await _sql.insert_reports(
        conn, activity_ids=list(waiting), order_ids=list(waiting.values()), outcome=outcome
    )


async def report_purchase(
    conn: Connection, po_id: str, activity_id: str, outcome: dict[str, Any]
) -> None:
    """Keep a report for a step of a purchase order, and wake the relay at commit."""
    await _sql.report(conn, activity_id=activity_id, order_id=None, po_id=po_id, outcome=outcome)


async def take(conn: Connection, activity_id: str) -> dict[str, Any] | None:
    """The report that arrived before the step began to wait, or None."""
    row = await _sql.take_report(conn, activity_id=activity_id)
    return None if row is None else row["outcome"]


async def claim_pending(conn: Connection, batch: int) -> list[Record]:
    """Claim undelivered reports: activity_id, outcome, tries, taken, order_id and po_id.

    One of `order_id` and `po_id` names the workflow that waits, the other one is null. `taken`: the
    step has found the report by itself, and has answered unless it died meanwhile.
    """
    return [row async for row in _sql.pending_reports(conn, batch=batch)]


async def delivered(conn: Connection, activity_ids: list[str]) -> None:
    """Mark reports as delivered to their workflows."""
    await _sql.reports_delivered(conn, activity_ids=activity_ids)


async def stranded_labels(conn: Connection, older_than: timedelta, batch: int) -> list[Record]:
    """Fulfilments whose label should have been bought by now: fulfilment_id, order_id."""
    rows = _sql.stranded_labels(conn, older_than=older_than, batch=batch)
    return [row async for row in rows]
