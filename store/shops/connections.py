"""Which channel is connected with which shop, and what that one signs with."""

from __future__ import annotations

from collections.abc import Sequence

from domain.errors import InvalidInput, NotFound
from domain.orders.providers import ELSEWHERE
from domain.shops.access import ShopKind
from domain.shops.connections import NewShop, Shop, ShopOptions
from store.database import Connection, load_queries
from store.orders import channels
from store.shops import contacts

_sql = load_queries(__file__)


async def find(conn: Connection) -> list[Shop]:
    """All of them, by their channels."""
    return [Shop(**row) async for row in _sql.find(conn, channel=None)]


async def get(conn: Connection, channel: str) -> Shop:
    """One of them. Raises NotFound."""
    async for row in _sql.find(conn, channel=channel):
        return Shop(**row)
    raise _unknown(channel)


async def secrets_of(conn: Connection, channel: str) -> tuple[ShopKind, Sequence[str]]:
    """What the shop of a channel is, and what it may sign with. Raises NotFound."""
    row = await _sql.secrets_of(conn, channel=channel)
    if row is None:
        raise _unknown(channel)
    return row["kind"], row["secrets"]


async def options_of(conn: Connection, channel: str) -> tuple[ShopKind, ShopOptions]:
    """What the shop of a channel is, and how it is read. Raises NotFound."""
    row = await _sql.options_of(conn, channel=channel)
    if row is None:
        raise _unknown(channel)
    return row["kind"], ShopOptions.model_validate(row["options"])


async def connect(conn: Connection, channel: str, wanted: NewShop, *, by: str) -> None:
    """Connect it, or connect it otherwise. Raises NotFound for a channel that is not there.

    Raises InvalidInput where the channel does not take what its orders are paid by.
    """
    known = await channels.get(conn, channel)
    provider = wanted.options.paid_by
    is_any = known.providers is None and provider != ELSEWHERE
    if not is_any and provider not in (known.providers or ()):
        raise InvalidInput(
            f"{channel} does not take orders that are paid by {provider}; add it to the channel's "
            "providers: `orderloom channels import`",
            where="channel",
        )
    await _sql.connect(
        conn,
        channel=channel,
        kind=wanted.kind,
        secrets=[secret.get_secret_value() for secret in wanted.secrets],
        options=wanted.options.model_dump(mode="json"),
        connected_by=by,
    )
    await contacts.connect(conn, channel, wanted.access)


async def disconnect(conn: Connection, channel: str) -> None:
    """It takes no more messages; those that were kept stay. Raises NotFound."""
    if await _sql.disconnect(conn, channel=channel) is None:
        raise _unknown(channel)


def _unknown(channel: str) -> NotFound:
    return NotFound(
        f"no shop is connected with channel {channel}; `orderloom shops connect` connects one",
        reason="no_shop",
    )
