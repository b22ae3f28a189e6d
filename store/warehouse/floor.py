"""What waits on the floor of a location. Reads only."""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import BaseModel, ConfigDict

from store.database import Connection, load_queries

_sql = load_queries(__file__)


class Waiting(BaseModel):
    """Parcels that wait for one kind of work. `due`: those that must leave today, or are late."""

    model_config = ConfigDict(frozen=True)

    kind: str
    waiting: int
    due: int


async def waiting(
    conn: Connection,
    location: str,
    *,
    channels: Sequence[str] | None = None,
    sellers: Sequence[str] | None = None,
    at_most: int = 1000,
) -> list[Waiting]:
    """How much waits of each kind; `at_most` are counted of each."""
    rows = _sql.waiting(
        conn,
        location=location,
        channels=None if channels is None else list(channels),
        sellers=None if sellers is None else list(sellers),
        at_most=at_most,
    )
    return [Waiting(**row) async for row in rows]
