"""Links to customers' pages on the real database: their keys, and whom they lead to."""

from __future__ import annotations

from datetime import timedelta

from domain.access.page_links import LINK_DAYS
from store import clock
from store.access import page_keys
from store.database import Pool
from store.orders.page_links import (
    Behind,
    NoOrder,
    looked_up,
    order_behind,
    order_link,
    order_token,
)
from tests.support.bench import Bench
from tests.support.builders import an_order

URL = "https://track.example"


async def test_a_link_leads_to_its_order(pool: Pool) -> None:
    order = an_order(("TEA", 1, "10.00"))
    await Bench(pool).take_in(order)
    async with pool.acquire() as conn:
        link = await order_link(conn, order.order_id, URL)
        assert link is not None
        token = link.removeprefix(f"{URL}/o/")
        assert await order_behind(conn, token) == Behind(order.order_id, whole=True)
        other = token[:-1] + ("A" if token[-1] != "A" else "B")
        assert await order_behind(conn, other) == NoOrder("changed")
        assert await order_link(conn, order.order_id, None) is None
        assert await order_link(conn, "nobodys", URL) is None
        day = clock.now() + timedelta(days=LINK_DAYS + 1)
        with clock.reads(lambda: day):
            assert await order_behind(conn, token) == NoOrder("expired")


async def test_links_of_earlier_keys_are_good_until_these_are_revoked(pool: Pool) -> None:
    order = an_order(("TEA", 1, "10.00"))
    await Bench(pool).take_in(order)
    async with pool.acquire() as conn:
        first = await order_token(conn, order.order_id)
        assert await page_keys.rotate(conn, revoke=False) == []
        second = await order_token(conn, order.order_id)
        assert first is not None
        assert second not in (None, first)
        assert await order_behind(conn, first) == Behind(order.order_id, whole=True)
        assert await page_keys.rotate(conn, revoke=True) == [1, 2]
        assert await order_behind(conn, first) == NoOrder("unknown")
        third = await order_token(conn, order.order_id)
        assert third is not None
        assert await order_behind(conn, third) == Behind(order.order_id, whole=True)


async def test_an_erased_person_has_no_page(pool: Pool) -> None:
    order = an_order(("TEA", 1, "10.00"))
    await Bench(pool).take_in(order)
    async with pool.acquire() as conn:
        token = await order_token(conn, order.order_id)
        assert token is not None
        await conn.execute("update order_person set erased_at = now()")
        assert await order_behind(conn, token) == NoOrder("erased")
        assert await order_token(conn, order.order_id) is None


async def test_who_knows_the_number_and_one_thing_more_finds_the_order(pool: Pool) -> None:
    customer = {"id": "C-1", "name": "Kim Minji", "email": "Kim@Example.com"}
    order = an_order(("TEA", 1, "10.00"), channel_order_id="#1001", customer=customer)
    await Bench(pool).take_in(order)
    async with pool.acquire() as conn:
        for number in ("#1001", "1001", order.order_id):
            for said in ("kim@example.com ", "04524", "045-24"):
                token = await looked_up(conn, number, said)
                assert token is not None, (number, said)
                assert await order_behind(conn, token) == Behind(order.order_id, whole=False)
        for number, said in (("1002", "04524"), ("1001", "04525"), ("1001", ""), ("", "04524")):
            assert await looked_up(conn, number, said) is None
