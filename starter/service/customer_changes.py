"""What happens to customers, told to systems that keep in step: by numbers, without names."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

from domain.errors import InvalidInput
from store.customers import changes
from store.customers.changes import Place
from store.database import Pool

Change: TypeAlias = changes.Change

NOW: Final = "now"
"""As a cursor: behind all that has happened by now."""

_CURSOR: Final = re.compile(r"([0-9]{1,18})-([0-9]{1,18})")


@dataclass(frozen=True)
class Changes:
    """Some changes. `cursor`: where the next question goes on, also if there were none."""

    changes: Sequence[Change]
    cursor: str
    more: bool


class CustomerChanges:
    """A feed that a reader follows with a cursor. Nothing comes late, and nothing twice."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def since(self, cursor: str | None, *, at_most: int) -> Changes:
        """The changes behind a cursor; without one, from the oldest that is kept on.

        Raises InvalidInput for a cursor that is none, is of another database
        (`cursor_of_another_database`), or is so old that changes behind it are deleted
        (`cursor_too_old`): then the reader begins again.
        """
        async with self._pool.acquire() as conn:
            horizon = await changes.horizon(conn)
            if cursor == NOW:
                return Changes((), _told(Place(horizon.now, 0)), more=False)
            after = _place(cursor)
            if after.xact > horizon.next:
                raise InvalidInput(
                    "the cursor is of another database, or of a time after its backup: export all "
                    "customers, and go on from now",
                    where="cursor",
                    reason="cursor_of_another_database",
                )
            found = await changes.changes(conn, after, at_most=at_most + 1)
            # Asked after the changes: some may be deleted just now.
            gone = await changes.forgotten(conn)
        # Numbers of transactions that came with a backup from another server say nothing here.
        if cursor is not None and after < gone and gone.xact <= horizon.next:
            raise InvalidInput(
                "changes behind the cursor are not kept any more: ask with `now` and keep the "
                "cursor, export all customers, and go on from that cursor",
                where="cursor",
                reason="cursor_too_old",
            )
        shown = found[:at_most]
        reached = Place(shown[-1].xact, shown[-1].change_no) if shown else after
        return Changes(shown, _told(reached), more=len(found) > at_most)


def _place(cursor: str | None) -> Place:
    if cursor is None:
        return Place(0, 0)
    found = _CURSOR.fullmatch(cursor)
    if found is None:
        raise InvalidInput("is no cursor: send what the answer before had, or now", where="cursor")
    return Place(int(found[1]), int(found[2]))


def _told(place: Place) -> str:
    return f"{place.xact}-{place.change_no}"
