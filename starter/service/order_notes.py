"""Notes that people write on orders."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

from domain.errors import NotFound
from domain.orders.notes import NewOrderNote
from store.database import Pool
from store.orders import notes
from store.views import reads

OrderNote: TypeAlias = notes.OrderNote


class OrderNotes:
    """Notes on orders. They need the database alone, and change nothing of the order."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def note(self, order_id: str, new: NewOrderNote, *, who: str) -> OrderNote:
        """Write a note, whatever has become of the order. Raises NotFound."""
        async with self._pool.acquire() as conn:
            return await notes.write(conn, order_id, new, who=who)

    async def pin_note(self, order_id: str, note_no: int, *, pinned: bool) -> OrderNote:
        """Put a note on top of the order's page, or no longer. Raises NotFound."""
        async with self._pool.acquire() as conn:
            return await notes.pin(conn, order_id, note_no, pinned=pinned)

    async def notes(
        self, order_id: str, *, after: int | None = None, at_most: int
    ) -> Sequence[OrderNote]:
        """Notes, the latest first, behind the one with this number. Raises NotFound."""
        async with self._pool.acquire() as conn:
            if await reads.whose(conn, order_id) is None:
                raise NotFound(f"there is no order {order_id}", reason="no_order")
            return await notes.notes(conn, order_id, after=after, at_most=at_most)
