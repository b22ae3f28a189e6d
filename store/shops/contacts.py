"""How shops are asked and told: where they are, what opens them, and how they answer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from domain.errors import NotFound
from domain.shops.access import ShopAccess, ShopKind
from domain.shops.connections import ShopOptions
from store.database import Connection, Record, load_queries

_sql = load_queries(__file__)


@dataclass(frozen=True, repr=False)
class Contact:
    """What is needed to speak with a shop, and what is due with it.

    It has no `repr`, so that no message or log shows what opens the shop. `asks`, `checks` and
    `tells_levels`: what is due; for `checks`, since when a check is wanted. `now`: the database's
    time as it was read.
    """

    channel: str
    kind: ShopKind
    options: ShopOptions
    address: str
    credentials: Sequence[str]
    since: datetime
    read_upto: datetime | None
    reading: bool
    failures: int
    asks: bool
    checks: datetime | None
    tells_levels: bool
    levels_told: datetime | None
    now: datetime


async def connect(conn: Connection, channel: str, access: ShopAccess | None) -> None:
    """Have it be asked and told from now on; None: not any more."""
    if access is None:
        await _sql.disconnect(conn, channel=channel)
        return
    credentials = list(access.credentials)
    await _sql.connect(conn, channel=channel, address=access.address, credentials=credentials)


async def claim(conn: Connection, holder: str, lease: timedelta) -> Contact | None:
    """The next shop that something is due with; nobody else speaks with it during the lease."""
    return _contact(await _sql.claim(conn, holder=holder, lease=lease))


async def of_channel(conn: Connection, channel: str) -> Contact | None:
    """The shop of a channel; None: it has none that can be asked."""
    return _contact(await _sql.of_channel(conn, channel=channel))


async def read_upto(
    conn: Connection, channel: str, holder: str, upto: datetime, *, reading: bool
) -> bool:
    """What changed there up to this moment was read. False: somebody else speaks with it now."""
    moved = await _sql.read_upto(conn, channel=channel, holder=holder, upto=upto, reading=reading)
    return moved is not None


async def set_back(conn: Connection, channel: str, holder: str, upto: datetime) -> None:
    """Its clock was set back to this moment."""
    await _sql.set_back(conn, channel=channel, holder=holder, upto=upto)


async def asked(conn: Connection, channel: str, holder: str, pause: timedelta) -> None:
    """It is asked for changes again after the pause."""
    await _sql.asked(conn, channel=channel, holder=holder, pause=pause)


async def checked(
    conn: Connection, channel: str, holder: str, rights: Sequence[str], wanted: datetime | None
) -> None:
    """It answers, and this is what it says of our access. `wanted`: the wish that this answers."""
    await _sql.checked(conn, channel=channel, holder=holder, rights=list(rights), wanted=wanted)


async def answered(conn: Connection, channel: str, holder: str) -> None:
    """It answers, and the lease ends."""
    await _sql.answered(conn, channel=channel, holder=holder)


async def failed(
    conn: Connection,
    channel: str,
    holder: str,
    error: str,
    *,
    refuses: bool,
    rest: timedelta,
    wanted: datetime | None,
) -> None:
    """It does not answer, or does not let us in (`refuses`), and is left alone for the rest.

    `wanted`: the wish for a check that this answers.
    """
    await _sql.failed(
        conn,
        channel=channel,
        holder=holder,
        error=error,
        refuses=refuses,
        rest=rest,
        wanted=wanted,
    )


async def let_go(conn: Connection, channel: str, holder: str) -> None:
    """The lease ends, and what was due still is."""
    await _sql.let_go(conn, channel=channel, holder=holder)


async def want_check(conn: Connection, channel: str) -> None:
    """A worker asks it at once. Raises NotFound for one that cannot be asked."""
    if await _sql.want_check(conn, channel=channel) is None:
        raise NotFound(
            f"the shop of {channel} cannot be asked; `orderloom shops connect` takes its `access`",
            reason="shop_without_access",
        )


async def known_messages(
    conn: Connection, channel: str, message_ids: Sequence[str]
) -> frozenset[str]:
    """Which of these messages are kept."""
    rows = _sql.known_messages(conn, channel=channel, message_ids=list(message_ids))
    return frozenset([row["message_id"] async for row in rows])


def _contact(row: Record | None) -> Contact | None:
    if row is None:
        return None
    return Contact(**{**row, "options": ShopOptions.model_validate(row["options"])})
