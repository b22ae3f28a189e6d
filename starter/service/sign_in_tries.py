"""Wrong passwords cost time: each try is counted, and more and more of them have to wait."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from domain.staff.sessions import TooManyTries, wait_after
from store.database import Connection
from store.staff import sessions


async def take_try(conn: Connection, login: str, places: Sequence[str]) -> str:
    """Where it was counted. Each try is counted first: guesses that come at once wait, too.

    Raises TooManyTries where it has to wait at each of these places.
    """
    *others, last = places
    for place in others:
        if await _wait_at(conn, login, place) is None:
            return place
    if left := await _wait_at(conn, login, last):
        raise TooManyTries(left)
    return last


async def _wait_at(conn: Connection, login: str, place: str) -> timedelta | None:
    """How long the next try has to wait. None: it was counted, and may be made."""
    while True:
        wrong, since = await sessions.tries(conn, login, place)
        left = wait_after(wrong) - since
        if wrong and left.total_seconds() > 0:
            return left
        if await sessions.take_try(conn, login, place, wrong):
            return None
