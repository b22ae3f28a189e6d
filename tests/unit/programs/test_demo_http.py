"""The demo over HTTP: what its shops send, and whether its subscriber was told of everything."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from domain.orders.order import Order
from domain.shops.access import ShopKind
from domain.shops.connections import ShopOptions
from domain.shops.reading import read_order
from examples.programs.shopify import ShopifyOrder
from examples.programs.woocommerce import WooOrder
from starter.demo import company, over_http, shop
from starter.demo.customers import write_script
from starter.demo.over_http import HttpDay, Told
from starter.demo.shop import Placed
from starter.demo.told_events import faults_in
from starter.simulation.simulator import SimulationReport
from store.views.reads import EventRow

NOW = datetime(2026, 11, 20, 9, tzinfo=UTC)
MADE: dict[ShopKind, type[ShopifyOrder] | type[WooOrder]] = {
    "shopify": ShopifyOrder,
    "woocommerce": WooOrder,
}
STORY = ("received", "stock reserved", "confirmed", "cancelled: changed my mind")
TYPES = ("order.received", "order.confirmed", "order.cancelled")


@pytest.fixture(scope="module")
def orders() -> list[Order]:
    return company.shared_out(shop.read_northwind_orders(400))


@pytest.mark.parametrize("kind", ["shopify", "woocommerce"])
def test_what_shops_send_can_be_read_and_adds_up(orders: list[Order], kind: ShopKind) -> None:
    documents, sent = over_http.through_shops(orders)
    read = 0
    for order in documents:
        if order.order_id not in sent or over_http.SHOPS[order.channel] != kind:
            continue
        content = MADE[kind](over_http.as_sent(order), NOW).now()
        news = read_order(kind, content, order.channel, ShopOptions())
        assert news.order is not None
        assert news.order.order_id == order.order_id
        assert {line.line_id: (line.sku, line.quantity) for line in news.order.lines} == {
            line.line_id: (line.sku, line.quantity) for line in order.lines
        }
        assert (news.wait, news.cancelled, news.paid_back) == ("", "", ())
        read += 1
    assert read == 40


@pytest.mark.parametrize("kind", ["shopify", "woocommerce"])
def test_what_is_paid_back_and_cancelled_there_is_told(orders: list[Order], kind: ShopKind) -> None:
    channel = next(name for name, one in over_http.SHOPS.items() if one == kind)
    order = next(one for one in orders if one.channel == channel)
    made = MADE[kind](over_http.as_sent(order), NOW)

    def news() -> tuple[str, str, int]:
        told = read_order(kind, made.now(), channel, ShopOptions())
        return told.wait, told.cancelled, sum(one.amount.minor for one in told.paid_back)

    assert read_order(kind, made.unpaid(), channel, ShopOptions()).wait
    made.pay_back("1.50")
    made.pay_back("2.00")
    assert news() == ("", "", 350)
    made.cancel()
    assert news()[1]


def test_one_customer_more_cancels_in_a_shop(orders: list[Order]) -> None:
    documents, sent = over_http.through_shops(orders[:30])
    script = write_script(documents, cancellations=5, returns=3)
    there = over_http.cancel_one_there(script, documents, sent)
    assert there in sent
    assert len(script.cancellations) == 6
    assert over_http.cancel_one_there(script, documents, ()) is None


def day(*told: Told) -> HttpDay:
    return HttpDay(
        placed=Placed(seconds=1, outcomes=Counter()),
        outside=SimulationReport(),
        shops={},
        settled=0,
        came=len(told),
        failed=0,
        repeated=0,
        wrong=(),
        taken=told,
    )


def all_told() -> list[Told]:
    return [
        Told(str(number), f"orderloom.{name}.v1", "web-1", f"{number:020d}")
        for number, name in enumerate(TYPES)
    ]


def story() -> Iterator[EventRow]:
    for number, what in enumerate(STORY):
        yield EventRow(event_id=number, at=NOW, what=what, who="orderloom", why="", data={})


def test_a_subscriber_that_was_told_of_everything_has_no_fault() -> None:
    assert list(faults_in(day(*all_told()), {"web-1": tuple(story())})) == []


@pytest.mark.parametrize(
    ("told", "fault"),
    [
        (all_told()[:2], "web-1: 2 of 3 events"),
        ([*all_told(), all_told()[0]], "event 0 was taken 2 times"),
        ([all_told()[1], all_told()[0], all_told()[2]], "web-1: out of sequence"),
        (
            [replace(all_told()[0], type="orderloom.order.held.v1"), *all_told()[1:]],
            "web-1: orderloom.order.held.v1 and not ('orderloom.order.received.v1',)",
        ),
    ],
)
def test_a_subscriber_that_was_not_is_named_a_fault(told: list[Told], fault: str) -> None:
    assert fault in list(faults_in(day(*told), {"web-1": tuple(story())}))


def test_what_was_not_signed_is_a_fault() -> None:
    wrong = replace(day(*all_told()), wrong=("no matching signature",))
    assert list(faults_in(wrong, {"web-1": tuple(story())})) == ["no matching signature"]
