"""Subscriptions as a caller may see and make them: within the key's channels and sellers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from domain.errors import NotFound
from domain.notifications.subscriptions import NewSubscription, Subscription, SubscriptionChange
from starter.http.callers import Caller, check_allows
from starter.http.problems import ProblemError
from starter.service.event_subscriptions import asks_for_customers

Wanted = TypeVar("Wanted", NewSubscription, SubscriptionChange)


def is_mine(caller: Caller, one: Subscription) -> bool:
    """Whether it tells nothing that the caller may not see."""
    return _covers(caller.grant.channels, one.channels) and _covers(
        caller.grant.sellers, one.sellers
    )


def _covers(mine: frozenset[str] | None, told: tuple[str, ...] | None) -> bool:
    return mine is None or (told is not None and mine >= set(told))


async def mine(caller: Caller, subscription_id: str) -> Subscription:
    """Raises NotFound, alike for what tells more than the caller may see."""
    try:
        found = await caller.here.subscriptions.get(subscription_id)
    except NotFound:
        found = None
    if found is None or not is_mine(caller, found):
        raise NotFound(f"there is no subscription {subscription_id}")
    return found


def check_may_know(caller: Caller, types: Sequence[str] | None) -> None:
    """Raises ProblemError (403) for types about customers, where the key may not read those."""
    if asks_for_customers(types):
        check_allows(caller, "customers:read")
        caller.check_sees_all("what happens to customers")


def within(caller: Caller, wanted: Wanted) -> Wanted:
    """The same within what the caller may see. Raises ProblemError where it asks for more."""
    limits = {"channels": caller.channels, "sellers": caller.sellers}
    given = {name: getattr(wanted, name) for name in wanted.model_fields_set}
    for name, mine in limits.items():
        stays = type(wanted) is SubscriptionChange and name not in given
        if mine is None or stays:
            continue
        told = given.get(name)
        if told is None:
            given[name] = tuple(mine)
        elif not set(told) <= set(mine):
            raise ProblemError(
                403, "beyond_key", f"the key sees the {name} {', '.join(mine)} alone: name no other"
            )
    return type(wanted).model_validate(given)
