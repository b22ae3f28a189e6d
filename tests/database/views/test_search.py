"""The search looks at what it finds, and a page of the books at its rows, of however many."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Final, cast

import pytest

from store.accounting import ledger
from store.client_pool import open_client_pool
from store.database import Connection, Pool
from store.payments import provider_reads
from store.views import search
from tests.database.views.test_lists import ORDERS, Blocks, many_orders
from tests.support.own_database import database_url, pool

__all__ = ["database_url", "pool"]

BLOCKS_MAX: Final = 100
"""Of 8 KB that a question may look at, cached or not. Each of the tables has hundreds."""

_A_THIRD: Final = ORDERS // 3


async def much_more(conn: Connection) -> None:
    """A parcel, a mail address, an event of a company and two entries for each of many orders."""
    await many_orders(conn)
    await conn.execute("insert into location (location) values ('main')")
    await conn.execute(
        """
        insert into fulfilment (order_no, fulfilment_id, location, state)
        select order_no, order_id || ':1', 'main', 'delivered' from customer_order
        """
    )
    await conn.execute(
        """
        insert into shipment (order_no, fulfilment_id, label_key, label, carrier, tracking_number,
                              service, sold_by)
        select order_no, order_id || ':1', order_id || ':1:label', 'bought', 'post',
               'TRK' || channel_order_id, 'standard', 'post'
        from customer_order
        """
    )
    await conn.execute(
        """
        update order_person set person =
            jsonb_build_object('customer',
                               jsonb_build_object('email', 'Kim' || order_no || '@x.de'))
        """
    )
    await conn.execute(
        """
        insert into provider_event (provider, event_id, type, body, happened_at, received_at,
                                    processed_at)
        select 'sandbox', 'evt_' || order_no, 'x', '{}', received_at, received_at, received_at
        from customer_order
        """
    )
    for seller in ("uk", "de"):
        await conn.execute("insert into seller (seller, name) values ($1, $1)", seller)
        for number in range(0, ORDERS, 1000):
            await conn.execute(
                """
                select entry_posted(format('%s:%s', $1::text, n), null, 'x', 'EUR',
                                    '{revenue,inventory}', '{-100,100}', $1)
                from generate_series($2::int, $2 + 999) n
                """,
                seller,
                number,
            )
    await conn.execute("vacuum analyze")


TYPED: Final[dict[str, list[tuple[str, str]]]] = {
    f"web-{_A_THIRD}": [("order", f"web-{_A_THIRD}")],
    f"{_A_THIRD}": [("order", f"web-{_A_THIRD}")],
    f"web-{_A_THIRD}:1": [("fulfilment", f"web-{_A_THIRD}:1")],
    f"TRK{_A_THIRD}": [("parcel", f"TRK{_A_THIRD}")],
    f"trk{_A_THIRD}": [("parcel", f"TRK{_A_THIRD}")],
    "kim77@X.DE": [("customer", "C77")],
    "C77": [("customer", "C77")],
    "TEA": [("item", "TEA")],
    "INV-2026-000001": [],
    "nothing at all": [],
}


@pytest.mark.timeout(120)
async def test_with_many_rows_few_are_looked_at(pool: Pool, database_url: str) -> None:
    async with pool.acquire() as conn:
        await much_more(conn)
    looked_at = {}
    async with await open_client_pool(database_url) as commands, commands.acquire() as conn:

        def counting() -> tuple[Blocks, Connection]:
            blocks = Blocks(conn)
            return blocks, cast("Connection", blocks)

        for typed, named in TYPED.items():
            blocks, counted = counting()
            found = await search.found(counted, typed)
            assert [(one.kind, one.id) for one in found] == named, typed
            looked_at["search", typed] = blocks.looked_at
        for name, asked in _PAGES.items():
            blocks, counted = counting()
            rows: Any = await ledger.entries(counted, **asked, at_most=10)
            assert len(rows) == 10, name
            looked_at["entries", name] = blocks.looked_at
        blocks, counted = counting()
        told = await provider_reads.provider_events(
            counted, after=(datetime.now(UTC), "z", "z"), at_most=10
        )
        assert len(told) == 10
        looked_at["events", "of all companies"] = blocks.looked_at
    assert {name: count for name, count in looked_at.items() if count > BLOCKS_MAX} == {}


_PAGES: Final[dict[str, dict[str, Any]]] = {
    "of all": {},
    "of one seller": {"seller": "uk"},
    "of some": {"sellers": ["uk", "de"]},
    "before one of them": {"before": (datetime.now(UTC).date(), 5_000)},
}
