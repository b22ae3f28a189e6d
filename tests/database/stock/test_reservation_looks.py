"""A reservation looks at its own orders' rows, however many orders there are beside them."""

from __future__ import annotations

from typing import Final

import pytest

from domain.orders.policy import Policy
from store.database import Pool
from store.orders import intake, orders
from store.orders.intake import Received
from store.stock import reservations
from store.stock.catalogue import Catalogue
from tests.support.bench import Bench
from tests.support.builders import an_order
from tests.support.own_database import database_url, pool

__all__ = ["database_url", "pool"]

ORDERS: Final = 20
WHOLE: Final = Policy(partly_available="all_or_nothing")

_LOOKED_AT: Final = """
select sum(seq_tup_read + coalesce(idx_tup_fetch, 0))::bigint from pg_stat_xact_user_tables
"""
"""Rows that this connection has looked at since it last told the server."""


@pytest.mark.parametrize("analyzed", [None, 0, 1, 5, 12])
async def test_the_fortieth_batch_for_a_sku_looks_at_no_more_rows_than_the_tenth(
    pool: Pool, analyzed: int | None
) -> None:
    """A connection keeps plans that were made when the tables were empty, or nearly.

    `analyzed`: the batches that were there when the server last counted the rows.
    """
    await Bench(pool).stocked("HOT", 10_000)
    catalogue = Catalogue()
    looked_at = []
    async with pool.acquire() as conn:
        for number in range(40):
            if number == analyzed:
                await conn.execute("analyze")
            batch = [an_order(("HOT", 1)) for _ in range(ORDERS)]
            await intake.take_in(conn, [Received(order, WHOLE) for order in batch])
            wanting = await orders.on_record(conn, [order.order_id for order in batch])
            async with conn.transaction():
                before = await conn.fetchval(_LOOKED_AT)
                reserved = await reservations.reserve(conn, list(wanting.values()), catalogue)
                looked_at.append(await conn.fetchval(_LOOKED_AT) - before)
            assert all(one.fulfilments for one in reserved)
    assert looked_at[39] <= looked_at[9] + ORDERS, looked_at
