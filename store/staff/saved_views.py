"""Lists that somebody has given a name."""

from __future__ import annotations

import asyncpg
from pydantic import BaseModel, ConfigDict

from domain.errors import Conflict, NotFound
from store.database import Connection, load_queries

_sql = load_queries(__file__)


class SavedView(BaseModel):
    """A list with a name. `query`: of its address. `owner`: the name of whose it is."""

    model_config = ConfigDict(frozen=True)

    view_no: int
    login: str
    owner: str
    name: str
    query: str
    shared: bool


async def seen_by(conn: Connection, login: str) -> list[SavedView]:
    """One's own by their names, and then those that others share."""
    return [SavedView(**row) async for row in _sql.seen_by(conn, login=login)]


async def save(conn: Connection, login: str, name: str, query: str, *, shared: bool) -> None:
    """Give a list a name. One's own with this name is that list from now on."""
    await _sql.save(conn, login=login, name=name, query=query, shared=shared)


async def rename(conn: Connection, login: str, view_no: int, name: str, *, shared: bool) -> None:
    """Change one's own. Raises NotFound, and Conflict for a name that another one has."""
    try:
        changed = await _sql.rename(conn, login=login, view_no=view_no, name=name, shared=shared)
    except asyncpg.UniqueViolationError:
        raise Conflict(f"another list is called {name}", reason="view_name_taken") from None
    if changed is None:
        raise NotFound("there is no such list of yours", reason="no_view")


async def remove(conn: Connection, login: str, view_no: int) -> None:
    """Forget one's own; a repeat changes nothing."""
    await _sql.remove(conn, login=login, view_no=view_no)
