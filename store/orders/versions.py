"""The versions of an order's document: what it was, and who changed it, when and why.

The present version is the order's own document. An earlier one is written when an edit takes its
place, so an order that nobody changes has none.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from domain.errors import Refused
from domain.money import Money
from domain.orders.edit_lines import LineRow
from domain.orders.edit_messages import Change, EditRequest, PersonChange
from domain.orders.order import Order
from domain.orders.versions import OrderVersion
from store.database import Connection, load_queries
from store.faults import refusals

_sql = load_queries(__file__)


async def listed(conn: Connection, order_id: str) -> list[OrderVersion]:
    """All versions of an order, oldest first; none of an order that is not there."""
    rows = _sql.versions_of(conn, order_id=order_id)
    return [
        OrderVersion(
            version=row["version"],
            document=row["document"],
            total=Money(minor=row["total_minor"], currency=row["currency"]),
            changes=row["changes"],
            request_id=row["request_id"],
            reason=row["reason"],
            changed_by=row["who"],
            changed_at=row["changed_at"],
        )
        async for row in rows
    ]


async def present(conn: Connection, order_id: str) -> int:
    """The number of the order's version that stands."""
    number: int = await _sql.present(conn, order_id=order_id)
    return number


async def check_unchanged(conn: Connection, order_id: str, seen: int, present: int) -> None:
    """Raise Refused, with what was changed, where the version that was seen is not the present."""
    if seen == present:
        return
    told = [
        f"{row['who']} changed {'; '.join(str(Change(**each)) for each in row['changes'])}"
        async for row in _sql.changes_since(conn, order_id=order_id, version=seen)
    ]
    since = f": {', then '.join(told)}" if told else ""
    raise Refused(
        f"order {order_id} is at version {present}, and no longer at {seen}{since}. Look at it "
        "again, and decide anew",
        reason="changed_meanwhile",
        instead=("edit_order",),
    )


async def wish(conn: Connection, order_id: str, request_id: str, person: PersonChange) -> None:
    """Keep what an edit changes of the person, until the order has met the request.

    A repeat changes nothing. Raises NotFound, Refused for an order that has ended, and Conflict
    where the request was made before with other content.
    """
    content = person.model_dump(mode="json", exclude_none=True)
    async with conn.transaction():
        with refusals():
            await _sql.wish(conn, order_id=order_id, request_id=request_id, person=content)


async def forget(conn: Connection, order_id: str, request_id: str) -> None:
    """Forget what was kept for a request that was refused."""
    await _sql.forget(conn, order_id=order_id, request_id=request_id)


async def edited(
    conn: Connection,
    order: Order,
    lines: Sequence[LineRow],
    changes: Sequence[Change],
    request: EditRequest,
    request_id: str,
) -> int:
    """Write a new version of an order, whose lock the caller holds. Returns its number."""
    number: int = await _sql.edited(
        conn,
        order_id=order.order_id,
        document=order.model_dump(mode="json"),
        total=order.total_minor,
        lines=[dict(vars(line)) for line in lines],
        request_id=request_id,
        changes=_told(changes),
        reason=request.reason,
        who=request.by,
    )
    return number


def _told(changes: Sequence[Change]) -> list[dict[str, Any]]:
    return [change.model_dump(mode="json") for change in changes]
