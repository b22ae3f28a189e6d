"""Events: read page by page, or followed as a stream."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from typing import Annotated, Final

from fastapi import APIRouter, Header, Query, Request
from starlette.responses import Response, StreamingResponse

from domain.errors import InvalidInput, Unreachable
from domain.notifications.event_types import EventType
from starter.http.callers import Caller, may
from starter.http.reading import StrictRoute
from starter.http.shown_subscriptions import check_may_know
from starter.http.streams import LOOK_EVERY_S, Streams
from starter.service.event_subscriptions import ReadEvents

router = APIRouter(prefix="/v1", tags=["events"], route_class=StrictRoute)

STREAM: Final = "text/event-stream"
_SIGN_OF_LIFE_EVERY: Final = 15
"""After so many looks without news: what is between the two may end a silent connection."""

_LARGEST: Final = 2**63 - 1


@router.get(
    "/events",
    operation_id="readEvents",
    summary="Read events, or follow them as they happen",
    response_model=ReadEvents,
    responses={
        200: {
            "content": {STREAM: {"schema": {"type": "string"}}},
            "description": "Events behind the position; as a stream where Accept asks for one.",
        }
    },
)
async def read_events(
    request: Request,
    caller: Annotated[Caller, may("events:read")],
    after: Annotated[
        int | None,
        Query(ge=0, le=_LARGEST, description="The position to read on from; left out: now."),
    ] = None,
    types: Annotated[list[EventType] | None, Query(description="Of these types alone.")] = None,
    limit: Annotated[int, Query(ge=1, le=100)] = 100,
    last_event_id: Annotated[
        str | None,
        Header(alias="Last-Event-ID", description="As `after`, of a stream that broke off."),
    ] = None,
) -> Response:
    """Events of the key's channels and sellers, in their sequence; an order's never change places.

    Without `types`, of all that are about orders. Those about customers are named, and take a key
    for all channels and sellers that may read customers.

    With `Accept: text/event-stream` they come as server-sent events as they happen. `id` of each is
    its position: after a break, browsers and libraries send it as Last-Event-ID by themselves.
    """
    check_may_know(caller, types)
    if last_event_id:
        if not (last_event_id.isdecimal() and len(last_event_id) < 19):
            # Whoever began with now instead would miss events, and not know it.
            raise InvalidInput("is no id of an event from here", where="Last-Event-ID")
        after = int(last_event_id)

    async def read(position: int | None) -> ReadEvents:
        return await caller.here.subscriptions.read(
            position, types, caller.channels, caller.sellers, limit
        )

    streams: Streams = request.app.state.streams
    is_stream = STREAM in request.headers.get("accept", "")
    if is_stream:
        streams.check_room(caller.grant.key_id)
    first = await read(after)
    if not is_stream:
        return Response(first.model_dump_json(exclude_none=True), media_type="application/json")
    request.state.flows()
    return StreamingResponse(_stream(request, caller, first, read, limit), media_type=STREAM)


async def _stream(
    request: Request,
    caller: Caller,
    found: ReadEvents,
    read: Callable[[int | None], Awaitable[ReadEvents]],
    limit: int,
) -> AsyncIterator[bytes]:
    """The events as they come, until the caller, the key or this program ends."""
    stop: asyncio.Event = request.app.state.stop
    streams: Streams = request.app.state.streams
    with streams.counted(caller.grant.key_id):
        yield b"retry: 2000\n\n"
        silent = 0
        while not stop.is_set():
            for message in found.events:
                head = f"id: {int(message.sequence or 0)}\nevent: {message.type}\ndata: "
                yield head.encode() + message.body() + b"\n\n"
            for position in found.left_out:
                yield f": the event at {position} cannot be made now\n\n".encode()
            silent = 0 if found.events else silent + 1
            if silent % _SIGN_OF_LIFE_EVERY == 0:
                # Without data it is no event, and is remembered all the same.
                yield f"id: {found.position}\n\n".encode()
            if len(found.events) + len(found.left_out) < limit:
                with suppress(TimeoutError):
                    await asyncio.wait_for(stop.wait(), LOOK_EVERY_S)
            try:
                is_quiet = await streams.newest() == found.position
                if is_quiet and silent % _SIGN_OF_LIFE_EVERY:
                    found = ReadEvents(events=(), position=found.position)
                    continue
                if not await caller.is_still_known():
                    return
                found = await read(found.position)
            except (Unreachable, InvalidInput):
                return  # the caller comes again, and is told then
