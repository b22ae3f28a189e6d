"""What was asked of suppliers for an order."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict
from temporalio import activity

from store.database import Pool
from store.purchasing import order_purchases


class LinesAsked(BaseModel):
    """Lines of an order of which units are to be cancelled."""

    model_config = ConfigDict(frozen=True)

    order_id: str
    line_ids: tuple[str, ...]


class OpenPurchases(BaseModel):
    """Purchase order → its line, of those of which something may still come."""

    model_config = ConfigDict(frozen=True)

    lines: dict[str, str]


class OrderPurchases:
    """Activities that read the purchase orders of an order, with the database pool injected."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    @activity.defn
    async def open_purchases(self, ask: LinesAsked) -> OpenPurchases:
        """What was asked of suppliers for these lines, and may still come."""
        async with self._pool.acquire() as conn:
            found = await order_purchases.open_for(conn, ask.order_id, ask.line_ids)
        return OpenPurchases(lines={row["po_id"]: row["line_id"] for row in found})
