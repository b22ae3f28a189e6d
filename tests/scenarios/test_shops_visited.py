"""Shops are asked for what changed and told of parcels and stock, however they misbehave."""

from __future__ import annotations

import asyncio
import itertools
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import pytest_asyncio
from temporalio.client import Client

from activities.relay import Duty, Relay
from activities.shops.asking import Asking
from activities.shops.client import ShopAway
from activities.shops.clients import ShopClients
from activities.shops.telling import LEVELS_TOGETHER, Telling
from activities.shops.visits import ShopVisits
from activities.shops.web import Web
from domain.orders.channels import Channel
from domain.orders.messages import AttentionAnswer, CancelRequest, LineRequest
from domain.shops.connections import NewShop
from domain.shops.connections import Shop as Connected
from domain.shops.news import OUR_REFUND
from store.database import Pool
from store.shops import contacts, telling
from tests.localshops import shopify as shopify_shop
from tests.localshops import woocommerce as woo_shop
from tests.localshops.misbehaving import WAYS
from tests.support.books import faults_in
from tests.support.builders import a_policy
from tests.support.receiver import HERE
from tests.support.shop import Shop
from tests.support.shop_payloads import shopify, woocommerce

SECRET = "s3cret-s3cret"
LINE = "466157049"
numbers = itertools.count(70_000)

Condition = Callable[[], Awaitable[bool]]


@pytest_asyncio.fixture(loop_scope="session")
async def theirs() -> AsyncIterator[shopify_shop.Shopify]:
    async with shopify_shop.Shopify().serving() as shop:
        yield shop


@pytest_asyncio.fixture(loop_scope="session")
async def woo() -> AsyncIterator[woo_shop.WooCommerce]:
    async with woo_shop.WooCommerce().serving() as shop:
        yield shop


@pytest_asyncio.fixture(loop_scope="session")
async def shop(
    pool: Pool,
    temporal_client: Client,
    theirs: shopify_shop.Shopify,
    woo: woo_shop.WooCommerce,
) -> AsyncIterator[Shop]:
    shop = Shop(pool, temporal_client, a_policy(give_up_after=60, return_window=2))
    await shop.channels.save(
        [
            Channel(channel=code, kind="web", providers=("elsewhere",))
            for code in ("asked", "askedwoo")
        ]
    )
    await connect(shop, theirs)
    await connect(shop, woo)
    async with shop.working():
        yield shop


async def connect(shop: Shop, there: Any, **options: Any) -> None:
    if isinstance(there, shopify_shop.Shopify):
        channel, kind = "asked", "shopify"
        access = {"address": there.address, "token": shopify_shop.TOKEN}
    else:
        channel, kind = "askedwoo", "woocommerce"
        access = {"address": there.address, "key": woo_shop.KEY, "secret": woo_shop.SECRET}
        options = {"skus": {"23": "IDEA-M"}, **options}
    document = {"kind": kind, "secrets": [SECRET], "options": options, "access": access}
    await shop.shops.connect(channel, NewShop.model_validate(document), by="test")


async def until(shop: Shop, channel: str, condition: Condition, what: str) -> None:
    """Have a shop be asked until something is so."""

    async def look() -> bool:
        found = await condition()
        if not found:
            await shop.shops.check(channel)
            await asyncio.sleep(0.2)
        return found

    await shop.until(look, what)


def placed(shop: Shop, order_id: str) -> Condition:
    """Whether an order is on record."""

    async def look() -> bool:
        count = await shop.pool.fetchval(
            "select count(*) from customer_order where order_id = $1", order_id
        )
        return bool(count)

    return look


def so(condition: Callable[[], object]) -> Condition:
    """The same of what needs no waiting."""

    async def look() -> bool:
        return bool(condition())

    return look


def new_at_shopify(there: shopify_shop.Shopify, **changes: Any) -> tuple[str, str]:
    """Somebody orders there, and no webhook comes. Returns its id there and here."""
    number = next(numbers)
    there.place(shopify(id=number, name=f"#{number}", **changes))
    return str(number), f"asked-~23{number}"


def new_at_woo(there: woo_shop.WooCommerce, **changes: Any) -> tuple[str, str]:
    number = next(numbers)
    there.place(woocommerce(id=number, number=str(number), **changes))
    return str(number), f"askedwoo-{number}"


async def connected(shop: Shop, channel: str) -> Connected:
    return await shop.shops.get(channel)


async def attention(shop: Shop) -> Mapping[str, str]:
    tasks = await shop.needs_attention.tasks()
    return {f"{task.kind} {task.name}": task.reason for task in tasks}


async def test_an_order_whose_message_was_lost_is_placed_once(
    shop: Shop, theirs: shopify_shop.Shopify, woo: woo_shop.WooCommerce
) -> None:
    await shop.stocked("TEA", 4)
    await shop.stocked("SINGLE", 2)
    await shop.stocked("IDEA-M", 1)
    there, here = new_at_shopify(theirs)
    _, at_woo = new_at_woo(woo)
    await until(shop, "asked", placed(shop, here), "the order of Shopify is placed")
    await until(shop, "askedwoo", placed(shop, at_woo), "that of WooCommerce is placed")
    await shop.told(here, "charged")
    # It is read again with what changed minutes before, and nothing comes of that.
    found = await connected(shop, "asked")
    assert found.contact is not None
    before = found.contact.asked_at

    async def asked_again() -> bool:
        again = await connected(shop, "asked")
        assert again.contact is not None
        return again.contact.asked_at != before and again.contact.checked_at is not None

    await until(shop, "asked", asked_again, "it is asked again")
    kept = await shop.shops.messages("asked")
    assert [one.outcome for one in kept] == ["placed"]
    assert kept[0].message_id.startswith(f"asked:{there}:")


async def test_a_cancellation_whose_message_was_lost_is_one(
    shop: Shop, theirs: shopify_shop.Shopify
) -> None:
    await shop.stocked("TEA", 2)
    there, here = new_at_shopify(theirs)
    await until(shop, "asked", placed(shop, here), "it is placed")
    await shop.told(here, "charged")
    money = [{"id": next(numbers), "kind": "refund", "status": "success", "amount": "45.80"}]
    theirs.change(
        there,
        cancelled_at="2026-11-21T10:00:00Z",
        cancel_reason="customer",
        financial_status="refunded",
        refunds=[{"id": next(numbers), "note": None, "transactions": money}],
    )

    async def cancelled() -> bool:
        return (await shop.orders.get(here)).summary.state == "cancelled"

    await until(shop, "asked", cancelled, "it is cancelled")
    assert (await shop.result(here))["outcome"] == "cancelled"
    assert await faults_in(shop.pool) == []


async def shipped(shop: Shop, order_id: str, part: int = 1) -> str:
    """Its parcel leaves. Returns the tracking number."""
    await shop.told(order_id, "charged")
    await shop.drive(f"{order_id}:{part}", "shipped")
    detail = await shop.orders.get(order_id)
    return str(detail.fulfilments[part - 1].tracking_number)


async def test_a_parcel_that_left_is_told_once(
    shop: Shop, theirs: shopify_shop.Shopify, woo: woo_shop.WooCommerce
) -> None:
    await connect(
        shop,
        theirs,
        carriers={"sandbox": "DHL"},
        tracking_urls={"sandbox": "https://dhl.example/{number}"},
    )
    await shop.stocked("TEA", 2)
    await shop.stocked("SINGLE", 2)
    await shop.stocked("IDEA-M", 1)
    there, here = new_at_shopify(theirs)
    at_woo, here_woo = new_at_woo(woo)
    await until(shop, "asked", placed(shop, here), "the order of Shopify is placed")
    await until(shop, "askedwoo", placed(shop, here_woo), "that of WooCommerce is placed")
    number, number_woo = await shipped(shop, here), await shipped(shop, here_woo)
    await shop.until(so(lambda: theirs.told(there)), "Shopify is told without being asked")
    await shop.until(so(lambda: woo.told(at_woo)), "WooCommerce is told, too")
    (fulfilment,) = theirs.fulfilments[there]
    assert fulfilment["units"] == {LINE: 2}
    url = f"https://dhl.example/{number}"
    assert fulfilment["tracking"] == {"company": "DHL", "number": number, "url": url}
    assert woo.told(at_woo) == [number_woo]
    assert woo.orders[at_woo]["status"] == "completed"

    async def all_told() -> bool:
        rows = await shop.pool.fetch("select state from shop_parcel")
        return [row["state"] for row in rows] == ["told", "told"]

    await shop.until(all_told, "both are on record as told")
    # A worker died after the call, and before it was recorded.
    await shop.pool.execute("update shop_parcel set state = 'due', done_at = null")
    await until(shop, "asked", all_told, "both are told again")
    await until(shop, "askedwoo", all_told, "both are told again")
    assert len(theirs.told(there)) == len(woo.told(at_woo)) == 1


async def test_what_the_shop_refuses_is_told_a_person_once_and_holds_back_nothing(
    shop: Shop, theirs: shopify_shop.Shopify
) -> None:
    await shop.stocked("TEA", 4)
    first, second = new_at_shopify(theirs), new_at_shopify(theirs)
    for _, here in (first, second):
        await until(shop, "asked", placed(shop, here), "both are placed")
    theirs.fulfilments[first[0]] = [
        {"id": "gid://shopify/Fulfillment/1", "tracking": {"number": "X"}, "units": {LINE: 2}}
    ]
    for _, here in (first, second):
        await shipped(shop, here)
    await shop.until(so(lambda: theirs.told(second[0])), "the second one is told")
    name = f"shop_parcel {first[1]}:1"
    assert "cannot be fulfilled there any more" in (await attention(shop))[name]
    asked = len(theirs.manners.calls)
    await asyncio.sleep(2.5)
    assert len(theirs.manners.calls) == asked  # It is not tried again and again.
    assert await shop.shops.dismiss("asked", [f"{first[1]}:1"], "entered by hand") == 1
    assert name not in await attention(shop)


async def test_stock_there_follows_stock_here(
    shop: Shop, theirs: shopify_shop.Shopify, woo: woo_shop.WooCommerce
) -> None:
    await shop.stocked("TEA", 5)
    await shop.stocked("POT", 3)
    await shop.kit("SET", TEA=2, POT=1)
    theirs.levels = {"TEA": 99, "KANNE": 99, "SET": 99, "OTHER": 99}
    woo.stock("TEA", 99)
    await connect(shop, theirs, tell_stock=True, stock_every_s=5, skus={"KANNE": "POT"})
    await connect(shop, woo, tell_stock=True, stock_every_s=5)
    wanted = {"TEA": 5, "KANNE": 3, "SET": 2, "OTHER": 99}
    await until(shop, "asked", so(lambda: theirs.levels == wanted), "Shopify has our levels")
    await until(shop, "askedwoo", so(lambda: woo.level("TEA") == 5), "WooCommerce has them")
    task = (await attention(shop))["shop_levels askedwoo"]
    assert task.startswith("the shop does not take the stock of 2 SKU(s): POT (there is no product")
    assert "shop_levels asked" not in await attention(shop)
    # Somebody buys there: it counts that by itself, and the same number is told all the same.
    theirs.levels["TEA"] -= 2
    _, here = new_at_shopify(theirs)
    await until(shop, "asked", placed(shop, here), "it is placed")
    await shop.told(here, "charged")
    await shop.stocked("TEA", 2)
    await until(shop, "asked", so(lambda: theirs.levels["TEA"] == 5), "what came in is told")
    assert theirs.levels["SET"] == 2
    assert await shop.shops.dismiss("askedwoo", None, "not sold there") == 2
    assert "shop_levels askedwoo" not in await attention(shop)


async def test_a_shop_that_hangs_keeps_no_other_waiting(
    shop: Shop, theirs: shopify_shop.Shopify, woo: woo_shop.WooCommerce
) -> None:
    await shop.stocked("SINGLE", 2)
    await shop.stocked("IDEA-M", 1)
    theirs.manners.way = lambda _request: "hang"
    _, here = new_at_woo(woo)
    await until(shop, "askedwoo", placed(shop, here), "the other one is asked")

    async def told() -> str | None:
        contact = (await connected(shop, "asked")).contact
        return None if contact is None else contact.error

    await shop.shops.check("asked")
    assert await shop.until(told, "it is told that the other hangs") == "no answer within 2 s"
    assert "shop asked" not in await attention(shop)  # It may be a hiccup.
    await shop.pool.execute("update shop_contact set away_since = away_since - interval '1 hour'")
    assert "no answer within 2 s" in (await attention(shop))["shop asked"]
    theirs.manners.way = lambda _request: "401"

    async def refused() -> bool:
        return "does not let us in" in (await attention(shop)).get("shop asked", "")

    await until(shop, "asked", refused, "a person is told that it does not let us in")
    theirs.manners.way = lambda _request: ""

    async def answers() -> bool:
        return "shop asked" not in await attention(shop)

    await until(shop, "asked", answers, "it answers again")


async def test_a_worker_that_ends_during_a_call_leaves_it_to_the_next_one(
    shop: Shop, theirs: shopify_shop.Shopify
) -> None:
    await shop.stocked("TEA", 2)
    there, here = new_at_shopify(theirs)
    await until(shop, "asked", placed(shop, here), "it is placed")
    began = asyncio.Event()

    def hang(request: Any) -> str:
        if b"fulfillmentCreate" not in (request._read_bytes or b"") or began.is_set():
            return ""
        began.set()
        return "hang after"

    theirs.manners.way = hang
    clients = ShopClients(Web(HERE, seconds_max=60.0))
    # This shop's own worker rests meanwhile.
    await shop.pool.execute("update shop_contact set held_until = moment() + interval '1 hour'")
    await shipped(shop, here)
    await shop.pool.execute("update shop_contact set held_until = null where channel = 'asked'")
    visiting = asyncio.create_task(ShopVisits(shop.pool, clients).visit_all())
    await asyncio.wait_for(began.wait(), 20)
    visiting.cancel()
    await asyncio.wait([visiting])
    await clients.close()

    async def told() -> bool:
        state = await shop.pool.fetchval("select state from shop_parcel")
        return bool(state == "told")

    await shop.until(told, "the next one goes on without waiting for the lease")
    assert len(theirs.told(there)) == 1


async def test_a_fault_of_the_database_during_a_visit_only_pauses_the_relay(
    shop: Shop, theirs: shopify_shop.Shopify
) -> None:
    await shop.stocked("TEA", 2)
    await connect(shop, theirs, tell_stock=True, stock_every_s=5)
    await shop.pool.execute("alter table shop_level rename to shop_level_away")
    await shop.pool.execute("update shop_contact set levels_at = moment(), rest_until = null")
    await asyncio.sleep(3)
    await shop.pool.execute("alter table shop_level_away rename to shop_level")
    await shop.pool.execute("update shop_contact set held_until = null")  # The lease of that visit.
    _, here = new_at_shopify(theirs)
    await until(shop, "asked", placed(shop, here), "it is placed")


async def test_a_shop_with_much_to_be_told_is_told_in_several_visits(
    shop: Shop, theirs: shopify_shop.Shopify
) -> None:
    await shop.stocked("TEA", 4)
    orders = [new_at_shopify(theirs) for _ in range(2)]
    for _, here in orders:
        await until(shop, "asked", placed(shop, here), "both are placed")
    # This shop's own worker rests meanwhile.
    await shop.pool.execute(
        "update shop_contact set holder = 'me', held_until = moment() + interval '1 hour'"
    )
    for _, here in orders:
        await shipped(shop, here)
    many = LEVELS_TOGETHER + 1
    for number in range(1, many + 1):
        await shop.stocked(f"S{number}", 3)
    theirs.levels = dict.fromkeys([f"S{number}" for number in range(1, many + 1)], 0)
    clients = ShopClients(Web(HERE))
    async with shop.pool.acquire() as conn:
        contact = await contacts.of_channel(conn, "asked")
    assert contact is not None
    tells = Telling(shop.pool, clients.of(contact), contact, "me", seconds_max=0.0)
    await tells.parcels()
    assert [len(theirs.told(there)) for there, _ in orders] == [1, 0]
    await tells.parcels()
    assert [len(theirs.told(there)) for there, _ in orders] == [1, 1]
    due = "select levels_at <= moment() from shop_contact where channel = 'asked'"
    await tells.levels()
    assert 0 in theirs.levels.values()
    assert await shop.pool.fetchval(due)
    await tells.levels()
    assert set(theirs.levels.values()) == {3}
    await tells.levels()  # Nothing is left.
    assert not await shop.pool.fetchval(due)
    await clients.close()


async def test_a_shop_that_asks_for_a_pause_is_left_alone_for_so_long(
    shop: Shop, theirs: shopify_shop.Shopify
) -> None:
    await shop.stocked("TEA", 4)
    orders = [new_at_shopify(theirs) for _ in range(2)]
    for _, here in orders:
        await until(shop, "asked", placed(shop, here), "both are placed")
    # This shop's own worker rests meanwhile.
    await shop.pool.execute(
        "update shop_contact set holder = 'me', held_until = moment() + interval '1 hour'"
    )
    for _, here in orders:
        await shipped(shop, here)
    new_at_shopify(theirs)
    theirs.clock.apart = timedelta(seconds=10)  # What has changed is some seconds ago there.
    clients = ShopClients(Web(HERE))
    async with shop.pool.acquire() as conn:
        contact = await contacts.of_channel(conn, "asked")
    assert contact is not None
    client = clients.of(contact)
    theirs.manners.way = lambda request: (
        "429" if b"WholeOrder" in (request._read_bytes or b"") else ""
    )
    with pytest.raises(ShopAway) as pause:
        await Asking(shop.pool, client, contact, "me").ask()
    assert pause.value.after == timedelta(seconds=1)
    theirs.manners.way = lambda _request: "429"
    theirs.manners.calls.clear()
    with pytest.raises(ShopAway) as pause:
        await Telling(shop.pool, client, contact, "me").parcels()
    assert pause.value.after == timedelta(seconds=1)
    assert len(theirs.manners.calls) == 1
    await clients.close()


async def test_what_the_shop_before_was_told_is_not_taken_for_what_another_knows(
    shop: Shop, theirs: shopify_shop.Shopify, woo: woo_shop.WooCommerce
) -> None:
    held = "update shop_contact set holder = 'me', held_until = moment() + interval '1 hour'"
    await shop.pool.execute(held)
    access = {"address": "https://another.example", "token": shopify_shop.TOKEN}
    document = {"kind": "shopify", "secrets": [SECRET], "access": access}
    await shop.shops.connect("asked", NewShop.model_validate(document), by="test")
    await shop.shops.disconnect("askedwoo")
    async with shop.pool.acquire() as conn:
        for channel in ("asked", "askedwoo"):
            # A visit that began before goes on.
            await telling.levels_told(conn, channel, "me", {"TEA": 5, "CUP": 1}, {"CUP": "no"})
            now = datetime.now(UTC)
            assert not await contacts.read_upto(conn, channel, "me", now, reading=False)
        assert await conn.fetchval("select count(*) from shop_level") == 0


async def test_two_workers_never_speak_with_one_shop_at_once(
    shop: Shop, theirs: shopify_shop.Shopify
) -> None:
    await shop.stocked("TEA", 8)
    theirs.manners.way = lambda _request: "slow"
    clients = ShopClients(Web(HERE))
    other = Relay(shop.pool, [Duty(ShopVisits(shop.pool, clients).visit_all, 0.1, beside=True)])
    working = asyncio.create_task(other.run())
    for _ in range(4):
        _, here = new_at_shopify(theirs)
        await until(shop, "asked", placed(shop, here), "it is placed")
    working.cancel()
    await asyncio.wait([working])
    await clients.close()
    assert len(theirs.manners.calls) > 8
    assert theirs.manners.busiest == 1


async def test_a_clock_that_is_behind_or_set_back_hides_nothing(
    shop: Shop, theirs: shopify_shop.Shopify
) -> None:
    await shop.stocked("TEA", 8)
    for apart in (timedelta(hours=-2), timedelta(0), timedelta(hours=-3)):
        theirs.clock.apart = apart
        await connect(shop, theirs)
        _, here = new_at_shopify(theirs)
        await until(shop, "asked", placed(shop, here), f"placed at {apart}")


async def test_an_order_that_cannot_be_read_holds_back_no_other(
    shop: Shop, theirs: shopify_shop.Shopify
) -> None:
    await shop.stocked("TEA", 4)
    bad, _ = new_at_shopify(theirs)
    theirs.orders[bad]["line_items"][0]["title"] = None  # Its schema says that it has one.
    _, here = new_at_shopify(theirs)
    await until(shop, "asked", placed(shop, here), "the second one is placed")

    async def told() -> bool:
        contact = (await connected(shop, "asked")).contact
        return contact is not None and f"order {bad} cannot be read" in str(contact.error)

    await shop.until(told, "which one it is is told")
    theirs.orders[bad]["line_items"][0]["title"] = "Green tea"
    await until(shop, "asked", placed(shop, f"asked-~23{bad}"), "it is placed once it can be read")


@pytest.mark.parametrize("seed", range(4))
async def test_whatever_misbehaves_each_order_comes_once_and_each_parcel_is_told_once(
    shop: Shop, theirs: shopify_shop.Shopify, woo: woo_shop.WooCommerce, seed: int
) -> None:
    chance = random.Random(seed)
    theirs.page = 3
    await shop.stocked("TEA", 12)
    await shop.stocked("SINGLE", 8)
    await shop.stocked("IDEA-M", 4)
    woo.stock("SINGLE")
    theirs.levels["TEA"] = 12
    for there in (theirs, woo):
        there.manners.way = lambda _request: chance.choice(WAYS) if chance.random() < 0.25 else ""
        await connect(shop, there, tell_stock=True, stock_every_s=5)
    orders = [new_at_shopify(theirs) for _ in range(4)]
    orders_woo = [new_at_woo(woo) for _ in range(4)]

    async def every(channel: str, ids: list[tuple[str, str]]) -> None:
        for _, here in ids:
            await until(shop, channel, placed(shop, here), f"{here} is placed")
        for _, here in ids:
            await shipped(shop, here)

    await asyncio.gather(every("asked", orders), every("askedwoo", orders_woo))

    async def at_theirs() -> bool:
        on_hand = (await shop.level("TEA")).on_hand
        return await told("asked") and theirs.levels["TEA"] == on_hand

    async def at_woo() -> bool:
        on_hand = (await shop.level("SINGLE")).on_hand
        return await told("askedwoo") and woo.level("SINGLE") == on_hand

    async def told(channel: str) -> bool:
        return not await shop.pool.fetchval(
            "select count(*) from shop_parcel where state <> 'told' and channel = $1", channel
        )

    await until(shop, "asked", at_theirs, "parcels are told, and stock there is stock here")
    await until(shop, "askedwoo", at_woo, "parcels are told, and stock there is stock here")
    for there_id, _ in orders:
        assert [units for _, units in theirs.told(there_id)] == [{LINE: 2}]
    for there_id, _ in orders_woo:
        assert len(woo.told(there_id)) == 1
        assert len(woo.notes[there_id]) == 1
    count = await shop.pool.fetchval("select count(*) from customer_order")
    assert count == 8
    for _, here in (*orders, *orders_woo):
        await shop.scan(f"{here}:1", "delivered")
    await shop.settled()


def paid_back(there: Any, order_id: str) -> list[str]:
    """What the shop has paid back of an order, by its own records."""
    refunds = there.orders[order_id]["refunds"]
    if isinstance(there, woo_shop.WooCommerce):
        return [str(one["whole"]["amount"]) for one in refunds]
    return [one["amount"] for refund in refunds for one in refund["transactions"]]


async def one_unit_less(shop: Shop, here: str, line: str) -> str:
    """The customer does not want one unit. Returns what became of that."""
    ask = CancelRequest(reason="too many", lines=(LineRequest(line_id=line, quantity=1),))
    return (await shop.aftersales.cancel(here, ask)).outcome


async def refunded(shop: Shop, here: str) -> int:
    found: int = await shop.pool.fetchval(
        "select refunded from order_money join customer_order using (order_no) where order_id = $1",
        here,
    )
    return found


async def order_of_each(
    shop: Shop, theirs: shopify_shop.Shopify, woo: woo_shop.WooCommerce
) -> list[tuple[Any, str, str, str]]:
    """Shop, channel, and the order's id there and here."""
    await shop.stocked("TEA", 2)
    await shop.stocked("SINGLE", 2)
    await shop.stocked("IDEA-M", 1)
    there, here = new_at_shopify(theirs)
    at_woo, here_woo = new_at_woo(woo)
    await until(shop, "asked", placed(shop, here), "the order of Shopify is placed")
    await until(shop, "askedwoo", placed(shop, here_woo), "that of WooCommerce is placed")
    for order_id in (here, here_woo):
        await shop.told(order_id, "charged")
    return [(theirs, "asked", there, here), (woo, "askedwoo", at_woo, here_woo)]


async def test_what_is_owed_is_paid_back_by_the_shop_and_counts_once(
    shop: Shop, theirs: shopify_shop.Shopify, woo: woo_shop.WooCommerce
) -> None:
    for there, channel, order_there, here in await order_of_each(shop, theirs, woo):
        line = LINE if there is theirs else "315"
        assert await one_unit_less(shop, here, line) == "cancelled"
        (amount,) = paid_back(there, order_there)
        cents = int(amount.replace(".", ""))
        assert await refunded(shop, here) == cents
        # Its own message of that refund changes nothing.
        there.change(order_there, note="x", customer_note="x")
        order = there.orders[order_there]
        version = order.get("updated_at") or f"{order['date_modified_gmt']}+00:00"
        name = f"asked:{order_there}:{version}"

        async def read(channel: str = channel, name: str = name) -> bool:
            kept = {one.message_id: one.outcome for one in await shop.shops.messages(channel)}
            return kept.get(name) == "its order is up to date"

        await until(shop, channel, read, "its message of that is worked through")
        assert await refunded(shop, here) == cents
        await shop.finish(here)
    await shop.settled()


async def test_a_refund_whose_answer_was_lost_is_not_made_twice(
    shop: Shop, theirs: shopify_shop.Shopify, woo: woo_shop.WooCommerce
) -> None:
    for there, _, order_there, here in await order_of_each(shop, theirs, woo):
        once = iter(["close after"])

        def lose(request: Any, once: Any = once) -> str:
            body = request._read_bytes or b""
            is_refund = b"refundCreate" in body or (
                request.method == "POST" and request.path.endswith("/refunds")
            )
            return next(once, "") if is_refund else ""

        there.manners.way = lose
        line = LINE if there is theirs else "315"
        assert await one_unit_less(shop, here, line) == "cancelled"
        (amount,) = paid_back(there, order_there)
        assert await refunded(shop, here) == int(amount.replace(".", ""))
        assert any("close after" in call for call in there.manners.calls)


def refund_calls(*ways: str) -> Callable[[Any], str]:
    """How it answers the next calls for a refund, one after the other."""
    left = iter(ways)

    def way(request: Any) -> str:
        is_refund = request.method == "POST" and request.path.endswith("/refunds")
        return next(left, "") if is_refund else ""

    return way


async def test_a_refund_that_the_shop_may_still_be_making_is_not_sent_again(
    shop: Shop, theirs: shopify_shop.Shopify, woo: woo_shop.WooCommerce
) -> None:
    (*_, (_, _, order_there, here)) = await order_of_each(shop, theirs, woo)
    # We have given up on the answer long before it makes the refund.
    woo.manners.way = refund_calls("late")
    assert await one_unit_less(shop, here, "315") == "cancelled"
    await asyncio.sleep(4)
    (amount,) = paid_back(woo, order_there)
    assert await refunded(shop, here) == int(amount.replace(".", ""))


async def test_a_refund_that_the_shop_has_not_made_is_sent_again_when_it_cannot_come_any_more(
    shop: Shop, theirs: shopify_shop.Shopify, woo: woo_shop.WooCommerce
) -> None:
    (*_, (_, _, order_there, here)) = await order_of_each(shop, theirs, woo)
    woo.manners.way = refund_calls("500")
    cancelling = asyncio.create_task(one_unit_less(shop, here, "315"))

    def sent() -> int:
        return sum("POST" in call and "/refunds" in call for call in woo.manners.calls)

    await shop.until(so(sent), "it is asked for the refund")
    await asyncio.sleep(3)
    assert sent() == 1
    ago = "update payment_operation set called_at = called_at - interval '5 minutes'"
    await shop.pool.execute(ago)
    assert await cancelling == "cancelled"
    assert (sent(), len(paid_back(woo, order_there))) == (2, 1)


async def test_what_the_shop_has_paid_back_by_itself_is_not_paid_back_again(
    shop: Shop, theirs: shopify_shop.Shopify
) -> None:
    await shop.stocked("TEA", 2)
    there, here = new_at_shopify(theirs)
    await until(shop, "asked", placed(shop, here), "it is placed")
    await shop.told(here, "charged")
    # Somebody takes a unit off there, and pays it back at once.
    lines = [
        {**line, "current_quantity": 1} if str(line["id"]) == LINE else line
        for line in theirs.orders[there]["line_items"]
    ]
    made = {"id": next(numbers), "kind": "refund", "status": "success", "amount": "17.95"}
    money = {"id": next(numbers), "note": "unit taken off", "transactions": [made]}
    theirs.change(there, line_items=lines, refunds=[money], financial_status="partially_refunded")

    async def heard() -> bool:
        return "paid back elsewhere" in await shop.story(here)

    await until(shop, "asked", heard, "what the shop paid back is on record")
    # What of its shipping and fees is owed beyond that is paid back, and nothing twice.
    owed = await shop.pool.fetchval(
        "select coalesce(sum(amount_minor), 0) from refund join customer_order using (order_no)"
        " where order_id = $1",
        here,
    )

    async def settled() -> bool:
        return bool(await refunded(shop, here) == owed)

    await shop.until(settled, "all that is owed is paid back")
    others = [amount for amount in paid_back(theirs, there) if amount != "17.95"]
    assert 1795 + sum(int(amount.replace(".", "")) for amount in others) == owed


async def test_a_refund_of_ours_that_came_although_the_shop_had_refused_it_counts(
    shop: Shop, theirs: shopify_shop.Shopify
) -> None:
    await shop.stocked("TEA", 2)
    there, here = new_at_shopify(theirs)
    await until(shop, "asked", placed(shop, here), "it is placed")
    await shop.told(here, "charged")
    made = {"id": next(numbers), "kind": "refund", "status": "success", "amount": "5.00"}
    note = f"{OUR_REFUND}{here}:an-earlier-try"
    theirs.change(there, refunds=[{"id": next(numbers), "note": note, "transactions": [made]}])
    assert await one_unit_less(shop, here, LINE) == "cancelled"
    amounts = [int(amount.replace(".", "")) for amount in paid_back(theirs, there)]
    assert len(amounts) == 2
    assert await refunded(shop, here) == sum(amounts)
    await shop.finish(here)
    await shop.settled()


async def test_where_the_shop_cannot_pay_back_a_person_is_asked(
    shop: Shop, woo: woo_shop.WooCommerce, theirs: shopify_shop.Shopify
) -> None:
    woo.refunds_itself = False
    (*_, (_, _, order_there, here)) = await order_of_each(shop, theirs, woo)
    cancelling = asyncio.create_task(one_unit_less(shop, here, "315"))
    reasons = await shop.attention(here)
    (step, reason), *_ = reasons.items()
    assert "does not support automatic refunds" in reason
    assert "woocommerce-" in reason
    answer = AttentionAnswer(step=step, action="done", note="paid back there", by="ann")
    await shop.resolve(here, answer)
    assert await cancelling == "cancelled"
    assert paid_back(woo, order_there) == []
