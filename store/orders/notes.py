"""Notes on orders: written, pinned, listed. Each is a line of the order's story as well."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from pydantic import BaseModel, ConfigDict

from domain.errors import NotFound
from domain.orders.notes import NewOrderNote
from store.database import Connection, load_queries
from store.locks import lock_order
from store.orders import events

_sql = load_queries(__file__)

WRITTEN: Final = "note"
"""What the story's line says; the note itself is its reason."""


class OrderNote(BaseModel):
    """A note on an order, with its number there, and who has written it when."""

    model_config = ConfigDict(frozen=True)

    note_no: int
    note: str
    who: str
    at: datetime
    pinned: bool


async def write(conn: Connection, order_id: str, new: NewOrderNote, *, who: str) -> OrderNote:
    """Write a note on an order, whatever has become of it. Raises NotFound."""
    async with conn.transaction():
        await lock_order(conn, order_id)
        row = await _sql.write(conn, order_id=order_id, note=new.note, pinned=new.pinned, who=who)
        kept = OrderNote(**row)
        effect = f"note:{kept.note_no}"
        told = {"note_no": kept.note_no}
        await events.tell(
            conn, order_id, effect, WRITTEN, who=who, why=kept.note, data=told, after_end=True
        )
    return kept


async def pin(conn: Connection, order_id: str, note_no: int, *, pinned: bool) -> OrderNote:
    """Put a note on top of the order's page, or no longer. Raises NotFound."""
    row = await _sql.pin(conn, order_id=order_id, note_no=note_no, pinned=pinned)
    if row is None:
        raise NotFound(f"{order_id} has no note {note_no}", reason="no_note")
    return OrderNote(**row)


async def notes(
    conn: Connection, order_id: str, *, after: int | None = None, at_most: int
) -> list[OrderNote]:
    """Notes on an order, the latest first, behind the one with this number."""
    rows = _sql.notes(conn, order_id=order_id, after=after, at_most=at_most)
    return [OrderNote(**row) async for row in rows]
