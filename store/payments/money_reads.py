"""Money that a person may have to look after. Reads only."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from store.database import Connection
from store.payments import payments, refunds


class Unsettled(payments.Payment):
    """A money call without a known outcome. `attention`: its order waits for a person."""

    decision: str
    attention: bool


async def unsettled_payments(
    conn: Connection,
    *,
    channels: Collection[str] | None = None,
    sellers: Collection[str] | None = None,
    after: tuple[datetime, str] | None = None,
    at_most: int | None = None,
) -> list[Unsettled]:
    """Money calls without a known outcome, oldest first; see `payments.unsettled`."""
    rows = await payments.unsettled(
        conn, channels=channels, sellers=sellers, after=after, at_most=at_most
    )
    return [Unsettled(**payments.texts(row)) for row in rows]


async def owed_refunds(
    conn: Connection,
    *,
    channels: Collection[str] | None = None,
    sellers: Collection[str] | None = None,
    after: tuple[datetime, str] | None = None,
    at_most: int | None = None,
) -> list[refunds.Refund]:
    """Refunds that were granted and are not issued in full, oldest first; see `refunds.owed`."""
    return await refunds.owed(
        conn, channels=channels, sellers=sellers, after=after, at_most=at_most
    )
