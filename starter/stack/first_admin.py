"""A new database gets somebody who can sign in at the screens, and let others in."""

from __future__ import annotations

from starter.service.staff import NewStaff, StaffDoor
from store.database import open_pool


async def let_in(database_url: str) -> NewStaff | None:
    """Make the first admin. None: somebody was let in before."""
    pool = await open_pool(database_url, size_max=1)
    try:
        return await StaffDoor(pool).first_admin(who="orderloom up")
    finally:
        pool.terminate()
