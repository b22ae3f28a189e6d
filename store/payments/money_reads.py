"""Money that a person may have to look after. Reads only."""

from __future__ import annotations

from store.database import Connection
from store.payments import payments, refunds


class Unsettled(payments.Payment):
    """A money call without a known outcome. `attention`: its order waits for a person."""

    decision: str
    attention: bool


async def unsettled_payments(conn: Connection) -> list[Unsettled]:
    """Money calls without a known outcome, oldest first."""
    return [Unsettled(**payments.texts(row)) for row in await payments.unsettled(conn)]


async def owed_refunds(conn: Connection) -> list[refunds.Refund]:
    """Refunds that were granted and are not issued in full, the oldest first."""
    return await refunds.owed(conn)
