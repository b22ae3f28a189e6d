"""What waits for a person, money first and the oldest first, with what to do about it."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, time, timedelta
from typing import Annotated, Final
from urllib.parse import quote, urlencode

from fastapi import APIRouter
from starlette.responses import Response

from starter.service.attention import SNOOZED_MAX, TaskKey, waits_for_nobody
from starter.web.desk.reasons import IN_TEMPLATES
from starter.web.desk.task_ways import can_do, theirs, way_of
from starter.web.screens.addresses import day_in, moment_in
from starter.web.screens.forms import NotAsked, met, told_by
from starter.web.screens.visits import ScreenRoute, Visit, may
from store.views.attention import AttentionTask, Place, Whose

router = APIRouter(include_in_schema=False, route_class=ScreenRoute)

_PAGE: Final = 50
_PARTS: Final = 5
_PEOPLE_MAX: Final = 500
_NOTE_MAX: Final = 500
_WHOSE: Final = ("me", "others", "nobody")

Sees = Annotated[Visit, may("orders:read", "operations:read")]
"""Who may see tasks: they are of all channels and sellers, so somebody for some has no right."""


@router.get("/app/tasks")
async def tasks(
    visit: Sees, whose: str = "", snoozed: str = "", all: str = "", after: str = "", done: str = ""
) -> Response:
    """One page of them. `whose`: who sees to them; `snoozed`: those that were put off.

    `all`: those, too, that the reader may not deal with. `after`: behind the one with this place.
    """
    login = visit.person.login
    asked = {"me": Whose("to", login), "others": Whose("others", login), "nobody": Whose("nobody")}
    reader = theirs(visit.person)
    found = await visit.here.needs_attention.tasks(
        locations=visit.person.locations,
        whose=asked.get(whose),
        reader=None if all == "1" else reader,
        snoozed=snoozed == "1",
        after=place_in(after),
        at_most=_PAGE + 1,
    )
    shown = found[:_PAGE]
    filters = {"whose": whose if whose in asked else "", "snoozed": "1" if snoozed == "1" else ""}
    filters["all"] = "1" if all == "1" and reader is not None else ""
    place = {**filters, "after": name_of(shown[-1]) if len(found) > _PAGE else ""}
    kept = "&".join(f"{name}={value}" for name, value in place.items() if value)
    return visit.show(
        "desk/tasks",
        told=told_by(visit, done),
        tasks=[(task, way_of(visit, task), address_of(task)) for task in shown],
        filters=filters,
        can_all=reader is None,
        whose=[(one, visit.words(f"whose_{one}")) for one in _WHOSE],
        more=kept if len(found) > _PAGE else "",
        **IN_TEMPLATES,
    )


@router.get("/app/tasks/one")
async def task(
    visit: Sees, kind: str = "", subject: str = "", name: str = "", done: str = ""
) -> Response:
    """One of them: what it is, who sees to it, and until when nobody has to."""
    return await _page(visit, TaskKey(kind, subject, name), told=told_by(visit, done))


@router.post("/app/tasks/assign")
async def assign(visit: Sees) -> Response:
    """Give it to somebody, to oneself, or back."""
    key = _key(visit)
    to = visit.person.login if visit.field("to") == "me" else visit.field("to") or None

    async def act() -> str:
        await _theirs(visit, key)
        had = visit.field("had") or None
        await visit.here.needs_attention.assign(key, to, had=had, who=visit.person.who)
        return "assigned"

    return await _met(visit, key, act)


@router.post("/app/tasks/snooze")
async def snooze(visit: Sees) -> Response:
    """Put it off until a day begins where the reader is, with a word why; or have it back."""
    key = _key(visit)

    async def act() -> str:
        await _theirs(visit, key)
        if visit.field("now") == "1":
            await visit.here.needs_attention.wake(key)
            return "woken"
        day, note = day_in(visit.field("until")), visit.field("note")
        if day is None:
            raise NotAsked("no_task_day")
        if not 0 < len(note) <= _NOTE_MAX:
            raise NotAsked("no_note")
        today = datetime.now(visit.words.zone).date()
        if not today < day < today + SNOOZED_MAX:
            raise NotAsked("odd_task_day")
        until = datetime.combine(day, time(), visit.words.zone)
        await visit.here.needs_attention.snooze(key, until, note=note, who=visit.person.who)
        return "snoozed"

    return await _met(visit, key, act)


def address_of(task: AttentionTask) -> str:
    """The page of a task."""
    return f"app/tasks/one?{_query(TaskKey(task.kind, task.subject, task.name))}"


def _key(visit: Visit) -> TaskKey:
    return TaskKey(visit.field("kind"), visit.field("subject"), visit.field("name"))


def _query(key: TaskKey) -> str:
    return urlencode(key._asdict())


async def _met(visit: Visit, key: TaskKey, act: Callable[[], Awaitable[str]]) -> Response:
    async def again(status: int, trouble: Sequence[str]) -> Response:
        return await _page(visit, key, status=status, trouble=trouble)

    then = "app/tasks" if visit.field("back") == "list" else f"app/tasks/one?{_query(key)}"
    return await met(visit, act, then, again)


async def _page(
    visit: Visit,
    key: TaskKey,
    *,
    status: int = 200,
    told: str = "",
    trouble: Sequence[str] = (),
) -> Response:
    found = await _theirs(visit, key)
    people = await visit.here.staff.list(limit=_PEOPLE_MAX)
    return visit.show(
        "desk/task",
        status=status,
        told=told,
        trouble=trouble,
        task=found,
        way=way_of(visit, found),
        people=[
            (one.login, f"{one.name} ({one.login})")
            for one in people
            if can_do(one, found) or one.login == found.assigned_to
        ],
        said={name: visit.field(name) for name in ("until", "note")},
        tomorrow=(datetime.now(visit.words.zone) + timedelta(days=1)).date().isoformat(),
        **IN_TEMPLATES,
    )


async def _theirs(visit: Visit, key: TaskKey) -> AttentionTask:
    """Raises NotFound for what waits for nobody, or at a location that is not theirs."""
    found = await visit.here.needs_attention.task(key)
    if found.location is not None and not visit.person.works_at(found.location):
        raise waits_for_nobody()
    return found


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
