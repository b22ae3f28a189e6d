"""A wish that a shop be checked is answered by a visit that began after it, and by no other."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta

import pytest
import pytest_asyncio

from domain.orders.channels import Channel
from domain.shops.connections import NewShop, ShopContact
from starter.service.channels import Channels
from starter.service.shops import Shops
from store.database import Pool
from store.shops import contacts
from store.shops.contacts import Contact
from tests.support.own_database import database_url, pool

__all__ = ["database_url", "pool"]

LEASE = timedelta(minutes=2)
REST = timedelta(minutes=10)


@pytest_asyncio.fixture(loop_scope="session")
async def shops(pool: Pool) -> Shops:
    await Channels(pool).save([Channel(channel="web", kind="web", providers=("elsewhere",))])
    shops = Shops(pool)
    access = {"address": "https://shop.example", "token": "shpat_of_ours"}
    wanted = {"kind": "shopify", "secrets": ["s3cret-s3cret"], "access": access}
    await shops.connect("web", NewShop.model_validate(wanted), by="test")
    return shops


async def visit(pool: Pool) -> Contact:
    async with pool.acquire() as conn:
        found = await contacts.claim(conn, "a worker", LEASE)
    assert found is not None
    return found


async def failed(pool: Pool, during: Contact) -> None:
    async with pool.acquire() as conn:
        await contacts.failed(
            *(conn, "web", "a worker", "it does not let us in (401)"),
            refuses=True,
            rest=REST,
            wanted=during.checks,
        )


async def checked(pool: Pool, during: Contact) -> None:
    async with pool.acquire() as conn:
        await contacts.checked(conn, "web", "a worker", ["A shop"], during.checks)


async def contact(shops: Shops) -> ShopContact:
    found = (await shops.get("web")).contact
    assert found is not None
    return found


async def test_a_shop_that_answers_a_check_is_at_once_told_of_as_one_that_answers(
    shops: Shops, pool: Pool
) -> None:
    await failed(pool, await visit(pool))
    assert (await contact(shops)).error == "it does not let us in (401)"
    await shops.check("web")
    await checked(pool, await visit(pool))  # The visit goes on, with parcels and stock.
    now = await contact(shops)
    assert (now.check_wanted_at, now.not_answering_since, now.error) == (None, None, None)
    began = now.asked_at
    assert began is not None
    assert all(one and one > began for one in (now.checked_at, now.answered_at))


@pytest.mark.parametrize("answer", [failed, checked])
async def test_what_a_visit_finds_that_began_before_the_wish_does_not_answer_it(
    shops: Shops, pool: Pool, answer: Callable[[Pool, Contact], Awaitable[None]]
) -> None:
    before = await visit(pool)
    await shops.check("web")
    await answer(pool, before)
    assert (await contact(shops)).check_wanted_at is not None
    async with pool.acquire() as conn:
        await contacts.let_go(conn, "web", "a worker")
    # The next visit is at once, although the shop is to be left alone, and looks at everything.
    after = await visit(pool)
    assert (after.checks is not None, after.asks) == (True, True)
    await failed(pool, after)
    assert (await contact(shops)).check_wanted_at is None


async def test_a_visit_that_looked_for_changes_leaves_them_to_the_check(
    shops: Shops, pool: Pool
) -> None:
    before = await visit(pool)
    await shops.check("web")
    async with pool.acquire() as conn:
        await contacts.asked(conn, "web", "a worker", REST)
        await contacts.let_go(conn, "web", "a worker")
    assert before.asks
    assert (await visit(pool)).asks
