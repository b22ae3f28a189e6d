"""Places that have several parts: each page of one leads to the others that somebody may see."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from starlette.responses import Response

from starter.web.screens.rooms import Place
from starter.web.screens.visits import Visit


def theirs_of(visit: Visit, sections: Sequence[Place]) -> list[Place]:
    """The parts that are their business."""
    return [one for one in sections if one.is_for(visit.person)]


def show_in(visit: Visit, sections: Sequence[Place], name: str, **values: Any) -> Response:
    """A page of such a place: its template extends screens/sections.html."""
    return visit.show(name, sections=theirs_of(visit, sections), **values)
