"""Open pages of orders are told what changes: one stream for each browser, one look for all."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Annotated, Final

from fastapi import APIRouter, Query, Request
from starlette.responses import Response, StreamingResponse

from domain.errors import OrderloomError, Unreachable
from domain.staff.people import Person
from starter.service.service import Service
from starter.web.guards import HEADERS
from starter.web.screens import cookies
from starter.web.screens.visits import ScreenRoute, here
from store.database import DatabaseFault

router = APIRouter(include_in_schema=False, route_class=ScreenRoute)

LOOK_EVERY_S: Final = 1.0
_SESSIONS_EVERY: Final = 5
"""After so many looks it is asked whose sessions are still open."""

_SIGN_OF_LIFE_S: Final = 15.0
"""What is between the two may end a connection on which nothing is said."""

_ORDERS_MAX: Final = 50
_OF_A_SESSION_MAX: Final = 20
_STREAM: Final = "text/event-stream"
_FLOWS: Final = {**HEADERS, "X-Accel-Buffering": "no"}
"""A proxy before us passes on at once what is told."""

_ENDED: Final = b"event: ended\ndata: -\n\n"


@dataclass(eq=False)
class Watcher:
    """A browser that looks at orders. `seen`: order id → the mark that it knows."""

    token: str
    person: Person
    seen: dict[str, str]
    news: dict[str, str] = field(default_factory=dict)
    has_ended: bool = False
    has_changed: bool = False
    """They may see other orders than before, or nobody looks any more: the browser comes again."""

    woken: asyncio.Event = field(default_factory=asyncio.Event)

    def learn(self, marks: Mapping[str, str]) -> None:
        """Take what is new to it."""
        news = {
            order_id: marks.get(order_id, "")
            for order_id, mark in self.seen.items()
            if marks.get(order_id, "") != mark
        }
        if news:
            self.seen |= news
            self.news |= news
            self.woken.set()


class Watchers:
    """All browsers that look at orders. While there are none, nobody asks the database."""

    def __init__(self, service: Service, stop: asyncio.Event) -> None:
        self._here = service
        self._stop = stop
        self._all: set[Watcher] = set()
        self._looking: asyncio.Task[None] | None = None

    def has_room(self, token: str) -> bool:
        """Whether a session may have one more stream."""
        return sum(one.token == token for one in self._all) < _OF_A_SESSION_MAX

    async def follow(self, watcher: Watcher) -> AsyncIterator[bytes]:
        """What a browser is told, until it goes, its session ends, or this program does."""
        self._all.add(watcher)
        if self._looking is None or self._looking.done():
            self._looking = asyncio.create_task(self._look_on())
        try:
            yield b"retry: 3000\n\n"
            while not self._stop.is_set():
                with suppress(TimeoutError):
                    await asyncio.wait_for(watcher.woken.wait(), _SIGN_OF_LIFE_S)
                watcher.woken.clear()
                if watcher.has_ended:
                    yield _ENDED
                if watcher.has_ended or watcher.has_changed:
                    return
                news, watcher.news = watcher.news, {}
                yield f"event: changed\ndata: {json.dumps(news)}\n\n".encode() if news else b":\n\n"
        finally:
            self._all.discard(watcher)

    async def _look_on(self) -> None:
        turn = 0
        try:
            while self._all and not self._stop.is_set():
                turn += 1
                # While the database is away, nothing is told.
                with suppress(Unreachable, *DatabaseFault):
                    await self._look(sessions_too=turn % _SESSIONS_EVERY == 0)
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._stop.wait(), LOOK_EVERY_S)
        finally:
            # Whatever ended it: a browser whose stream ends comes again, and has it begin anew.
            for watcher in self._all:
                watcher.has_changed = True
                watcher.woken.set()

    async def _look(self, *, sessions_too: bool) -> None:
        watchers = list(self._all)
        marks = await self._here.orders.marks({one for each in watchers for one in each.seen})
        for watcher in watchers:
            watcher.learn(marks)
        if sessions_too:
            people = await self._here.staff.people({one.token for one in watchers})
            for watcher in watchers:
                person = people.get(watcher.token)
                watcher.has_ended = person is None
                watcher.has_changed = person != watcher.person
                if watcher.has_changed:
                    watcher.woken.set()


@router.get("/app/live")
async def live(
    request: Request,
    order: Annotated[list[str] | None, Query()] = None,
    mark: Annotated[list[str] | None, Query()] = None,
) -> Response:
    """A stream of what changes of these orders, from the marks on that the browser knows.

    It keeps no session from ending. Where somebody is not signed in any more, that is all it says.
    """
    token = request.cookies.get(cookies.SESSION, "")
    service = here(request)
    person = (await service.staff.people([token])).get(token)
    if person is None or person.must_change or not person.allows("orders:read"):
        return Response(_ENDED, media_type=_STREAM, headers=HEADERS)
    watchers = watchers_of(request)
    asked = list(zip(order or (), mark or (), strict=False))
    if not watchers.has_room(token) or len(asked) > _ORDERS_MAX:
        return Response(status_code=429, headers={**HEADERS, "Retry-After": "60"})
    theirs = await _theirs(service, person, {one for one, _ in asked})
    watcher = Watcher(token, person, {one: known for one, known in asked if one in theirs})
    request.state.flows()
    return StreamingResponse(watchers.follow(watcher), media_type=_STREAM, headers=_FLOWS)


def watchers_of(request: Request) -> Watchers:
    """Those of this application."""
    state = request.app.state
    if not hasattr(state, "watchers"):
        state.watchers = Watchers(state.service, state.stop)
    watchers: Watchers = state.watchers
    return watchers


async def _theirs(service: Service, person: Person, order_ids: Collection[str]) -> set[str]:
    """Those of these orders that somebody may see."""
    found = set()
    for order_id in order_ids:
        with suppress(OrderloomError):
            whose = await service.orders.whose(order_id)
            if whose is not None and person.grant.sees(*whose):
                found.add(order_id)
    return found
