"""Trading partners, as data."""

from __future__ import annotations

from collections.abc import Sequence

import asyncpg

from domain.edi.partners import Partner, TradingParty
from domain.errors import InvalidInput, NotFound
from domain.stored import stored
from store.database import Connection, StillReferred, load_queries
from store.orders import channels

_sql = load_queries(__file__)


def address_of(ours: tuple[str, str], theirs: tuple[str, str], *, test: bool) -> str:
    """What is on the envelope of all interchanges with one partner."""
    return f"{ours[0]}:{ours[1]}/{theirs[0]}:{theirs[1]}{'/test' if test else ''}"


def _pair(party: TradingParty) -> tuple[str, str]:
    return party.qualifier, party.id


async def save(conn: Connection, partners: Sequence[Partner], *, who: str) -> None:
    """Set all there is to know about these partners: all of them, or none where one is wrong.

    Raises InvalidInput for a channel or supplier that is not there, for a channel whose orders are
    not paid so, and for an address or a supplier that another partner has.
    """
    async with conn.transaction():
        known = await channels.known(conn)
        for one in partners:
            if one.channel in known and not one.retired:
                why = known[one.channel][0].why_not_by(one.provider)
                if why:
                    raise InvalidInput(why, where=f"{one.partner}.provider")
            try:
                await _sql.save(
                    conn,
                    partner=one.partner,
                    definition=one.model_dump(mode="json"),
                    channel=one.channel,
                    supplier=one.supplier,
                    address=address_of(_pair(one.ours), _pair(one.theirs), test=one.test),
                    retired=one.retired,
                    who=who,
                )
            except StillReferred as error:
                missing = f"channel {one.channel}" if one.channel else f"supplier {one.supplier}"
                raise InvalidInput(f"there is no {missing}", where=one.partner) from error
            except asyncpg.UniqueViolationError as error:
                raise InvalidInput(
                    "another partner has the same ids on its envelopes, or is the same supplier; "
                    "retire that one first",
                    where=one.partner,
                ) from error


async def find(conn: Connection) -> list[Partner]:
    """All partners, by their names."""
    return [_partner(row["definition"]) async for row in _sql.find(conn, partner=None)]


async def get(conn: Connection, partner: str) -> Partner:
    """One partner. Raises NotFound."""
    async for row in _sql.find(conn, partner=partner):
        return _partner(row["definition"])
    raise NotFound(f"there is no trading partner {partner}; `orderloom edi partners` shows all")


async def by_address(
    conn: Connection, ours: tuple[str, str], theirs: tuple[str, str], *, test: bool
) -> Partner | None:
    """The partner whose interchanges have these ids; None: nobody does."""
    row = await _sql.by_address(conn, address=address_of(ours, theirs, test=test))
    return None if row is None else _partner(row["definition"])


async def by_supplier(conn: Connection, supplier: str) -> Partner | None:
    """The partner that a supplier trades as; None: it does not trade by EDI."""
    row = await _sql.by_supplier(conn, supplier=supplier)
    return None if row is None else _partner(row["definition"])


async def lock(conn: Connection, partner: str) -> None:
    """Nobody else writes to this partner until we end."""
    await _sql.lock(conn, partner=partner)


async def may_collect(conn: Connection, partner: str) -> bool:
    """Whether nobody else takes files from its folder until our transaction ends."""
    is_ours: bool = await _sql.may_collect(conn, partner=partner)
    return is_ours


async def next_control(conn: Connection, partner: str) -> int:
    """The number of the next interchange for a partner. Nobody else gets one until we end."""
    number: int = await _sql.next_control(conn, partner=partner)
    return number


def _partner(definition: object) -> Partner:
    return stored(Partner, definition)
