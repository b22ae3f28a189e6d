"""Where orders come from. An order carries what its channel said when it was taken in."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple
from uuid import UUID

from domain.errors import Conflict, InvalidInput, NotFound, Refused
from domain.orders.channels import Channel
from domain.words import few
from store.database import Connection, load_queries

_sql = load_queries(__file__)


class Known(NamedTuple):
    """A channel as it was read: it is another revision with each change."""

    channel: Channel
    revision: UUID


async def find(
    conn: Connection, *, after: str | None = None, at_most: int | None = None
) -> list[Channel]:
    """All channels, by their codes; or so many of them at most, behind the one with a code."""
    found = await known(conn, after=after, at_most=at_most)
    return [each.channel for each in found.values()]


async def get(conn: Connection, channel: str) -> Channel:
    """One channel. Raises NotFound."""
    found = await known(conn, channel=channel)
    if not found:
        raise _unknown(channel)
    return found[channel].channel


async def known(
    conn: Connection,
    *,
    channel: str | None = None,
    after: str | None = None,
    at_most: int | None = None,
) -> dict[str, Known]:
    """Channels by their codes, for one who remembers them and asks if they have changed.

    All of them, or the one with a code, or so many at most behind the one with a code.
    """
    found = {}
    async for row in _sql.list_channels(conn, channel=channel, after=after, at_most=at_most):
        told = dict(row)
        revision = told.pop("revision")
        found[row["channel"]] = Known(Channel.stored(told), revision)
    return found


async def save(conn: Connection, channels: Sequence[Channel], *, only_new: bool = False) -> None:
    """Set all there is to know about these channels: all of them, or none where one is wrong.

    Raises InvalidInput for a seller or a location that is not there, and for a retired seller.
    `only_new`: raises Conflict where one of them is there.
    """
    async with conn.transaction():
        rows = _sql.sellers_of(conn, sellers=[one.seller for one in channels])
        retired = {row["seller"]: row["retired"] async for row in rows}
        for number, one in enumerate(channels):
            where = f"channels[{number}]"
            if one.seller not in retired:
                raise InvalidInput(
                    f"there is no seller {one.seller}; `orderloom sellers list` shows those "
                    "that there are",
                    where=f"{where}.seller",
                )
            if retired[one.seller] and not one.retired:
                raise InvalidInput(
                    f"{one.seller} is retired; {_reopens(one.seller)}", where=f"{where}.seller"
                )
            lacking = _sql.unknown_locations(conn, locations=list(one.locations or ()))
            unknown = [row["code"] async for row in lacking]
            if unknown:
                raise InvalidInput(
                    f"there is no location {few(unknown, 'location')}; `orderloom locations add` "
                    "makes one",
                    where=f"{where}.locations",
                )
        rows_ = [one.model_dump(mode="json") for one in channels]
        kept = [row async for row in _sql.save(conn, channels=rows_, only_new=only_new)]
        if len(kept) < len(channels):
            raise Conflict("there is a channel of this code already", reason="code_taken")


async def lock(conn: Connection, channel: str) -> Channel:
    """A channel that nobody else changes until the transaction ends. Raises NotFound."""
    await _sql.lock(conn, channel=channel)
    return await get(conn, channel)


async def retire(conn: Connection, channel: str) -> None:
    """Let it take no new orders. Raises NotFound."""
    await _set_retired(conn, channel, retired=True)


async def reopen(conn: Connection, channel: str) -> None:
    """Let it take new orders again. Raises NotFound, and Refused where its seller is retired."""
    async with conn.transaction():
        seller = await _sql.seller_of(conn, channel=channel)
        if seller is not None and seller["retired"]:
            raise Refused(
                f"{channel} sells for {seller['seller']}, which is retired; "
                f"{_reopens(seller['seller'])}"
            )
        await _set_retired(conn, channel, retired=False)


def _reopens(seller: str) -> str:
    return f"`orderloom sellers reopen {seller}` lets it take orders again"


async def _set_retired(conn: Connection, channel: str, *, retired: bool) -> None:
    if await _sql.set_retired(conn, channel=channel, retired=retired) is None:
        raise _unknown(channel)


def _unknown(channel: str) -> NotFound:
    return NotFound(f"there is no channel {channel}; `orderloom channels list` shows them")
