"""Deliveries: what became of each event that a subscription wants."""

from __future__ import annotations

from typing import Annotated, Final

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from domain.fields import Document, Instant
from domain.notifications.subscriptions import (
    Attempt,
    OpenDelivery,
    Replay,
)
from starter.http.callers import Caller, may
from starter.http.examples import example
from starter.http.once import Keyed
from starter.http.paging import Page, Paged
from starter.http.reading import StrictRoute
from starter.http.shown_subscriptions import mine
from starter.service.service import Records

router = APIRouter(prefix="/v1", tags=["events"], route_class=StrictRoute)

_LARGEST: Final = 2**63 - 1


class ResendRequest(Document):
    """Which dead letters to send again: those of these positions; left out: all."""

    positions: Annotated[list[Annotated[int, Field(ge=0, le=_LARGEST)]], Field(max_length=1000)] = (
        Field(default_factory=list)
    )


class Resent(BaseModel):
    """How many are sent again."""

    model_config = ConfigDict(frozen=True)

    events: int


class ReplayRequest(Document):
    """From when on, or from which position on, everything is sent again."""

    since: Instant | None = None
    position: Annotated[int, Field(ge=0, le=_LARGEST)] | None = None


@router.get(
    "/subscriptions/{subscription_id}/attempts",
    operation_id="listAttempts",
    summary="List attempts to deliver, newest first",
)
async def list_attempts(
    subscription_id: str,
    caller: Annotated[Caller, may("events:read")],
    paged: Paged,
    message_id: Annotated[str | None, Query(max_length=100)] = None,
) -> Page[Attempt]:
    """With what was answered, how long it took, and what went wrong."""
    await mine(caller, subscription_id)
    asked = {"message_id": message_id}
    place = paged.after(asked)
    found = await caller.here.subscriptions.deliveries(
        subscription_id,
        message_id=message_id,
        before=None if place is None else int(place[0]),
        at_most=paged.at_most,
    )
    return paged.page(asked, found, place=lambda one: [one.attempt_id], show=lambda one: one)


@router.get(
    "/subscriptions/{subscription_id}/undelivered",
    operation_id="listUndelivered",
    summary="List events that were not delivered at once",
)
async def list_undelivered(
    subscription_id: str,
    caller: Annotated[Caller, may("events:read")],
    paged: Paged,
    dead: Annotated[
        bool, Query(description="Those that are not tried again by themselves.")
    ] = False,
) -> Page[OpenDelivery]:
    """Those that are tried again, or wait for such a one of their order; or the dead letters."""
    await mine(caller, subscription_id)
    asked = {"dead": dead}
    place = paged.after(asked)
    door = caller.here.subscriptions
    found = await (door.dead if dead else door.retried)(
        subscription_id, after=0 if place is None else int(place[0]), at_most=paged.at_most
    )
    return paged.page(asked, found, place=lambda one: [one.delivery_id], show=lambda one: one)


@router.post(
    "/subscriptions/{subscription_id}/resend",
    operation_id="resendDeadLetters",
    summary="Send dead letters again",
    response_model=Resent,
)
async def resend(
    subscription_id: str,
    content: Annotated[ResendRequest, example({"positions": [17]})],
    caller: Annotated[Caller, may("events:write")],
    once: Keyed,
) -> Response:
    """Later events of their orders may be there before them."""
    await mine(caller, subscription_id)

    async def resent(here: Records) -> Resent:
        positions = content.positions or None
        return Resent(events=await here.subscriptions.resend(subscription_id, positions))

    return await once.in_database(resent)


@router.post(
    "/subscriptions/{subscription_id}/replay",
    operation_id="replayEvents",
    summary="Send everything again from a moment on",
    response_model=Replay,
)
async def replay(
    subscription_id: str,
    content: Annotated[ReplayRequest, example({"position": 0})],
    caller: Annotated[Caller, may("events:write")],
    once: Keyed,
) -> Response:
    """Under the same ids, so that a receiver knows what it has."""
    await mine(caller, subscription_id)
    return await once.in_database(
        lambda here: here.subscriptions.replay(
            subscription_id, since=content.since, position=content.position
        )
    )
