"""What is sold in a day: measured for all stock, and kept until it is measured again."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

from domain.purchasing.purchase_orders import PurchasingPolicy
from store.database import Connection, load_queries

_sql = load_queries(__file__)


async def measure(conn: Connection, policy: PurchasingPolicy) -> None:
    """Add up the demand of each stock row over the policy's days."""
    await _sql.measure(conn, days=_days(policy))


async def by_day(
    conn: Connection, sku: str, policy: PurchasingPolicy, *, locations: Sequence[str] | None = None
) -> dict[date, int]:
    """Day → units sold of a SKU, over the policy's days; days without any are left out."""
    places = None if locations is None else list(locations)
    rows = _sql.by_day(conn, sku=sku, locations=places, days=_days(policy))
    return {row["day"]: row["units"] async for row in rows}


def _days(policy: PurchasingPolicy) -> int:
    return max(1, policy.demand_over // timedelta(days=1))
