"""The journal of stock: what moved, by whom and why. Reads only."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from pydantic import BaseModel, ConfigDict

from store.database import Connection, load_queries
from store.stock.stock import MovementKind

_sql = load_queries(__file__)


class Movement(BaseModel):
    """One line of a stock row's story, with the row's counts after it.

    `counted`: the number that a count found, if it was a count.
    """

    model_config = ConfigDict(frozen=True)

    movement_id: int
    at: datetime
    sku: str
    location: str
    kind: MovementKind
    on_hand_change: int
    allocated_change: int
    on_hand: int
    allocated: int
    counted: int | None
    order_id: str | None
    who: str
    why: str


async def history(
    conn: Connection,
    sku: str,
    *,
    location: str | None = None,
    locations: Collection[str] | None = None,
    before: int | None = None,
    channels: Collection[str] | None = None,
    sellers: Collection[str] | None = None,
    at_most: int = 1000,
) -> list[Movement]:
    """The latest movements of a SKU, or the latest before one of them; the oldest comes first.

    `locations`: only there. `channels`, `sellers`: of an order of others than these, order, who and
    why are left out.
    """
    rows = _sql.history(
        conn,
        sku=sku,
        location=location,
        locations=None if locations is None else sorted(locations),
        before=before,
        channels=None if channels is None else sorted(channels),
        sellers=None if sellers is None else sorted(sellers),
        at_most=at_most,
    )
    return [Movement(**row) async for row in rows][::-1]
