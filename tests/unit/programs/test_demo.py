"""The demo's parts that need no server: its script, its folder, its account of the slowest step."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from domain.errors import InvalidInput, Refused
from domain.messages.texts import number_of
from runtime.discovery import stack_lock
from starter.demo import company, folder, left_open, shop
from starter.demo.customers import STAGES, write_script
from starter.demo.steps import Wait, step_times, waits
from store.views.reads import EventRow

BEGAN = datetime(2026, 11, 20, tzinfo=UTC)


def story(*events: tuple[float, str, dict[str, Any]]) -> list[EventRow]:
    """A story of (seconds since the beginning, what, data)."""
    return [
        EventRow(
            event_id=number,
            at=BEGAN + timedelta(seconds=at),
            what=what,
            who="test",
            why="",
            data=data,
        )
        for number, (at, what, data) in enumerate(events)
    ]


def test_the_example_is_read_whole_and_each_order_once() -> None:
    orders = shop.read_northwind_orders(400)
    assert len({order.order_id for order in orders}) == 400
    assert [order.order_id for order in shop.read_northwind_orders(30)] == [
        order.order_id for order in orders[:30]
    ]


@pytest.mark.parametrize("after", [0, 30, 390, 400, 1000])
def test_orders_are_left_open_behind_any_number_of_others_and_each_has_its_own_id(
    after: int,
) -> None:
    before = {order.order_id for order in company.shared_out(shop.read_northwind_orders(after))}
    left = left_open.to_place(after)
    ids = [order.order_id for order in left]
    assert len(left) >= 19
    assert len(set(ids)) == len(ids)
    assert not before & set(ids)
    assert not any(company.is_till_sale(one) for one in ids)


def test_some_customers_of_what_is_left_open_can_be_called() -> None:
    customers = [order.customer for order in left_open.to_place(400)]
    phones = [one.phone for one in customers if one.phone]
    assert 0 < len(phones) < len(customers)
    assert len(set(phones)) == len(phones)
    assert {number_of(phone) for phone in phones} >= {"+12065550100"}
    for one in customers:
        if one.phone:
            assert one.phone.startswith("+49 " if one.locale == "de" else "+1 ")


def test_at_least_twenty_cancel_over_all_stages_and_twenty_others_send_back() -> None:
    orders = shop.read_northwind_orders(400)
    script = write_script(orders, cancellations=30, returns=26)
    stages = Counter(wish.stage for wish in script.cancellations.values())
    assert set(stages) == set(STAGES)
    assert max(stages.values()) - min(stages.values()) <= 1
    assert len(script.cancellations) - stages["handed over"] >= 20
    assert len(script.returns) == 26
    assert not script.cancellations.keys() & script.returns.keys()
    assert any(wish.line_id for wish in script.cancellations.values())
    assert any(wish.line_id for wish in script.returns.values())


@pytest.mark.parametrize("count", [1, 3, 8, 30])
def test_a_small_demo_has_as_many_customers_as_there_are_orders(count: int) -> None:
    orders = shop.read_northwind_orders(count)
    script = write_script(orders, cancellations=5, returns=3)
    chosen = [*script.cancellations, *script.returns]
    assert len(chosen) == min(8, count)
    assert set(chosen) <= {order.order_id for order in orders}


def test_the_outside_waits_for_a_customer_at_its_stage_only_and_until_it_has_an_answer() -> None:
    script = write_script(shop.read_northwind_orders(400), cancellations=5, returns=0)
    wish = next(wish for wish in script.cancellations.values() if wish.stage == "labelled")
    assert not script.holds("pick", f"{wish.order_id}:1")
    assert not wish.reached.is_set()
    assert script.holds("handover", f"{wish.order_id}:1")
    assert wish.reached.is_set()
    wish.over = True
    assert not script.holds("handover", f"{wish.order_id}:1")
    assert not script.holds("handover", "b2b-1:1")


def test_each_step_is_measured_from_what_it_waited_for() -> None:
    part, back = {"fulfilment_id": "o:1"}, {"return_id": "o:R1"}
    found = waits(
        "o",
        story(
            (0, "received", {}),
            (1, "stock reserved", {"fulfilments": [{"fulfilment_id": "o:1"}]}),
            (3, "confirmed", {"payment_key": "o:authorize"}),
            (6, "picked", part),
            (10, "packed", part),
            (15, "label bought", part),
            (21, "shipped", part),
            (28, "charged", {"payment_key": "o:1:capture"}),
            (36, "delivered", part),
            (40, "return approved", back),
            (50, "return received", back),
            (61, "refunded", {"payment_key": "o:R1:refund"}),
            (99, "closed", {}),
        ),
    )
    assert [(wait.step, wait.part, wait.seconds) for wait in found] == [
        ("reserve", "o", 1),
        ("authorize", "o", 2),
        ("pick", "o:1", 3),
        ("pack", "o:1", 4),
        ("buy label", "o:1", 5),
        ("hand over", "o:1", 6),
        ("charge", "o:1", 7),
        ("deliver", "o:1", 15),
        ("return parcel", "o:R1", 10),
        ("refund", "o:R1", 11),
    ]


def test_what_is_sent_in_place_of_lost_goods_waits_from_then() -> None:
    found = waits(
        "o",
        story(
            (0, "shipped", {"fulfilment_id": "o:1"}),
            (5, "lost", {"fulfilment_id": "o:1"}),
            (6, "missing units replaced", {"fulfilments": [{"fulfilment_id": "o:2"}]}),
            (8, "picked", {"fulfilment_id": "o:2"}),
            (9, "refunded", {"payment_key": "o:1:lost:refund"}),
        ),
    )
    assert [(wait.step, wait.part, wait.seconds) for wait in found] == [
        ("deliver", "o:1", 5),
        ("pick", "o:2", 2),
        ("refund", "o:1:lost", 4),
    ]


def test_the_slowest_step_is_the_one_with_the_longest_median() -> None:
    def packed(order_id: str, after: float) -> list[EventRow]:
        part = {"fulfilment_id": f"{order_id}:1"}
        return story((0, "confirmed", {}), (1, "picked", part), (1 + after, "packed", part))

    stories = {
        name: story(
            (0, "stock reserved", {"fulfilments": [{"fulfilment_id": f"{name}:1"}]}),
            *((e.at.timestamp() - BEGAN.timestamp(), e.what, e.data) for e in packed(name, after)),
        )
        for name, after in (("a", 2.0), ("b", 3.0), ("c", 9.0))
    }
    slowest = step_times(stories)[0]
    assert (slowest.step, slowest.count, slowest.median_s) == ("pack", 3, 3.0)
    assert slowest.longest == Wait("pack", "c:1", 9.0)


async def test_its_folder_is_made_and_emptied_again(tmp_path: Path) -> None:
    home = tmp_path / "orderloom" / "demo"
    await folder.empty(home)
    (home / "postgres").mkdir()
    (home / "postgres" / "PG_VERSION").write_text("18", encoding="utf-8")
    (home / "temporal.db").write_text("", encoding="utf-8")
    await folder.empty(home)
    assert not (home / "postgres").exists()
    assert not (home / "temporal.db").exists()


async def test_a_folder_with_something_else_in_it_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "precious").write_text("do not lose me", encoding="utf-8")
    with pytest.raises(InvalidInput, match="holds something else than a demo"):
        await folder.empty(tmp_path)
    assert (tmp_path / "precious").read_text(encoding="utf-8") == "do not lose me"


async def test_a_folder_with_a_running_demo_is_left_alone(tmp_path: Path) -> None:
    home = tmp_path / "demo"
    await folder.empty(home)
    (home / "temporal.db").write_text("in use", encoding="utf-8")
    with stack_lock(home), pytest.raises(Refused, match="already running"):
        await folder.empty(home)
    assert (home / "temporal.db").exists()
