"""How much waits for somebody, beside the places of the navigation."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Mapping
from typing import Final

from fastapi import Request

from domain.errors import Unreachable
from domain.staff.people import Person
from starter.service.service import Service
from starter.web.screens.to_do import TO_DO
from store.views.attention import Kind

_OF_BUYING: Final[tuple[Kind, ...]] = (
    *("approval", "purchase_order", "purchase_answer", "purchase_document"),
)
_GOOD_FOR_S: Final = 3.0
"""One look for everybody in so long: hardly a page waits for a count of its own."""


class Counts:
    """What this process has last counted."""

    def __init__(self) -> None:
        self._tasks: Mapping[tuple[str | None, Kind, str | None], int] = {}
        self._until = 0.0

    async def of(self, here: Service, person: Person) -> Mapping[str, int]:
        """Key of a place → how many things there wait for this person: theirs, and nobody's.

        Of nobody's, those that they can do.
        """
        if not person.allows("operations:read"):
            return {}
        now = asyncio.get_running_loop().time()
        if now >= self._until:
            # Those who come meanwhile see the count before: one look is under way.
            self._until = now + _GOOD_FOR_S
            try:
                self._tasks = await here.needs_attention.counts()
            except Unreachable:
                return {}
        waits = Counter[Kind]()
        for (whose, kind, place), count in self._tasks.items():
            is_theirs = whose == person.login or (whose is None and person.allows(*TO_DO[kind]))
            if is_theirs and (place is None or person.works_at(place)):
                waits[kind] += count
        return {"tasks": waits.total(), "purchases": sum(waits[kind] for kind in _OF_BUYING)}

    def forget(self) -> None:
        """Something is being changed here: the next page counts anew."""
        self._until = 0.0


def counts_of(request: Request) -> Counts:
    """Those of this application."""
    state = request.app.state
    if not hasattr(state, "counts"):
        state.counts = Counts()
    counts: Counts = state.counts
    return counts
