"""Lists of orders that people have given a name: their own, and those that others share."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, TypeAlias

from domain.errors import InvalidInput, Refused
from store.database import Pool
from store.staff import saved_views

SavedView: TypeAlias = saved_views.SavedView

OF_ONE_MAX: Final = 50
_NAME_MAX: Final = 60
_QUERY_MAX: Final = 2_000


class SavedViews:
    """A view is a name for an address."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def seen_by(self, login: str) -> Sequence[SavedView]:
        """One's own by their names, and then those that others share."""
        async with self._pool.acquire() as conn:
            return await saved_views.seen_by(conn, login)

    async def save(self, login: str, name: str, query: str, *, shared: bool) -> None:
        """Give a list a name; one's own with this name is that list from now on.

        Raises InvalidInput for a name that is none, and Refused where somebody has very many.
        """
        _check(name)
        if len(query) > _QUERY_MAX:
            raise InvalidInput("is too long to be kept", where="query")
        async with self._pool.acquire() as conn:
            own = [one for one in await saved_views.seen_by(conn, login) if one.login == login]
            if len(own) >= OF_ONE_MAX and name not in {one.name for one in own}:
                raise Refused(f"{OF_ONE_MAX} lists have names: remove one", reason="many_views")
            await saved_views.save(conn, login, name, query, shared=shared)

    async def rename(self, login: str, view_no: int, name: str, *, shared: bool) -> None:
        """Change one's own. Raises InvalidInput, NotFound, and Conflict for a name it has."""
        _check(name)
        async with self._pool.acquire() as conn:
            await saved_views.rename(conn, login, view_no, name, shared=shared)

    async def remove(self, login: str, view_no: int) -> None:
        """Forget one's own; a repeat changes nothing."""
        async with self._pool.acquire() as conn:
            await saved_views.remove(conn, login, view_no)


def _check(name: str) -> None:
    if not 0 < len(name) <= _NAME_MAX or not name.isprintable():
        raise InvalidInput(f"must have 1 to {_NAME_MAX} letters", where="name")
