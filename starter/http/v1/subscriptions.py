"""Subscriptions: who is told of which events, and what became of it."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict
from starlette.responses import Response

from domain.notifications.subscriptions import (
    NewSubscription,
    Subscription,
    SubscriptionChange,
)
from starter.http.callers import Caller, may
from starter.http.examples import example
from starter.http.once import Keyed
from starter.http.paging import Page, Paged
from starter.http.reading import StrictRoute
from starter.http.shown_subscriptions import check_may_know, is_mine, mine, within
from starter.service.service import Records

router = APIRouter(prefix="/v1", tags=["events"], route_class=StrictRoute)


class ToldSubscription(BaseModel):
    """A subscription with the secret that its messages are signed with, told this once."""

    model_config = ConfigDict(frozen=True)

    subscription: Subscription
    secret: str


class SentTest(BaseModel):
    """The test is sent by a worker: its attempts tell what came of it."""

    model_config = ConfigDict(frozen=True)

    message_id: str


def _place(one: Subscription) -> list[str]:
    return [one.made_at.isoformat(), one.subscription_id]


@router.get(
    "/subscriptions", operation_id="listSubscriptions", summary="List subscriptions, oldest first"
)
async def list_subscriptions(
    caller: Annotated[Caller, may("events:read")], paged: Paged
) -> Page[Subscription]:
    """Those that tell nothing but what the key may see."""
    place = paged.after({})
    mine = [one for one in await caller.here.subscriptions.list() if is_mine(caller, one)]
    mine.sort(key=_place)
    behind = [one for one in mine if place is None or _place(one) > place]
    return paged.page({}, behind, place=_place, show=lambda one: one)


@router.post(
    "/subscriptions",
    operation_id="makeSubscription",
    summary="Be told of events from now on",
    status_code=201,
    response_model=ToldSubscription,
)
async def make_subscription(
    content: Annotated[
        NewSubscription,
        example(
            {
                "url": "https://shop.example/orderloom",
                "types": ["orderloom.fulfilment.shipped.v1"],
                "channels": ["web"],
            }
        ),
    ],
    caller: Annotated[Caller, may("events:write")],
    once: Keyed,
) -> Response:
    """The secret is in this answer, and nowhere else: a repeat is told the id alone (409).

    A key for some channels or sellers subscribes to what is theirs: to all of it, or to some. Types
    about customers are named, and take a key for all that may read customers.
    """
    check_may_know(caller, content.types)
    wanted = within(caller, content)

    async def made(here: Records) -> tuple[str, ToldSubscription]:
        new = await here.subscriptions.make(wanted, by=caller.who())
        told = ToldSubscription(subscription=new.subscription, secret=new.secret.get_secret_value())
        return new.subscription.subscription_id, told

    return await once.told_once(made, status=201)


@router.get(
    "/subscriptions/{subscription_id}",
    operation_id="getSubscription",
    summary="Read a subscription",
)
async def get_subscription(
    subscription_id: str, caller: Annotated[Caller, may("events:read")]
) -> Subscription:
    """How it stands: what was sent, what is tried again, and since when nothing was taken."""
    return await mine(caller, subscription_id)


@router.put(
    "/subscriptions/{subscription_id}",
    operation_id="changeSubscription",
    summary="Change, pause or resume a subscription",
)
async def change_subscription(
    subscription_id: str,
    content: Annotated[SubscriptionChange, example({"state": "paused"})],
    caller: Annotated[Caller, may("events:write")],
) -> Subscription:
    """What is left out stays. One that goes on does so where it stood."""
    found = await mine(caller, subscription_id)
    # Whoever sends it somewhere else learns what it tells.
    for types in (found.types, content.types):
        check_may_know(caller, types)
    return await caller.here.subscriptions.update(
        subscription_id, within(caller, content), by=caller.who()
    )


@router.delete(
    "/subscriptions/{subscription_id}",
    operation_id="removeSubscription",
    summary="Remove a subscription",
    status_code=204,
)
async def remove_subscription(
    subscription_id: str, caller: Annotated[Caller, may("events:write")]
) -> None:
    """With its attempts, and with what waits to be sent."""
    await mine(caller, subscription_id)
    await caller.here.subscriptions.remove(subscription_id)


@router.post(
    "/subscriptions/{subscription_id}/rotate",
    operation_id="rotateSubscriptionSecret",
    summary="Sign with a new secret, too",
    response_model=ToldSubscription,
)
async def rotate_secret(
    subscription_id: str, caller: Annotated[Caller, may("events:write")], once: Keyed
) -> Response:
    """Messages are signed with all secrets, three at most, until the older ones are dropped."""
    await mine(caller, subscription_id)

    async def rotated(here: Records) -> tuple[str, ToldSubscription]:
        new = await here.subscriptions.rotate(subscription_id)
        told = ToldSubscription(subscription=new.subscription, secret=new.secret.get_secret_value())
        return subscription_id, told

    return await once.told_once(rotated)


@router.post(
    "/subscriptions/{subscription_id}/drop-old-secrets",
    operation_id="dropOldSecrets",
    summary="Sign with the newest secret alone",
    response_model=Subscription,
)
async def drop_old_secrets(
    subscription_id: str, caller: Annotated[Caller, may("events:write")], once: Keyed
) -> Response:
    """Once the receiver verifies with the newest one."""
    await mine(caller, subscription_id)
    return await once.in_database(
        lambda here: here.subscriptions.keep_newest_secret(subscription_id)
    )


@router.post(
    "/subscriptions/{subscription_id}/test",
    operation_id="testSubscription",
    summary="Send a test",
    status_code=202,
    response_model=SentTest,
)
async def test_subscription(
    subscription_id: str, caller: Annotated[Caller, may("events:write")], once: Keyed
) -> Response:
    """A worker sends it, also where the subscription is paused."""
    await mine(caller, subscription_id)

    async def tested(here: Records) -> SentTest:
        return SentTest(message_id=await here.subscriptions.test(subscription_id))

    return await once.in_database(tested, status=202)
