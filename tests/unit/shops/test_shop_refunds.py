"""A refund at a shop is paid once, and is no refusal while it may still be paid."""

from __future__ import annotations

from typing import Any

import pytest

from activities.shops.client import ShopAway, ShopRefuses, ShopSaysNo
from activities.shops.shopify_client import Shopify
from activities.shops.shopify_graphql import Graphql
from activities.shops.web import Web
from activities.shops.woocommerce_client import WooCommerce
from domain.money import Money
from tests.localshops import shopify as shopify_shop
from tests.localshops import woocommerce as woo_shop
from tests.support.receiver import HERE
from tests.support.shop_payloads import shopify, woocommerce

ORDER = "450789469"
FIVE = Money(minor=5_00, currency="EUR")


@pytest.fixture
async def web() -> Any:
    web = Web(HERE, seconds_max=10.0)
    yield web
    await web.close()


@pytest.fixture
async def theirs() -> Any:
    async with shopify_shop.Shopify().serving() as shop:
        shop.place(shopify())
        yield shop


@pytest.fixture
async def woo() -> Any:
    async with woo_shop.WooCommerce().serving() as shop:
        shop.place(woocommerce())
        yield shop


def at_shopify(web: Web, shop: shopify_shop.Shopify) -> Shopify:
    return Shopify(Graphql(web, shop.address, shopify_shop.TOKEN))


def at_woo(web: Web, shop: woo_shop.WooCommerce) -> WooCommerce:
    return WooCommerce(web, shop.address, woo_shop.KEY, woo_shop.SECRET)


async def test_a_call_that_is_still_under_way_is_no_refusal(
    web: Web, theirs: shopify_shop.Shopify
) -> None:
    theirs.under_way = True
    with pytest.raises(ShopAway, match="in progress"):
        await at_shopify(web, theirs).refund(ORDER, "k1", FIVE)


@pytest.mark.parametrize("status", ["", "awaiting_response", "unknown"])
async def test_money_that_is_on_its_way_is_neither_refused_nor_sent_again(
    web: Web, theirs: shopify_shop.Shopify, status: str
) -> None:
    theirs.money_goes = status
    client = at_shopify(web, theirs)
    for _ in range(2):
        with pytest.raises(ShopAway, match="under way"):
            await client.refund(ORDER, "k1", FIVE)
        theirs.keys.clear()  # Shopify forgets keys after a day.
    with pytest.raises(ShopAway, match="under way"):
        await client.refunds(ORDER)
    assert len(theirs.orders[ORDER]["refunds"]) == 1


@pytest.mark.parametrize("status", ["failure", "error"])
async def test_money_that_did_not_go_is_a_refusal(
    web: Web, theirs: shopify_shop.Shopify, status: str
) -> None:
    theirs.money_goes = status
    with pytest.raises(ShopSaysNo, match="refused the money"):
        await at_shopify(web, theirs).refund(ORDER, "k1", FIVE)
    assert list(await at_shopify(web, theirs).refunds(ORDER)) == []


async def test_a_payment_that_the_shop_only_writes_down_is_paid_back_by_a_person(
    web: Web, theirs: shopify_shop.Shopify
) -> None:
    theirs.paid_by_hand = True
    with pytest.raises(ShopSaysNo, match="by hand"):
        await at_shopify(web, theirs).refund(ORDER, "k1", FIVE)
    assert theirs.orders[ORDER]["refunds"] == []


async def test_while_the_shop_pays_back_by_itself_a_person_is_asked(
    web: Web, theirs: shopify_shop.Shopify
) -> None:
    one = {"id": 1, "kind": "refund", "status": "pending", "amount": "5.00"}
    theirs.change(ORDER, refunds=[{"id": 2, "note": "damaged", "transactions": [one]}])
    with pytest.raises(ShopSaysNo, match="by itself"):
        await at_shopify(web, theirs).refund(ORDER, "k1", FIVE)
    assert len(theirs.orders[ORDER]["refunds"]) == 1


@pytest.mark.parametrize("way", ["404", "408"])
async def test_a_page_that_is_not_of_the_shops_program_is_no_refusal(
    web: Web, woo: woo_shop.WooCommerce, way: str
) -> None:
    woo.manners.way = lambda _request: way
    with pytest.raises((ShopAway, ShopRefuses)):
        await at_woo(web, woo).refund("727", "k1", Money(minor=5_00, currency="USD"))


async def test_a_refund_among_more_than_are_read_may_be_there_already(
    web: Web, theirs: shopify_shop.Shopify, woo: woo_shop.WooCommerce
) -> None:
    small = Money(minor=1, currency="USD")
    for number in range(100):
        await at_woo(web, woo).refund("727", f"k{number}", small)
    with pytest.raises(ShopSaysNo, match="more refunds than are read"):
        await at_woo(web, woo).refund("727", "k100", small)
    one = {"id": 1, "kind": "refund", "status": "success", "amount": "0.01"}
    refunds = [{"id": number, "note": None, "transactions": [one]} for number in range(50)]
    theirs.change(ORDER, refunds=refunds)
    with pytest.raises(ShopSaysNo, match="more refunds than are read"):
        await at_shopify(web, theirs).refund(ORDER, "k1", FIVE)
