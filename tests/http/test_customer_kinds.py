"""What the customer's page says of each kind of goods, and of days that have moved."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from domain.stock.items import Item
from domain.stock.licences import Licence
from starter.service.service import Records
from starter.service.tracking import TrackedOrder
from starter.web.customer.languages import customer_words
from starter.web.customer.parcels import Part, parts
from store.database import Pool
from store.views.customer_page import WaitingUnits
from store.views.reads import EventRow
from tests.support.bench import Bench
from tests.support.builders import a_policy, an_order
from tests.support.shop import Shop

CUSTOMER = {"id": "C-1", "name": "Kim Minji", "locale": "en-GB", "email": "kim@example.com"}
NOW = datetime(2026, 12, 1, 12, tzinfo=UTC)
WORDS = customer_words("en-GB")


def told(order: TrackedOrder, *, whole: bool = True, now: datetime | None = None) -> list[Part]:
    return parts(order, WORDS, whole=whole, now=now or datetime.now(UTC), urls={"sandbox": "x"})


async def test_codes_collected_goods_and_services_are_told_each_in_its_way(shop: Shop) -> None:
    kinds = [Item(sku="APP", handling="digital"), Item(sku="FIT", handling="service")]
    await shop.catalogue.set_items(kinds)
    await shop.codes.take_in([Licence(sku="APP", code="AB12-CD34")], "digital", who="test")
    await shop.stocked("TEA", 5)
    await shop.stocked("FIT", 5)
    policy = a_policy(collect_within=timedelta(days=7))
    order = an_order(
        *(("TEA", 1), ("APP", 1), ("FIT", 1)), customer=CUSTOMER, shipping={"service": "collect"}
    )
    await shop.placed(order, policy)
    await shop.told(order.order_id, "shipped")  # the code
    found = await shop.tracking.order(order.order_id)
    by_kind = {one.handling: one for one in found.detail.fulfilments}
    await shop.drive(by_kind["pick_up"].fulfilment_id, "labelled")
    await shop.told(order.order_id, "ready for its appointment")
    begins = datetime(2099, 12, 4, 22, 30, tzinfo=UTC)
    await shop.appointments.make(by_kind["service"].fulfilment_id, begins, who="anna")
    found = await shop.tracking.order(order.order_id)
    shown = {one.heading: one for one in told(found)}
    (ready,) = found.pick_ups
    until = WORDS.day((ready.ready_at + timedelta(days=7)).date())
    assert shown["To collect"].status == "Ready for you to collect"
    assert shown["To collect"].lines == ("At: main", f"Please come by {until}")
    assert shown["To collect"].codes[0].code == f"Your code: {ready.code}"
    assert shown["Codes and downloads"].status == "Your codes are here"
    assert shown["Codes and downloads"].codes[0].code == "AB12-CD34"
    assert shown["Service"].status == "Agreed for Fri, 4 Dec 2099, 22:30"
    hidden = told(found, whole=False)
    assert [one.status for one in hidden] == [one.status for one in shown.values()]
    assert not any(one.codes for one in hidden)


@pytest.fixture
async def waiting(pool: Pool) -> TrackedOrder:
    """An order on record whose unit waits for stock, and is promised for a day."""
    order = an_order(("TEA", 1), customer=CUSTOMER)
    await Bench(pool).take_in(order)
    found = await Records(pool).tracking.order(order.order_id)
    return with_day(found, date(2026, 12, 8))


def with_day(order: TrackedOrder, day: date | None, *story: EventRow) -> TrackedOrder:
    units = (WaitingUnits(line_id="1", quantity=1, promised_on=day),)
    lines = tuple(one.model_copy(update={"open": 0}) for one in order.detail.lines)
    detail = order.detail.model_copy(update={"lines": lines, "story": story})
    facts = order.facts.model_copy(update={"backorders": units})
    return order.model_copy(update={"detail": detail, "facts": facts})


def event(what: str, **data: Any) -> EventRow:
    return EventRow(event_id=1, at=NOW, what=what, who="orderloom", why="", data=data)


async def test_a_day_that_has_moved_is_told_with_the_old_one_and_why(waiting: TrackedOrder) -> None:
    def lines(order: TrackedOrder, now: datetime = NOW) -> tuple[str, ...]:
        (part,) = told(order, now=now)
        assert part.heading == "Waiting for stock"
        return part.lines

    day = date(2026, 12, 8)
    assert lines(waiting) == ("Expected by Tue, 8 Dec 2026",)
    first = event("promise at risk", line_id="1", promised_on="2026-12-04")
    other = event("first day of sale moved", line_id="2", promised_on="2026-12-08")
    moved = event("first day of sale moved", line_id="1", promised_on="2026-12-08")
    assert lines(with_day(waiting, day, other)) == ("Expected by Tue, 8 Dec 2026",)
    assert lines(with_day(waiting, day, moved))[1].endswith("The new day is Tue, 8 Dec 2026")
    told_twice = lines(with_day(waiting, day, first, moved))
    assert "from Fri, 4 Dec 2026 to Tue, 8 Dec 2026" in told_twice[1]
    assert "reach us on another day" in told_twice[1]
    risk = event("promise at risk", line_id="1", promised_on="2026-12-08")
    assert lines(with_day(waiting, day, risk))[1].startswith("It may come later than Tue, 8 Dec")
    late = lines(waiting, NOW + timedelta(days=20))
    assert late == ("Was expected by Tue, 8 Dec 2026. It is late, and we are sorry",)
    assert lines(with_day(waiting, None)) == ("We cannot tell the day yet",)
