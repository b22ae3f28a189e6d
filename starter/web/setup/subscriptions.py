"""Event subscriptions: who is told of what happens. A secret is shown once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Final
from urllib.parse import quote

from fastapi import APIRouter
from pydantic import ValidationError
from starlette.responses import Response

from domain.errors import InvalidInput, NotFound, Refused
from domain.notifications.event_types import EVENT_TYPES
from domain.notifications.subscriptions import (
    MadeSubscription,
    NewSubscription,
    Subscription,
    SubscriptionChange,
)
from starter.service.event_subscriptions import asks_for_customers
from starter.web.screens.forms import by_field, met, told_by
from starter.web.screens.visits import ScreenRoute, Visit, in_words, may
from starter.web.setup.fields import Field, document_of, sent_values, values_of
from starter.web.setup.parts import show

router = APIRouter(include_in_schema=False, route_class=ScreenRoute)

Reads = Annotated[Visit, may("events:read")]
Writes = Annotated[Visit, may("events:read", "events:write")]
_AT: Final = "app/setup/events"
_FIELDS: Final = (
    Field("url", required=True),
    Field("description"),
    Field("types", "ticks"),
    Field("channels", "ticks"),
    Field("sellers", "ticks"),
)
_SHORT: Final = "orderloom."


@router.get("/app/setup/events")
async def subscriptions(visit: Reads, done: str = "") -> Response:
    """All of them that tell nothing that somebody may not see."""
    found = [one for one in await visit.here.subscriptions.list() if _is_mine(visit, one)]
    return show(
        visit,
        "subscriptions",
        told=told_by(visit, done),
        subscriptions=found,
        may_write=visit.person.allows("events:write"),
    )


@router.get("/app/setup/events/new")
async def new(visit: Writes) -> Response:
    """The form for another one."""
    return await _form(visit)


@router.post("/app/setup/events/new")
async def make(visit: Writes) -> Response:
    """Subscribe to what happens from now on."""
    try:
        wanted = NewSubscription.model_validate(_within(visit, document_of(visit, _FIELDS)))
        made = await visit.here.subscriptions.make(wanted, by=visit.person.who)
    except (ValidationError, InvalidInput) as wrong:
        visit.faults = by_field(visit.words, wrong)
        return await _form(visit, status=422, trouble=in_words(visit.words, wrong))
    except Refused as no:
        return await _form(visit, status=409, trouble=in_words(visit.words, no))
    return _once(visit, made)


@router.post("/app/setup/events/{subscription_id}")
async def save(visit: Writes, subscription_id: str) -> Response:
    """Change where it goes and what it tells."""

    async def act() -> str:
        said = _within(visit, document_of(visit, _FIELDS))
        whole = {name: said.get(name) for name in ("url", "types", "channels", "sellers")}
        change = SubscriptionChange.model_validate(
            {**whole, "description": said.get("description")}
        )
        await visit.here.subscriptions.update(subscription_id, change, by=visit.person.who)
        return "saved"

    return await done_or_again(visit, subscription_id, act)


@router.post("/app/setup/events/{subscription_id}/state")
async def set_state(visit: Writes, subscription_id: str) -> Response:
    """Pause it, or let it go on where it stood."""
    state = "active" if visit.field("state") == "active" else "paused"

    async def act() -> str:
        change = SubscriptionChange.model_validate({"state": state})
        await visit.here.subscriptions.update(subscription_id, change, by=visit.person.who)
        return f"subscription_{state}"

    return await done_or_again(visit, subscription_id, act)


@router.post("/app/setup/events/{subscription_id}/secret")
async def rotate(visit: Writes, subscription_id: str) -> Response:
    """Sign with a new secret, too. The older ones sign as well until they are ended."""
    await mine(visit, subscription_id)
    return _once(visit, await visit.here.subscriptions.rotate(subscription_id))


@router.post("/app/setup/events/{subscription_id}/newest")
async def keep_newest(visit: Writes, subscription_id: str) -> Response:
    """Sign with the newest secret alone."""

    async def act() -> str:
        await visit.here.subscriptions.keep_newest_secret(subscription_id)
        return "newest_alone"

    return await done_or_again(visit, subscription_id, act)


@router.post("/app/setup/events/{subscription_id}/remove")
async def remove(visit: Writes, subscription_id: str) -> Response:
    """Forget it, with its attempts and what waits for it."""
    await mine(visit, subscription_id)
    if not visit.field("sure"):
        return await one_page(visit, subscription_id, status=422, trouble=[visit.words("say_sure")])
    await visit.here.subscriptions.remove(subscription_id)
    return visit.lead(f"{_AT}?done=subscription_removed")


async def done_or_again(visit: Visit, subscription_id: str, act: Any) -> Response:
    """Meet a form of the page of one, and go on there. Raises NotFound for another's."""
    await mine(visit, subscription_id)

    async def again(status: int, trouble: Sequence[str]) -> Response:
        return await one_page(visit, subscription_id, status=status, trouble=trouble)

    return await met(visit, act, f"{_AT}/{quote(subscription_id)}", again)


async def mine(visit: Visit, subscription_id: str) -> Subscription:
    """Raises NotFound, alike for what tells more than they may see."""
    found = await visit.here.subscriptions.get(subscription_id)
    if not _is_mine(visit, found):
        raise NotFound(f"there is no subscription {subscription_id}", reason="no_subscription")
    return found


async def one_page(
    visit: Visit,
    subscription_id: str,
    *,
    status: int = 200,
    told: str = "",
    trouble: Sequence[str] = (),
) -> Response:
    """One of them, with its latest attempts and what waits."""
    one = await mine(visit, subscription_id)
    door = visit.here.subscriptions
    typed = "url" in visit.sent
    return show(
        visit,
        "subscription",
        status=status,
        told=told,
        trouble=trouble,
        one=one,
        attempts=await door.deliveries(subscription_id, at_most=_SHOWN),
        dead=await door.dead(subscription_id, at_most=_SHOWN),
        retried=await door.retried(subscription_id, at_most=_SHOWN),
        fields=_FIELDS,
        values=sent_values(visit, _FIELDS)
        if typed
        else values_of(visit.words, one.model_dump(), _FIELDS),
        options=await _options(visit),
        may_write=visit.person.allows("events:write"),
    )


_SHOWN: Final = 20


async def _options(visit: Visit) -> dict[str, list[tuple[str, str]]]:
    grant = visit.person.grant
    channels = [one.channel for one in await visit.here.channels.list()]
    sellers = [one.seller for one in await visit.here.sellers.list()]
    return {
        "types": [
            (one, one.removeprefix(_SHORT))
            for one in EVENT_TYPES
            if not asks_for_customers([one]) or _sees_customers(visit)
        ],
        "channels": [(x, x) for x in channels if grant.channels is None or x in grant.channels],
        "sellers": [(x, x) for x in sellers if grant.sellers is None or x in grant.sellers],
    }


def _sees_customers(visit: Visit) -> bool:
    return visit.person.allows("customers:read") and not visit.person.grant.is_restricted


def _within(visit: Visit, said: dict[str, Any]) -> dict[str, Any]:
    """The same within what they may see. Raises Refused where it asks for more."""
    grant = visit.person.grant
    for name, limit in (("channels", grant.channels), ("sellers", grant.sellers)):
        if limit is not None:
            said[name] = said.get(name) or sorted(limit)
            if not set(said[name]) <= limit:
                raise Refused(f"other {name}", reason="beyond")
    if asks_for_customers(said.get("types")) and not _sees_customers(visit):
        raise Refused("what happens to customers", reason="beyond")
    return said


def _is_mine(visit: Visit, one: Subscription) -> bool:
    grant = visit.person.grant
    return all(
        limit is None or (told is not None and limit >= set(told))
        for limit, told in ((grant.channels, one.channels), (grant.sellers, one.sellers))
    )


async def _form(visit: Visit, *, status: int = 200, trouble: Sequence[str] = ()) -> Response:
    return show(
        visit,
        "new_subscription",
        status=status,
        trouble=trouble,
        at=f"{_AT}/new",
        plural="subscriptions",
        fields=_FIELDS,
        values=sent_values(visit, _FIELDS),
        options=await _options(visit),
    )


def _once(visit: Visit, made: MadeSubscription) -> Response:
    return show(
        visit,
        "secret_once",
        of_what=made.subscription.url,
        secret=made.secret.get_secret_value(),
        onward=f"{_AT}/{made.subscription.subscription_id}",
    )
