"""Links to customers' pages: made for an order, and read when somebody comes with one."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

from domain.access.page_links import LINK_DAYS, LinkFault, link_token, order_of
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


async def order_token(conn: Connection, order_id: str) -> str | None:
    """What the address of an order's page ends with; None as of `order_link`."""
    order_no = await _sql.known(conn, order_id=order_id)
    if order_no is None:
        return None
    key = (await page_keys.valid(conn))[0]
    return link_token(order_no, key, clock.today() + timedelta(days=LINK_DAYS))


@dataclass(frozen=True, slots=True)
class NoOrder:
    """Why a link leads to no order."""

    why: LinkFault | Literal["erased"]


async def order_behind(conn: Connection, token: str) -> str | NoOrder:
    """The id of the order that a link leads to, or why it leads to none."""
    keys = {key.key_no: key.secret for key in await page_keys.valid(conn)}
    found = order_of(token, keys, clock.today())
    if not isinstance(found, int):
        return NoOrder(found)
    row = await _sql.order_named(conn, order_no=found)
    if row is None:
        return NoOrder("unknown")
    if row["erased"]:
        return NoOrder("erased")
    order_id: str = row["order_id"]
    return order_id
