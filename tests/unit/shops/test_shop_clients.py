"""Clients of shops, at stand-ins that speak HTTP: what they ask, and how they take a no."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from activities.notifications.targets import Targets
from activities.shops.client import ShopAway, ShopClient, ShopRefuses, ShopSaysNo
from activities.shops.shopify_client import Shopify
from activities.shops.shopify_graphql import Graphql
from activities.shops.web import Web
from activities.shops.woocommerce_client import WooCommerce
from domain.money import Money
from domain.shops.connections import ShopOptions
from domain.shops.reading import read_order
from domain.shops.telling import Level, Parcel
from tests.localshops import shopify as shopify_shop
from tests.localshops import woocommerce as woo_shop
from tests.support.receiver import HERE
from tests.support.shop_payloads import shopify, woocommerce

AGES_AGO = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
async def web() -> Any:
    web = Web(HERE, seconds_max=10.0)
    yield web
    await web.close()


@pytest.fixture
async def theirs() -> Any:
    async with shopify_shop.Shopify().serving() as shop:
        yield shop


@pytest.fixture
async def woo() -> Any:
    async with woo_shop.WooCommerce().serving() as shop:
        yield shop


def at_shopify(web: Web, shop: shopify_shop.Shopify, token: str = shopify_shop.TOKEN) -> Shopify:
    return Shopify(Graphql(web, shop.address, token))


def at_woo(web: Web, shop: woo_shop.WooCommerce, secret: str = woo_shop.SECRET) -> WooCommerce:
    return WooCommerce(web, shop.address, woo_shop.KEY, secret)


def in_turn(*ways: str) -> Callable[[Any], str]:
    """These one after the other, and then as it should be."""
    left = iter(ways)
    return lambda _request: next(left, "")


async def all_changed(client: ShopClient, since: datetime = AGES_AGO) -> list[str]:
    page = await client.changed(since)
    found = [one.subject for one in page.orders]
    while page.following:
        page = await client.changed(since, page.following)
        found += [one.subject for one in page.orders]
    return found


def parcel(subject: Any, units: dict[str, int], number: str = "T1", *, last: bool = True) -> Parcel:
    return Parcel(f"web-{subject}:1", str(subject), "DHL", number, "https://dhl/T1", units, last)


async def test_an_order_read_by_graphql_means_what_its_webhook_means(
    web: Web, theirs: shopify_shop.Shopify
) -> None:
    refunds = [
        {
            "id": 1,
            "note": "broken",
            "transactions": [{"id": 2, "kind": "refund", "status": "success", "amount": "5.00"}],
        }
    ]
    body = theirs.place(shopify(refunds=refunds, financial_status="partially_refunded"))
    (changed,) = (await at_shopify(web, theirs).changed(AGES_AGO)).orders
    assert changed.version == datetime.fromisoformat(body["updated_at"])
    read = await at_shopify(web, theirs).order(changed.subject)
    options = ShopOptions(services={"express": "express"})
    assert read_order("shopify", read, "web", options) == read_order(
        "shopify", body, "web", options
    )


async def test_a_basket_is_no_order_yet(web: Web, woo: woo_shop.WooCommerce) -> None:
    woo.place(woocommerce(id=1, status="checkout-draft"))
    woo.place(woocommerce(id=2))
    assert await all_changed(at_woo(web, woo)) == ["2"]


async def test_an_order_of_many_lines_is_read_whole(web: Web, theirs: shopify_shop.Shopify) -> None:
    (first, *_) = shopify()["line_items"]
    lines = [{**first, "id": number} for number in range(1, 121)]
    theirs.place(shopify(line_items=lines))
    read = await at_shopify(web, theirs).order("450789469")
    assert [line["id"] for line in read["line_items"]] == [str(n) for n in range(1, 121)]


async def test_what_changed_since_is_read_page_by_page(
    web: Web, theirs: shopify_shop.Shopify, woo: woo_shop.WooCommerce
) -> None:
    theirs.page = 2
    for number in range(1, 8):
        theirs.clock.apart = timedelta(minutes=number)
        theirs.place(shopify(id=number, name=f"#{number}"))
    since = theirs.clock.now() - timedelta(minutes=4, seconds=30)
    assert await all_changed(at_shopify(web, theirs), since) == ["3", "4", "5", "6", "7"]
    for number in range(1, 131):
        woo.clock.apart = timedelta(seconds=number // 60)
        woo.place(woocommerce(id=number, number=str(number)))
    assert set(await all_changed(at_woo(web, woo))) == {str(n) for n in range(1, 131)}


async def test_an_order_that_changes_while_pages_are_read_hides_no_other(
    web: Web, theirs: shopify_shop.Shopify, woo: woo_shop.WooCommerce
) -> None:
    theirs.page = 3
    for shop, made in ((theirs, shopify), (woo, woocommerce)):
        for number in range(1, 121):
            shop.clock.apart = timedelta(seconds=number)
            shop.place(made(id=number, name=f"#{number}", number=str(number)))
        moved = iter(range(1, 120, 7))

        def move(shop: Any = shop, moved: Any = moved) -> None:
            shop.clock.apart += timedelta(seconds=1)
            if (number := next(moved, None)) is not None:
                shop.change(number, note="changed")

        shop.on_page = move
    every = {str(number) for number in range(1, 121)}
    assert set(await all_changed(at_shopify(web, theirs))) == every
    assert set(await all_changed(at_woo(web, woo))) == every


@pytest.mark.parametrize("way", ["500", "close", "half"])
async def test_what_changes_nothing_is_asked_again_at_once(
    web: Web, theirs: shopify_shop.Shopify, way: str
) -> None:
    theirs.place(shopify())
    theirs.manners.way = in_turn(way)
    if way == "half":  # It may be more than a hiccup; the next visit asks again.
        with pytest.raises(ShopAway, match="whole JSON"):
            await at_shopify(web, theirs).changed(AGES_AGO)
    assert await all_changed(at_shopify(web, theirs)) == ["450789469"]
    assert len(theirs.manners.calls) == 2


async def test_a_shop_that_hangs_or_asks_for_a_pause_is_away(
    web: Web, theirs: shopify_shop.Shopify, woo: woo_shop.WooCommerce
) -> None:
    woo.manners.way = lambda _request: "hang"
    hasty = Web(HERE, seconds_max=0.3)
    with pytest.raises(ShopAway, match=r"within 0\.3 s"):
        await at_woo(hasty, woo).changed(AGES_AGO)
    await hasty.close()
    woo.manners.way = lambda _request: "429"
    with pytest.raises(ShopAway) as pause:
        await at_woo(web, woo).changed(AGES_AGO)
    assert pause.value.after == timedelta(seconds=1)
    theirs.throttled = 1
    with pytest.raises(ShopAway) as throttled:
        await at_shopify(web, theirs).changed(AGES_AGO)
    assert throttled.value.after == timedelta(seconds=1)


async def test_one_that_does_not_let_us_in_is_told_apart_and_no_secret_is_repeated(
    web: Web, theirs: shopify_shop.Shopify, woo: woo_shop.WooCommerce
) -> None:
    with pytest.raises(ShopRefuses) as at_theirs:
        await at_shopify(web, theirs, "shpat_of_another").changed(AGES_AGO)
    with pytest.raises(ShopRefuses) as at_woos:
        await at_woo(web, woo, "cs_of_another").changed(AGES_AGO)
    assert "another" not in f"{at_theirs.value} {at_woos.value}"
    woo.manners.way = lambda _request: "redirect"
    with pytest.raises(ShopRefuses, match="another address"):
        await at_woo(web, woo).changed(AGES_AGO)
    outside = Web(Targets(), seconds_max=0.5)
    with pytest.raises(ShopRefuses, match="http is not allowed"):
        await at_woo(outside, woo).changed(AGES_AGO)
    await outside.close()


async def test_no_inner_address_is_asked_and_an_endless_answer_is_not_read_to_its_end(
    web: Web, woo: woo_shop.WooCommerce
) -> None:
    outside = Web(Targets(plain_http=True), seconds_max=5.0)
    with pytest.raises(ShopRefuses, match="inner address"):
        await at_woo(outside, woo).changed(AGES_AGO)
    await outside.close()
    assert woo.manners.calls == []
    woo.manners.way = lambda _request: "huge"
    with pytest.raises(ShopAway, match="more than"):
        await at_woo(web, woo).changed(AGES_AGO)


async def test_what_our_access_may_do_is_said(
    web: Web, theirs: shopify_shop.Shopify, woo: woo_shop.WooCommerce
) -> None:
    found = await at_shopify(web, theirs).rights()
    assert found.name == "Stand-in"
    assert "read_orders" not in found.lacking
    assert "write_inventory" in found.lacking
    assert (await at_woo(web, woo).rights()).rights == ["read_write"]
    woo.may_write = False
    with pytest.raises(ShopRefuses, match="write permissions"):
        await at_woo(web, woo).rights()


async def test_a_parcel_is_a_fulfilment_once(web: Web, theirs: shopify_shop.Shopify) -> None:
    order = theirs.place(shopify())
    client, line = at_shopify(web, theirs), "466157049"
    first = parcel(order["id"], {line: 1}, last=False)
    name = await client.tell_parcel(first)
    assert await client.tell_parcel(first) == name
    await client.tell_parcel(parcel(order["id"], {line: 1}, "T2"))
    assert theirs.told(order["id"]) == [("T1", {line: 1}), ("T2", {line: 1})]
    with pytest.raises(ShopSaysNo, match="cannot be fulfilled there any more"):
        await client.tell_parcel(parcel(order["id"], {line: 1}, "T3"))
    theirs.change(order["id"], cancelled_at="2026-11-20T10:00:00Z")
    with pytest.raises(ShopSaysNo, match="cancelled"):
        await client.tell_parcel(parcel(order["id"], {line: 1}, "T4"))
    with pytest.raises(ShopSaysNo, match="not there"):
        await client.tell_parcel(parcel(1, {line: 1}))


async def test_a_parcel_is_tracking_a_note_and_at_last_the_end(
    web: Web, woo: woo_shop.WooCommerce
) -> None:
    order = woo.place(woocommerce())
    client = at_woo(web, woo)
    first = parcel(order["id"], {"315": 2}, last=False)
    for _ in range(2):
        await client.tell_parcel(first)
    assert (woo.told(727), woo.orders["727"]["status"]) == (["T1"], "processing")
    second = Parcel("web-727:2", "727", "DHL", "T2", "", {"316": 1}, is_last=True)
    for _ in range(2):
        await client.tell_parcel(second)
    assert (woo.told(727), woo.orders["727"]["status"]) == (["T1", "T2"], "completed")
    assert [one["note"] for one in woo.notes["727"]] == [
        "Sent with DHL, tracking number T1. https://dhl/T1",
        "Sent with DHL, tracking number T2",
    ]
    woo.change(727, status="cancelled", meta_data=[])
    with pytest.raises(ShopSaysNo, match="cancelled"):
        await client.tell_parcel(first)


async def test_levels_are_set_and_what_is_not_there_is_named(
    web: Web, theirs: shopify_shop.Shopify, woo: woo_shop.WooCommerce
) -> None:
    theirs.levels = {"TEA": 1, "TEA-2": 1, 'C"UP': 1, "39072856": 1}
    levels = [
        Level("TEA", 7, ("TEA",)),
        Level("CUP", 8, ('C"UP',)),
        Level("POT", 9, ("39072856",)),
        Level("NONE", 3, ("NONE",)),
    ]
    refused = await at_shopify(web, theirs).set_levels(levels, "")
    assert refused == {"NONE": "there is no item with this SKU"}
    assert theirs.levels == {"TEA": 7, "TEA-2": 1, 'C"UP': 8, "39072856": 9}
    await at_shopify(web, theirs).set_levels([Level("TEA", 0, ("TEA",))], "1")
    assert theirs.levels["TEA"] == 0

    parent = woo.stock("")
    woo.stock("TEA")
    woo.stock("CUP-RED", parent=parent)
    pot = woo.stock("")
    levels = [
        Level("TEA", 7, ("TEA",)),
        Level("CUP", 8, ("CUP-RED", "CUP")),
        Level("POT", 9, (str(pot),)),
        Level("NONE", 3, ("NONE", "a,b")),
    ]
    refused = await at_woo(web, woo).set_levels(levels, "")
    assert refused == {"NONE": "there is no product with this SKU"}
    assert (woo.level("TEA"), woo.level("CUP-RED")) == (7, 8)
    assert woo.products[pot]["stock_quantity"] == 9
    assert woo.products[pot]["manage_stock"] is True


async def test_a_sku_that_is_a_number_is_not_the_id_of_another_item(
    web: Web, theirs: shopify_shop.Shopify, woo: woo_shop.WooCommerce
) -> None:
    theirs.levels, theirs.named = {"39072856": 1}, {"39072856": "POT"}
    levels = [Level("39072856", 9, ("39072856",))]
    refused = await at_shopify(web, theirs).set_levels(levels, "")
    assert refused == {"39072856": "there is no item with this SKU"}
    assert theirs.levels == {"39072856": 1}
    pot = str(woo.stock("POT", 1))
    refused = await at_woo(web, woo).set_levels([Level(pot, 9, (pot,))], "")
    assert refused == {pot: "there is no product with this SKU"}
    assert woo.level("POT") == 1


async def test_a_tracking_number_that_begins_like_another_has_its_own_note(
    web: Web, woo: woo_shop.WooCommerce
) -> None:
    woo.place(woocommerce())
    client = at_woo(web, woo)
    for number in ("T10", "T1", "T1"):
        await client.tell_parcel(Parcel(f"web-727:{number}", "727", "DHL", number, "", {}, False))
    notes = [one["note"] for one in woo.notes["727"]]
    assert notes == ["Sent with DHL, tracking number T10", "Sent with DHL, tracking number T1"]


async def test_a_refund_is_made_once_under_its_key(
    web: Web, theirs: shopify_shop.Shopify, woo: woo_shop.WooCommerce
) -> None:
    for client, subject, currency, total in (
        (at_shopify(web, theirs), "450789469", "EUR", 45_80),
        (at_woo(web, woo), "727", "USD", 32_35),
    ):
        theirs.place(shopify())
        woo.place(woocommerce())
        amount = Money(minor=10_00, currency=currency)
        assert list(await client.refunds(subject)) == []
        made = await client.refund(subject, "k1", amount)
        assert (made.amount, made.key) == (amount, "k1")
        assert await client.refund(subject, "k1", amount) == made
        assert list(await client.refunds(subject)) == [made]
        with pytest.raises(ShopSaysNo):
            await client.refund(subject, "k2", Money(minor=total, currency=currency))
    # The shop's own message does not count it a second time.
    news = read_order("shopify", theirs.orders["450789469"], "web", ShopOptions())
    assert news.paid_back == ()
    news = read_order("woocommerce", woo.orders["727"], "web", ShopOptions(skus={"23": "IDEA-M"}))
    assert news.paid_back == ()


async def test_a_refund_whose_answer_was_lost_is_found_and_a_no_is_one(
    web: Web, theirs: shopify_shop.Shopify, woo: woo_shop.WooCommerce
) -> None:
    theirs.place(shopify())
    woo.place(woocommerce())
    for shop, client, subject, currency in (
        (theirs, at_shopify(web, theirs), "450789469", "EUR"),
        (woo, at_woo(web, woo), "727", "USD"),
    ):
        amount = Money(minor=5_00, currency=currency)
        shop.manners.way = in_turn("", "500 after")
        with pytest.raises(ShopAway):
            await client.refund(subject, "k1", amount)
        (found,) = await client.refunds(subject)
        assert (found.amount, found.key) == (amount, "k1")
    woo.refunds_itself = False
    with pytest.raises(ShopSaysNo, match="does not support"):
        await at_woo(web, woo).refund("727", "k2", Money(minor=1_00, currency="USD"))
