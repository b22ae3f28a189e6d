"""Lists look at the orders that they show, however many orders there are."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any, Final, cast, get_args

from store.client_pool import open_client_pool
from store.customers import finding, pages, segments
from store.database import Connection, Pool
from store.views import lists, reads
from tests.support.own_database import database_url, pool

__all__ = ["database_url", "pool"]

ORDERS: Final = 10_000
OF_ONE: Final = 2_000
"""One customer has so many of them, and all others ten each."""

SHOWN: Final = 10
BLOCKS_MAX: Final = 60 * SHOWN
"""Of 8 KB that a list may look at, cached or not. All orders and their lines are about 1,500."""

LOOKS_AT: Final = 40
"""Of 10,000, so many orders are looked at for a page with filters that no index has."""

OF_A_KIND_MAX: Final = 80 * LOOKS_AT
"""For a page of the customers of a kind: each has ten orders, which are looked at. All customers
would be 50,000."""

SOON_FULL: Final = ("None", "again", "private")
"""Kinds of nearly all customers: the first ones fill the page, and no more are looked at."""

OF_A_CUSTOMER_MAX: Final = 250
"""To find a customer, and for a part of the page. The persons of all orders are about 280."""


async def many_orders(conn: Connection) -> None:
    """Closed orders of many customers and days, and one that is delivered."""
    await conn.execute("insert into item (sku) values ('TEA')")
    await conn.execute(
        """
        insert into customer_order (order_id, channel, seller, channel_order_id, digest, policy,
                                    document, currency, total_minor, placed_at, received_at)
        select 'web-' || n, 'web', 'main', n, 'd', '{}', '{}', 'USD', 100,
               now() - n * interval '1 minute', now() - n * interval '1 minute'
        from generate_series(1, $1) as n
        """,
        ORDERS,
    )
    await conn.execute(
        """
        insert into order_person (order_no, customer_id, person)
        select order_no, case when n > $1 then 'BIG' else 'C' || n % 800 end,
               jsonb_build_object('customer', jsonb_build_object(
                   'name', 'Mina Nr' || n, 'email', 'mina' || n || '@x.example',
                   'phone', '+82 2 55 ' || 10000000 + n))
        from (select order_no, channel_order_id::integer as n from customer_order) o
        """,
        ORDERS - OF_ONE,
    )
    await conn.execute(
        """
        insert into order_line (order_no, line_id, position, sku, ordered, goods_minor, tax_minor,
                                shipping_minor, shipping_tax_minor)
        select order_no, '1', 1, 'TEA', 1, 100, 0, 0, 0 from customer_order
        """
    )
    await conn.execute(
        "insert into order_money (order_no, currency) select order_no, currency from customer_order"
    )
    await conn.execute("update order_line set allocated = 1, picked = 1")
    await conn.execute(
        "update order_line set allocated = 0, picked = 0, shipped = 1, delivered = 1"
    )
    await conn.execute("update customer_order set decision = 'confirmed'")
    await conn.execute(
        "update customer_order set decision = 'closed', decided_at = received_at "
        "where order_id <> 'web-3500'"
    )
    await conn.execute(
        "update effect set ended_at = received_at from customer_order "
        "where effect.order_no = customer_order.order_no and ended_at is not null"
    )
    await conn.execute(
        "insert into attention (order_no, step, reason) "
        "values (order_no_of('web-6000'), 'ship', 'no carrier')"
    )
    await conn.execute(
        "vacuum analyze customer_order, order_person, order_in_state, order_line, attention, "
        "effect, customer, order_money"
    )


def days_ago(days: int) -> datetime:
    return datetime.now(UTC) - timedelta(days=days)


class Blocks:
    """Counts what each statement of a connection has the server look at."""

    def __init__(self, conn: Connection) -> None:
        self._conn = conn
        self.looked_at = 0

    async def fetchrow(self, sql: str, *values: Any) -> Any:
        rows = await self.fetch(sql, *values)
        return rows[0] if rows else None

    async def fetch(self, sql: str, *values: Any) -> list[Any]:
        plan = await self._conn.fetchval(f"explain (analyze, buffers, format json) {sql}", *values)
        top = (json.loads(plan) if isinstance(plan, str) else plan)[0]["Plan"]
        self.looked_at += top["Shared Hit Blocks"] + top["Shared Read Blocks"]
        return list(await self._conn.fetch(sql, *values))


LISTS: Final[dict[str, tuple[dict[str, Any], int]]] = {
    "all": ({}, SHOWN),
    "closed": ({"state": "closed"}, SHOWN),
    "delivered": ({"state": "delivered"}, 1),
    "held": ({"state": "held"}, 0),
    "of a channel": ({"channel": "web"}, SHOWN),
    "of a channel without orders": ({"channel": "b2b"}, 0),
    "of a seller": ({"seller": "main"}, SHOWN),
    "of a customer": ({"customer_id": "C7"}, SHOWN),
    "need attention": ({"attention": True}, 1),
    "need none": ({"attention": False}, SHOWN),
    "since yesterday": ({"placed_from": days_ago(1)}, SHOWN),
    "of a day": ({"placed_from": days_ago(6), "placed_to": days_ago(5)}, SHOWN),
}


PAGES: Final[dict[str, tuple[dict[str, Any], int]]] = {
    "of a SKU": ({"sku": "TEA"}, SHOWN),
    "of no SKU": ({"sku": "POT"}, 0),
    "held": ({"held": True}, 0),
    "to a country": ({"country": "KR"}, 0),
    "promised": ({"promised_by": "2027-01-01"}, 0),
    "with much money": ({"currency": "USD", "total_from": 101}, 0),
    "voided, of a location": ({"money": "voided", "location": "main"}, 0),
    "with a total, of a state": ({"state": "closed", "total_to": 100, "currency": "USD"}, SHOWN),
}
"""Filters of a page, of which some have no index: it looks at so many orders and no more."""


CUSTOMERS: Final[dict[str, int]] = {
    "C7": 0,  # our id
    "BIG": OF_ONE,
    "mina5001@x.example": SHOWN,
    "web-5001": SHOWN,
    "10005001": SHOWN,  # a phone number's end
    "5001": SHOWN,
    "mina nr5001": SHOWN,
}
"""What somebody types → how many orders the customer has who is found."""


async def customers_looked_at(conn: Connection) -> dict[str, int]:
    """How much each way to find a customer looks at, and each part of a page."""
    looked_at = {}
    await finding.found(conn, "nobody")  # What is read to plan a first search does not count.
    for text, orders in CUSTOMERS.items():
        blocks = Blocks(conn)
        found = await finding.found(cast("Connection", blocks), text)
        looked_at[f"find {text}"] = blocks.looked_at
        assert not orders or orders in {one.orders for one in found}, text
        number = found[0].customer_no
    for name in ("C1", "BIG"):
        (number,) = await pages.own(conn, name)
        for part in ("sums", "orders", "happened", "tasks", "known_as"):
            blocks = Blocks(conn)
            limits = {} if part in ("sums", "known_as") else {"at_most": SHOWN}
            await getattr(pages.Seen(number), part)(cast("Connection", blocks), **limits)
            looked_at[f"{part} of {name}"] = blocks.looked_at
        blocks = Blocks(conn)
        await segments.contacts(cast("Connection", blocks), customer_no=number, at_most=1)
        looked_at[f"segments of {name}"] = blocks.looked_at
    return looked_at


async def test_a_list_of_many_orders_looks_at_few(pool: Pool, database_url: str) -> None:
    async with pool.acquire() as conn:
        await many_orders(conn)
    async with await open_client_pool(database_url) as commands, commands.acquire() as conn:
        looked_at = {}
        for name, (filters, found) in LISTS.items():
            blocks = Blocks(conn)
            listed = await lists.summaries(cast("Connection", blocks), **filters, at_most=SHOWN)
            assert len(listed) == found, name
            looked_at[name] = blocks.looked_at
        for name, (wanted, found) in PAGES.items():
            blocks = Blocks(conn)
            page = await lists.listed(
                cast("Connection", blocks), wanted, at_most=SHOWN, looks_at=LOOKS_AT
            )
            assert len(page.orders) == found, name
            looked_at[f"page {name}"] = blocks.looked_at
        of_kinds = {}
        for kind in (None, *get_args(finding.CustomerKind)):
            blocks = Blocks(conn)
            await finding.listed(
                cast("Connection", blocks), kind=kind, at_most=SHOWN, looks_at=LOOKS_AT
            )
            of_kinds[f"customers, {kind}"] = blocks.looked_at
        blocks = Blocks(conn)
        counted = await reads.states(cast("Connection", blocks), finished_since=days_ago(1))
        looked_at["counts by state"] = blocks.looked_at
        of_customers = await customers_looked_at(conn)
    async with pool.acquire() as conn:  # A worker's connection makes plans for any value.
        of_customers |= {f"{k}, here": n for k, n in (await customers_looked_at(conn)).items()}
    # What is said of all orders of one customer reads them all; those of others cost nothing.
    few = {k: n for k, n in of_customers.items() if "BIG" not in k or k.startswith("orders of")}
    assert {what: n for what, n in few.items() if n > OF_A_CUSTOMER_MAX} == {}
    assert {name: count for name, count in looked_at.items() if count > BLOCKS_MAX} == {}
    assert {name: count for name, count in of_kinds.items() if count > OF_A_KIND_MAX} == {}
    soon = {name: of_kinds[f"customers, {name}"] for name in SOON_FULL}
    assert {name: count for name, count in soon.items() if count > 2 * BLOCKS_MAX} == {}
    assert counted == {"closed": 24 * 60 - 1, "delivered": 1}
