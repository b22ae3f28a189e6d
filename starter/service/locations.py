"""Where locations are made, renamed, retired and removed: `starter.service.warehouse` for
locations."""

from __future__ import annotations

from store.database import Pool
from store.stock import location_changes, locations
from store.stock.location_changes import Left


class LocationDesk:
    """Locations as a whole; what is known of each is set at the desk itself."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def add(self, location: str) -> None:
        """Make a location of which nothing but the name is known, unless it is there."""
        async with self._pool.acquire() as conn:
            await locations.add(conn, [location])

    async def retire(self, location: str) -> Left:
        """Have a location send and take nothing new. Returns what is still there."""
        async with self._pool.acquire() as conn:
            return await location_changes.retire(conn, location)

    async def reopen(self, location: str) -> None:
        """Have a retired location send and take again."""
        async with self._pool.acquire() as conn:
            await location_changes.reopen(conn, location)

    async def rename(
        self, old: str, new: str, *, merge: bool = False, who: str
    ) -> tuple[int, Left]:
        """A location goes on under another name. Returns the units that moved; what is left."""
        async with self._pool.acquire() as conn:
            return await location_changes.rename(conn, old, new, merge=merge, who=who)

    async def remove(self, location: str) -> None:
        """Remove a location that never held anything."""
        async with self._pool.acquire() as conn:
            await location_changes.remove(conn, location)

    async def retired(self) -> set[str]:
        """Locations that send and take nothing new."""
        async with self._pool.acquire() as conn:
            return {name for name, retired in (await locations.names(conn)).items() if retired}
