"""Keeps who is told of what happens, and tells what became of it."""

from __future__ import annotations

import base64
import builtins
import secrets
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from pydantic import BaseModel, ConfigDict, SecretStr

from domain.errors import InvalidInput, NotFound
from domain.notifications.catalogue import Message
from domain.notifications.event_types import is_of_customers
from domain.notifications.subscriptions import (
    Attempt,
    MadeSubscription,
    NewSubscription,
    OpenDelivery,
    Replay,
    Subscription,
    SubscriptionChange,
)
from store.database import Pool
from store.notifications import deliveries, messages, sequence, subscriptions

SECRET_BYTES: Final = 32
READ_MAX: Final = 500


class ReadEvents(BaseModel):
    """Events that were read. `position`: read on after this one.

    `left_out`: positions of events that cannot be made now, by a defect here. Read them again when
    that is mended.
    """

    model_config = ConfigDict(frozen=True)

    events: tuple[Message, ...]
    position: int
    left_out: tuple[int, ...] = ()


class EventSubscriptions:
    """Subscriptions to events, their secrets, deliveries and dead letters; and reading events.

    A worker's relay and its workflows deliver: what is changed here counts from the next attempt.
    `plain_http`: addresses without TLS may be named.
    """

    def __init__(self, pool: Pool, *, plain_http: bool = False) -> None:
        self._pool = pool
        self._plain_http = plain_http

    async def list(self) -> Sequence[Subscription]:
        """All subscriptions, the oldest first."""
        async with self._pool.acquire() as conn:
            return await subscriptions.find(conn)

    async def get(self, subscription_id: str) -> Subscription:
        """One subscription. Raises NotFound."""
        async with self._pool.acquire() as conn:
            return await subscriptions.get(conn, subscription_id)

    async def make(self, wanted: NewSubscription, *, by: str) -> MadeSubscription:
        """Subscribe to what happens from now on. The answer alone has the secret.

        Raises InvalidInput for an address that may not be, for unknown channels and sellers, and
        for types about customers together with channels or sellers.
        """
        self._check(wanted.url)
        subscription_id, secret = f"sub-{secrets.token_hex(6)}", _new_secret()
        async with self._pool.acquire() as conn, conn.transaction():
            await subscriptions.add(conn, subscription_id, wanted, secret, by=by)
            made = _checked(await subscriptions.get(conn, subscription_id))
        return MadeSubscription(subscription=made, secret=SecretStr(secret))

    async def update(
        self, subscription_id: str, change: SubscriptionChange, *, by: str
    ) -> Subscription:
        """Change what is given. Raises NotFound, and InvalidInput as `make` does.

        One that is set active again goes on where it stood, with the events that are still kept.
        """
        fields: dict[str, Any] = change.changed
        if "url" in fields:
            self._check(fields["url"])
        if fields.get("state") == "paused":
            fields["why"] = f"paused by {by}"
        async with self._pool.acquire() as conn, conn.transaction():
            await subscriptions.change(conn, subscription_id, fields)
            return _checked(await subscriptions.get(conn, subscription_id))

    async def rotate(self, subscription_id: str) -> MadeSubscription:
        """Sign with a new secret, too, which only this answer shows. Raises NotFound.

        The older ones sign as well, three together at most, until `keep_newest_secret`.
        """
        secret = _new_secret()
        async with self._pool.acquire() as conn, conn.transaction():
            await subscriptions.add_secret(conn, subscription_id, secret)
            found = await subscriptions.get(conn, subscription_id)
        return MadeSubscription(subscription=found, secret=SecretStr(secret))

    async def keep_newest_secret(self, subscription_id: str) -> Subscription:
        """Sign with the newest secret alone. Raises NotFound."""
        async with self._pool.acquire() as conn, conn.transaction():
            await subscriptions.keep_newest_secret(conn, subscription_id)
            return await subscriptions.get(conn, subscription_id)

    async def remove(self, subscription_id: str) -> None:
        """Forget it, with its attempts and what waits for it. Raises NotFound."""
        async with self._pool.acquire() as conn:
            await subscriptions.remove(conn, subscription_id)

    async def test(self, subscription_id: str) -> str:
        """Have a worker send a test, once, also where it is not active. Raises NotFound.

        Returns the test's message id: `deliveries` tells what came of it.
        """
        async with self._pool.acquire() as conn:
            message_id = await deliveries.add_test(conn, subscription_id)
            if message_id is None:
                await subscriptions.get(conn, subscription_id)
                raise NotFound(
                    f"there is no subscription {subscription_id}", reason="no_subscription"
                )
        return message_id

    async def deliveries(
        self,
        subscription_id: str,
        *,
        message_id: str | None = None,
        before: int | None = None,
        at_most: int = 100,
    ) -> Sequence[Attempt]:
        """Attempts to deliver, newest first, `before` an attempt's id. Raises NotFound."""
        async with self._pool.acquire() as conn:
            await subscriptions.get(conn, subscription_id)
            return await deliveries.attempts(
                conn, subscription_id, message_id=message_id, before=before, at_most=at_most
            )

    async def retried(
        self, subscription_id: str, *, after: int = 0, at_most: int = 100
    ) -> Sequence[OpenDelivery]:
        """Events that are tried again, or wait for such a one of their order. Raises NotFound."""
        async with self._pool.acquire() as conn:
            await subscriptions.get(conn, subscription_id)
            return await deliveries.undelivered(
                conn,
                subscription_id,
                ("waiting", "retrying", "resending"),
                after=after,
                at_most=at_most,
            )

    async def dead(
        self, subscription_id: str | None = None, *, after: int = 0, at_most: int = 100
    ) -> Sequence[OpenDelivery]:
        """Dead letters, of one subscription or of all, `after` a delivery's id. Raises NotFound."""
        async with self._pool.acquire() as conn:
            if subscription_id is not None:
                await subscriptions.get(conn, subscription_id)
            return await deliveries.undelivered(
                conn, subscription_id, ("dead",), after=after, at_most=at_most
            )

    async def resend(
        self, subscription_id: str, positions: builtins.list[int] | None = None
    ) -> int:
        """Send dead letters again, those of some positions or all. Raises NotFound.

        Returns how many. Later events of their orders may be there before them.
        """
        async with self._pool.acquire() as conn:
            await subscriptions.get(conn, subscription_id)
            return await deliveries.resend(conn, subscription_id, positions)

    async def replay(
        self,
        subscription_id: str,
        *,
        since: datetime | None = None,
        position: int | None = None,
    ) -> Replay:
        """Send everything again from a time or a position on, under the same ids.

        Raises NotFound, and InvalidInput where not one of both is given, or nothing is kept.
        """
        if (since is None) == (position is None):
            raise InvalidInput("takes a time or a position, and not both", where="replay")
        async with self._pool.acquire() as conn, conn.transaction():
            await subscriptions.get(conn, subscription_id)
            return await deliveries.replay(conn, subscription_id, since=since, position=position)

    async def read(
        self,
        position: int | None,
        types: Sequence[str] | None = None,
        channels: Sequence[str] | None = None,
        sellers: Sequence[str] | None = None,
        limit: int = 100,
    ) -> ReadEvents:
        """Events after a position, in their sequence, whole; None: none, and where to begin.

        Those about customers are read by their types alone, and not of channels or sellers.
        Who reads keeps the sequence going for three days. Raises InvalidInput for a position whose
        next event is not kept any more: begin anew with None.
        """
        async with self._pool.acquire() as conn:
            await sequence.wanted(conn, types)
            first, last = await messages.kept(conn, of_customers=asks_for_customers(types))
            if position is None:
                return ReadEvents(events=(), position=last)
            if not first <= position <= last:
                raise InvalidInput(
                    f"events after {position} are not kept; they go on after {last}",
                    where="position",
                )
            found = await messages.read(
                conn,
                position,
                types=types,
                channels=channels,
                sellers=sellers,
                at_most=min(limit, READ_MAX),
            )
        made = await messages.make(self._pool, found)
        read_to = found[-1].position if len(found) >= min(limit, READ_MAX) else last
        return ReadEvents(
            events=tuple(
                made.messages[each.position] for each in found if each.position in made.messages
            ),
            position=max(read_to, found[-1].position if found else position),
            left_out=tuple(sorted(made.defects)),
        )

    def _check(self, url: str) -> None:
        if not self._plain_http and not url.lower().startswith("https:"):
            raise InvalidInput(
                "must begin with https://; ORDERLOOM_WEBHOOK_TARGETS_HTTP=true allows http",
                where="url",
            )


def _new_secret() -> str:
    return f"whsec_{base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()}"


def asks_for_customers(types: Sequence[str] | None) -> bool:
    """Whether events about customers are among these types."""
    return any(is_of_customers(one) for one in types or ())


def _checked(one: Subscription) -> Subscription:
    if asks_for_customers(one.types) and (one.channels or one.sellers):
        raise InvalidInput(
            "what happens to customers is of no channel or seller: name none of them beside it",
            where="types",
        )
    return one
