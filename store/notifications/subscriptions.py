"""Subscriptions: who is told of which events, and where."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any, Final

from domain.errors import InvalidInput, NotFound
from domain.notifications.subscriptions import NewSubscription, Subscription
from domain.words import few
from store.database import Connection, load_queries
from store.notifications import sequence

_sql = load_queries(__file__)

SECRETS_MAX: Final = 3


async def find(conn: Connection) -> list[Subscription]:
    """All of them, the oldest first."""
    return [Subscription(**row) async for row in _sql.find(conn, subscription_id=None)]


async def get(conn: Connection, subscription_id: str) -> Subscription:
    """One of them. Raises NotFound."""
    async for row in _sql.find(conn, subscription_id=subscription_id):
        return Subscription(**row)
    raise NotFound(
        f"there is no subscription {subscription_id}; `orderloom webhooks list` shows them",
        reason="no_subscription",
    )


async def add(
    conn: Connection, subscription_id: str, wanted: NewSubscription, secret: str, *, by: str
) -> None:
    """Subscribe: it is told of what happens from now on. Raises InvalidInput for unknown codes."""
    await check_codes(conn, wanted.channels, wanted.sellers)
    await sequence.wanted(conn, wanted.types)
    await _sql.add(
        conn,
        **wanted.model_dump(),
        subscription_id=subscription_id,
        secret=secret,
        made_by=by,
    )


async def check_codes(
    conn: Connection, channels: Sequence[str] | None, sellers: Sequence[str] | None
) -> None:
    """Raises InvalidInput for a channel or a seller that is not there."""
    missing = {
        "channels": [
            row["code"] async for row in _sql.channels_missing(conn, channels=channels or [])
        ],
        "sellers": [row["code"] async for row in _sql.sellers_missing(conn, sellers=sellers or [])],
    }
    for field, codes in missing.items():
        if codes:
            raise InvalidInput(f"there is no {field[:-1]} {few(codes, 'code')}", where=field)


async def change(conn: Connection, subscription_id: str, fields: dict[str, Any]) -> None:
    """Set these fields; `why`: of a state that is not active. Raises NotFound, InvalidInput."""
    await check_codes(conn, fields.get("channels"), fields.get("sellers"))
    _known(await _sql.change(conn, subscription_id=subscription_id, fields=fields), subscription_id)
    await sequence.wanted(conn, (await get(conn, subscription_id)).types)


async def add_secret(conn: Connection, subscription_id: str, secret: str) -> None:
    """Sign with this one as well, until the others are given up. Raises NotFound."""
    changed = await _sql.add_secret(
        conn, subscription_id=subscription_id, secret=secret, at_most=SECRETS_MAX
    )
    _known(changed, subscription_id)


async def keep_newest_secret(conn: Connection, subscription_id: str) -> None:
    """Sign with the newest one alone. Raises NotFound."""
    changed = await _sql.keep_newest_secret(conn, subscription_id=subscription_id)
    _known(changed, subscription_id)


async def remove(conn: Connection, subscription_id: str) -> None:
    """Forget it, with what waits for it. Raises NotFound."""
    _known(await _sql.remove(conn, subscription_id=subscription_id), subscription_id)


async def to_call(conn: Connection, lease: timedelta) -> list[str]:
    """Subscriptions with something to send, each for one caller.

    `lease`: from one that has not said for so long that it works, nobody expects it any more.
    """
    return [row["subscription_id"] async for row in _sql.to_call(conn, lease=lease)]


async def not_called(conn: Connection, subscription_ids: Sequence[str]) -> None:
    """Their workflows could not be called: somebody tries again."""
    await _sql.not_called(conn, subscription_ids=list(subscription_ids))


def _known(changed: str | None, subscription_id: str) -> None:
    if changed is None:
        raise NotFound(
            f"there is no subscription {subscription_id}; `orderloom webhooks list` shows them",
            reason="no_subscription",
        )
