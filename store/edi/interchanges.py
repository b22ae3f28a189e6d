"""Interchanges as they came and as they go: kept first, and then worked on."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from pydantic import BaseModel, ConfigDict

from domain.errors import NotFound
from store.database import Connection, Record, load_queries

_sql = load_queries(__file__)

CHANNEL: Final = "edi_interchange"
"""The PostgreSQL notification channel that wakes the relay."""


class Interchange(BaseModel):
    """An interchange without its bytes.

    `done_at`: when it was read, or sent. `error`: why a person is needed, or why it is not sent
    yet. `outcome`: what came of it.
    """

    model_config = ConfigDict(frozen=True)

    interchange_no: int
    direction: str
    partner: str | None
    control: str | None
    source: str
    at: datetime
    done_at: datetime | None
    error: str | None
    outcome: str | None


async def keep(conn: Connection, source: str, raw: bytes) -> int:
    """Keep what came, as it came. Returns its number."""
    number: int = await _sql.keep(conn, source=source, raw=raw)
    return number


async def lock_unread(conn: Connection) -> Record | None:
    """Lock the next one to read: interchange_no, raw, tries. This lock comes before an order's."""
    row: Record | None = await _sql.lock_unread(conn)
    return row


async def earlier(
    conn: Connection, partner: str, control: str, interchange_no: int
) -> tuple[int, bytes | None] | None:
    """The first one that came from a partner with the same control number: its number and bytes."""
    rows = _sql.earlier(conn, partner=partner, control=control, interchange_no=interchange_no)
    async for row in rows:
        return row["interchange_no"], row["raw"]
    return None


async def read(
    conn: Connection, interchange_no: int, partner: str, control: str, outcome: str
) -> None:
    """It is read, for good."""
    await _sql.read(
        conn, interchange_no=interchange_no, partner=partner, control=control, outcome=outcome
    )


async def came_whole(conn: Connection, partner: str, control: str, interchange_no: int) -> None:
    """It is read, so those with its number that could not be read need nobody any more."""
    await _sql.came_whole(conn, partner=partner, control=control, interchange_no=interchange_no)


async def unreadable(
    conn: Connection, interchange_no: int, error: str, *, partner: str | None, control: str | None
) -> None:
    """It cannot be read: a person is needed. It stays as it came."""
    await _sql.unreadable(
        conn, interchange_no=interchange_no, partner=partner, control=control, error=error
    )


async def raw(conn: Connection, interchange_no: int) -> bytes | None:
    """Its bytes; None: they were erased with a person whom they name."""
    found: bytes | None = await _sql.raw(conn, interchange_no=interchange_no)
    return found


async def write(conn: Connection, partner: str, control: int, source: str, raw: bytes) -> int:
    """Write down what is to be sent. Returns its number."""
    number: int = await _sql.write(
        conn, partner=partner, control=str(control), source=source, raw=raw
    )
    return number


async def lock_unsent(conn: Connection, partner: str) -> Record | None:
    """Lock the next one for a partner: interchange_no, control, raw, tries, is_due."""
    row: Record | None = await _sql.lock_unsent(conn, partner=partner)
    return row


async def partners_to_send_to(conn: Connection) -> list[str]:
    """Those for whom something is written and not sent."""
    return [row["partner"] async for row in _sql.partners_to_send_to(conn)]


async def lease(conn: Connection, interchange_no: int, pause: timedelta) -> None:
    """Somebody sends it. Nobody else tries before the pause is over."""
    await _sql.lease(conn, interchange_no=interchange_no, pause=pause)


async def sent(conn: Connection, interchange_no: int) -> None:
    """The partner has it."""
    await _sql.sent(conn, interchange_no=interchange_no)


async def not_sent(conn: Connection, interchange_no: int, error: str, pause: timedelta) -> None:
    """It is sent again after the pause."""
    await _sql.not_sent(conn, interchange_no=interchange_no, error=error, pause=pause)


async def send_again(conn: Connection, interchange_no: int, within: timedelta) -> None:
    """Send the same bytes once more. Raises NotFound for one that was not written by us."""
    if await _sql.send_again(conn, interchange_no=interchange_no, within=within) is None:
        raise NotFound(
            f"there is no interchange {interchange_no} that can be sent; `orderloom edi list "
            "--out` shows those"
        )


async def read_again(conn: Connection, interchange_no: int) -> None:
    """Read one once more that could not be read. Raises NotFound for any other."""
    if await _sql.read_again(conn, interchange_no=interchange_no) is None:
        raise NotFound(f"no interchange {interchange_no} waits to be read")


async def trouble(conn: Connection, partner: str, source: str, error: str) -> None:
    """Nothing of a partner can come from there. A person is told once, until it can."""
    await _sql.trouble(conn, partner=partner, source=source, error=error)


async def no_trouble(conn: Connection, partner: str, source: str) -> None:
    """It can come from there again."""
    await _sql.no_trouble(conn, partner=partner, source=source)


async def settle(conn: Connection, interchange_no: int, note: str) -> bool:
    """A person has dealt with one that could not be read or sent; False: it is not waiting."""
    return await _sql.settle(conn, interchange_no=interchange_no, note=note) is not None


async def find(
    conn: Connection,
    *,
    partner: str | None = None,
    direction: str | None = None,
    failed: bool = False,
    before: int | None = None,
    at_most: int = 100,
) -> list[Interchange]:
    """Interchanges, the newest first. `failed`: only what needs a person."""
    rows = _sql.find(
        conn, partner=partner, direction=direction, failed=failed, before=before, at_most=at_most
    )
    return [Interchange(**row) async for row in rows]


async def get(conn: Connection, interchange_no: int) -> tuple[Interchange, bytes | None]:
    """One, with its bytes, as long as they are kept. Raises NotFound."""
    row = await _sql.get(conn, interchange_no=interchange_no)
    if row is None:
        raise NotFound(
            f"there is no interchange {interchange_no}; `orderloom edi list` shows what there is"
        )
    told = dict(row)
    raw = told.pop("raw")
    return Interchange(**told), raw


async def forget(conn: Connection, kept_for: timedelta, batch: int) -> int:
    """Delete those that were done longer ago than that. Returns how many."""
    return len([row async for row in _sql.forget(conn, kept_for=kept_for, batch=batch)])
