"""Reports from outside, kept until they reach the workflow that waits for them.

The report is written in the transaction of its fact, and a step says here that it waits. Whichever
comes second calls the relay, which hands the report to the step. So nothing is handed over before
somebody waits for it, and no report is lost, whichever program dies in between.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final, Literal

from store.database import Connection, Record, load_queries

_sql = load_queries(__file__)

CHANNEL = "wait_report"
"""The PostgreSQL notification channel that wakes the relay."""

LEASE: Final = timedelta(seconds=15)
"""How long a relay has to hand over what it has claimed. After it, another one takes over."""

Ending = Literal["arrived", "nobody waits", "away"]
"""What became of a claimed report: the step has it, or no such step waits, or nobody knows."""


async def report(
    conn: Connection, order_id: str, activity_id: str, outcome: dict[str, Any]
) -> None:
    """Keep a report for the step with the id `activity_id`. If it waits, the relay is called."""
    await _sql.report(
        conn, activity_id=activity_id, order_id=order_id, po_id=None, outcome=outcome, anew=False
    )


async def report_anew(
    conn: Connection, order_id: str, activity_id: str, outcome: dict[str, Any]
) -> None:
    """Keep a report in the place of the last one, for a step that is told more than once."""
    await _sql.report(
        conn, activity_id=activity_id, order_id=order_id, po_id=None, outcome=outcome, anew=True
    )


async def report_to_all(
    conn: Connection, waiting: Mapping[str, str], outcome: dict[str, Any], *, anew: bool = False
) -> None:
    """Keep the same report for each of many steps: activity id → order id.

    `anew`: in the place of each one's last report.
    """
    rows = _sql.report_to_all(
        conn,
        activity_ids=list(waiting),
        order_ids=list(waiting.values()),
        outcome=outcome,
        anew=anew,
    )
    [row async for row in rows]


async def report_purchase(
    conn: Connection, po_id: str, activity_id: str, outcome: dict[str, Any]
) -> None:
    """Keep a report for a step of a purchase order."""
    await _sql.report(
        conn, activity_id=activity_id, order_id=None, po_id=po_id, outcome=outcome, anew=False
    )


async def begin(
    conn: Connection, activity_id: str, *, order_id: str | None = None, po_id: str | None = None
) -> None:
    """Say that a step waits from now on. If its report is there, the relay is called."""
    await _sql.begin(conn, activity_id=activity_id, order_id=order_id, po_id=po_id)


async def begin_again(
    conn: Connection,
    activity_id: str,
    order_id: str,
    *,
    seen: datetime | None,
    told: dict[str, Any] | None,
) -> None:
    """Say that a step waits which knows by itself what it is to be told: `told`, or nothing.

    What was reported until then (`seen`: when) is told no more.
    """
    await _sql.begin_again(conn, activity_id=activity_id, order_id=order_id, seen=seen, told=told)


async def claim_pending(conn: Connection, batch: int) -> list[Record]:
    """Claim reports to hand over.

    Columns: activity_id, outcome, order_id or po_id, which names the workflow that waits, and those
    by which `handed_over` knows that nothing has changed meanwhile.
    """
    return [row async for row in _sql.pending_reports(conn, batch=batch, lease=LEASE)]


async def forget_ended(conn: Connection, batch: int) -> int:
    """Delete reports and waits of orders that have ended. Returns how many."""
    return len([row async for row in _sql.forget_ended(conn, batch=batch)])


async def handed_over(conn: Connection, claimed: Sequence[tuple[Record, Ending]]) -> None:
    """Record what became of claimed reports."""
    await _sql.handed_over(
        conn,
        order_nos=[report["order_no"] for report, _ in claimed],
        activity_ids=[report["activity_id"] for report, _ in claimed],
        tries=[report["tries"] for report, _ in claimed],
        waited=[report["waits_since"] for report, _ in claimed],
        reported=[report["reported_at"] for report, _ in claimed],
        endings=[ending for _, ending in claimed],
    )
