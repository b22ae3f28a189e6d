"""Links to customers' pages: made for an order, and read when somebody comes with one."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

from domain.access.page_links import (
    LINK_DAYS,
    LOOKED_UP_DAYS,
    LinkFault,
    PageLink,
    link_token,
    order_of,
)
from store import clock
from store.access import page_keys
from store.database import Connection, load_queries

_sql = load_queries(__file__)


async def order_link(conn: Connection, order_id: str, pages_url: str | None) -> str | None:
    """The whole address of an order's page, good for `LINK_DAYS` from today.

    `pages_url`: where customers reach the pages (`Settings.pages_url`). None where that is not set,
    where there is no such order, and where its person was erased.
    """
    if pages_url is None:
        return None
    token = await order_token(conn, order_id)
    return None if token is None else f"{pages_url}/o/{token}"


async def order_token(conn: Connection, order_id: str, *, days: int = LINK_DAYS) -> str | None:
    """What the address of an order's page ends with; None as of `order_link`.

    `days`: for so long it is good.
    """
    order_no = await _sql.known(conn, order_id=order_id)
    return None if order_no is None else await _token(conn, PageLink(order_no), days)


@dataclass(frozen=True, slots=True)
class NoOrder:
    """Why a link leads to no order."""

    why: LinkFault | Literal["erased"]


@dataclass(frozen=True, slots=True)
class Behind:
    """The order behind a link. `whole`: all of its page may be shown."""

    order_id: str
    whole: bool


async def order_behind(conn: Connection, token: str) -> Behind | NoOrder:
    """The order that a link leads to, or why it leads to none."""
    keys = {key.key_no: key.secret for key in await page_keys.valid(conn)}
    found = order_of(token, keys, clock.today())
    if not isinstance(found, PageLink):
        return NoOrder(found)
    row = await _sql.order_named(conn, order_no=found.order_no)
    if row is None:
        return NoOrder("unknown")
    return NoOrder("erased") if row["erased"] else Behind(row["order_id"], found.whole)


async def looked_up(conn: Connection, number: str, said: str) -> str | None:
    """The token of an order's page, for somebody who knows its number and one thing more.

    `said`: the customer's mail address, or the postal code that it goes to. The page shows where
    the parcels are, and nothing of the person. None where the two do not belong together; that
    takes as many statements.
    """
    order_no = await _sql.looked_up(conn, number=number.strip(), said=said.strip())
    token = await _token(conn, PageLink(order_no or 0, whole=False), LOOKED_UP_DAYS)
    return None if order_no is None else token


async def _token(conn: Connection, link: PageLink, days: int) -> str:
    key = (await page_keys.valid(conn))[0]
    return link_token(link, key, clock.today() + timedelta(days=days))
