"""What is sold in a day: measured for all stock, and kept until it is measured again."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Final, NamedTuple

from domain.purchasing.purchase_orders import PurchasingPolicy
from store.database import Connection, load_queries

_sql = load_queries(__file__)

MOVEMENTS_MAX: Final = 20_000
"""So many of the latest movements of a SKU are told by day."""


class DayOfStock(NamedTuple):
    """Units of a SKU that orders claimed on a day, and by how many those on hand changed."""

    sold: int
    on_hand_change: int


async def measure(conn: Connection, policy: PurchasingPolicy) -> None:
    """Add up the demand of each stock row over the policy's days."""
    await _sql.measure(conn, days=_days(policy))


async def by_day(
    conn: Connection, sku: str, policy: PurchasingPolicy, *, locations: Sequence[str] | None = None
) -> dict[date, DayOfStock]:
    """What moved of a SKU on each day of the policy's; days on which nothing did are left out.

    A day is the location's. Of what moves very often, only the latest days are told.
    """
    places = None if locations is None else list(locations)
    rows = _sql.by_day(conn, sku=sku, locations=places, days=_days(policy), at_most=MOVEMENTS_MAX)
    return {row["day"]: DayOfStock(row["sold"], row["on_hand_change"]) async for row in rows}


def _days(policy: PurchasingPolicy) -> int:
    return max(1, policy.demand_over // timedelta(days=1))
