"""What waits for a person, money first and the oldest first, with what to do about it."""

from __future__ import annotations

import json
from typing import Annotated, Final
from urllib.parse import quote

from fastapi import APIRouter
from starlette.responses import Response

from starter.service.attention import way_on_of
from starter.web.screens.addresses import moment_in
from starter.web.screens.visits import ScreenRoute, Visit, may
from store.views.attention import AttentionTask, Kind, Place

router = APIRouter(include_in_schema=False, route_class=ScreenRoute)

_PAGE: Final = 50
_PARTS: Final = 5
OF_ORDERS: Final[frozenset[Kind]] = frozenset(
    {"order", "payment", "refund", "charge", "claim", "carrier_claim", "hold", "dispute"}
)
"""Tasks whose subject is an order: its page has the way on."""


@router.get("/app/tasks")
async def tasks(
    visit: Annotated[Visit, may("orders:read", "operations:read")], after: str = ""
) -> Response:
    """One page of them. `after`: behind the one with this place."""
    found = await visit.here.needs_attention.tasks(after=place_in(after), at_most=_PAGE + 1)
    shown = found[:_PAGE]
    return visit.show(
        "desk/tasks",
        tasks=[(task, way_on_of(task)) for task in shown],
        of_orders=OF_ORDERS,
        more=name_of(shown[-1]) if len(found) > _PAGE else "",
    )


def name_of(task: AttentionTask) -> str:
    """A task's place, as it stands in an address."""
    free, since, *rest = Place.of(task)
    return quote(json.dumps([free, since.isoformat(), *rest]), safe="")


def place_in(text: str) -> Place | None:
    """Where a page begins; None: at the first one, also for what is no place."""
    try:
        free, since, *rest = json.loads(text)
    except (ValueError, TypeError, RecursionError):
        return None
    moment = moment_in(since)
    is_one = len(rest) == _PARTS - 2 and all(isinstance(part, str) for part in rest)
    if not is_one or not isinstance(free, bool) or moment is None or not _is_text("".join(rest)):
        return None
    return Place(free, moment, *rest)


def _is_text(text: str) -> bool:
    """Whether a database takes it: JSON can name signs that no text of ours has."""
    return "\0" not in text and text.encode("utf-8", "ignore").decode() == text
