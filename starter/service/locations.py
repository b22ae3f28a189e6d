"""Keeps locations: their settings, and creating, renaming, retiring and removing them."""

from __future__ import annotations

from collections.abc import Sequence

from domain.seen import check_seen
from domain.stock.locations import Location
from store.database import Pool
from store.stock import location_changes, locations
from store.stock.location_changes import Left


class Locations:
    """Locations: the warehouses and shops that keep stock."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def list(
        self,
        location: str | None = None,
        *,
        after: str | None = None,
        at_most: int | None = None,
    ) -> Sequence[Location]:
        """Locations by name, with calendars and lanes.

        All, one, or a page of `at_most` that begins behind the name `after`.
        """
        async with self._pool.acquire() as conn:
            return await locations.find(conn, location, after=after, at_most=at_most)

    async def save(self, wanted: Sequence[Location]) -> None:
        """Set all there is to know about these locations: all of them, or none where one is wrong.

        Raises Conflict where their lanes are priced in several currencies, InvalidInput for a
        seller that is not there or not named, and Refused for another seller while there are goods.
        """
        async with self._pool.acquire() as conn:
            await locations.save(conn, wanted)

    async def add(self, location: str, seller: str | None = None) -> None:
        """Make a location of which only name and owner of the goods are known, unless it is there.

        Raises InvalidInput for a seller that is not there, or not named where there are several.
        """
        async with self._pool.acquire() as conn:
            await locations.add(conn, [location], seller)

    async def make(self, wanted: Location) -> None:
        """Make a location. Raises Conflict (`code_taken`) where it is there, and as `save` does."""
        async with self._pool.acquire() as conn:
            await locations.save(conn, [wanted], only_new=True)

    async def change(self, wanted: Location, *, seen: str) -> None:
        """Set all there is to know about a location that is as somebody saw it: `version_of` that.

        Raises NotFound, Conflict (`changed_since`), and as `save` does.
        """
        async with self._pool.acquire() as conn, conn.transaction():
            check_seen(await locations.lock(conn, wanted.location), seen, wanted.location)
            await locations.save(conn, [wanted])

    async def retire(self, location: str) -> Left:
        """Stop a location from sending and receiving anything new.

        Returns the rest that is there.
        """
        async with self._pool.acquire() as conn:
            return await location_changes.retire(conn, location)

    async def reopen(self, location: str) -> None:
        """Let a retired location send and receive again."""
        async with self._pool.acquire() as conn:
            await location_changes.reopen(conn, location)

    async def rename(
        self, old: str, new: str, *, merge: bool = False, who: str
    ) -> tuple[int, Left]:
        """Give a location another name. Returns the units that moved, and the units left."""
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
