"""Nothing about a person is in Temporal, in an id or in a log; and all of it can be erased."""

from __future__ import annotations

import asyncio
import logging
from datetime import timedelta
from typing import Any

import pytest

from activities.customers.retention import Persons
from domain.errors import Conflict, NotFound, Refused
from domain.orders.messages import CancelRequest, RefundRequest
from domain.orders.order import Order
from domain.orders.return_messages import ReturnRequest
from starter.service.customers import Customers
from tests.support.builders import a_policy, an_order
from tests.support.planted import (
    CUSTOMER,
    SAID,
    TYPED,
    WORDS,
    found_in,
    left_of_it,
    planted,
)
from tests.support.runs import runs_of
from tests.support.shop import Shop

ASKED: Any = {"who": "dpo", "why": "asked for by letter"}


async def live(shop: Shop, *, comes_back: bool = True) -> Order:
    """One parcel comes back, the other is cancelled with its label bought; and goodwill."""
    await asyncio.gather(shop.stocked("TEA", 3), shop.stocked("CUP", 2, "second"))
    order = an_order(("TEA", 3, "12.50"), ("CUP", 2), **planted())
    window = 60 if comes_back else 1
    returned = await shop.placed(order, a_policy(give_up_after=10, return_window=window))
    recalled = f"{order.order_id}:2"
    await asyncio.gather(shop.drive(returned, "delivered"), shop.drive(recalled, "labelled"))
    no_cups = CancelRequest.model_validate({"reason": SAID[0], "lines": [{"line_id": "2"}]})
    await shop.aftersales.cancel(order.order_id, no_cups)
    await shop.told(order.order_id, "authorization released")
    sorry = RefundRequest.model_validate({"reason": SAID[2], "amount": "1.00"})
    await shop.aftersales.refund(order.order_id, sorry)
    if comes_back:
        await shop.aftersales.request_return(order.order_id, ReturnRequest(reason=SAID[1]))
    await shop.finish(order.order_id)
    return order


async def test_no_name_of_a_customer_is_in_a_history_a_search_attribute_or_a_log(
    shop: Shop, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    order = await live(shop)
    seen = b"".join(
        event.SerializeToString()
        for run in await runs_of(shop, order.order_id)
        for event in run.events
    )
    assert found_in(seen, TYPED) != [], "what people type does enter; a codec can encrypt it"
    assert found_in(seen) == []
    about = await shop.workflow(order.order_id).describe()
    assert found_in(about.raw_description.SerializeToString()) == []
    assert found_in(str(await shop.view(order.order_id))) == []
    assert caplog.records
    assert found_in(caplog.text) == []
    await shop.settled()


async def test_who_ordered_stands_in_one_table_beside_what_is_printed_and_who_is_known(
    shop: Shop,
) -> None:
    await live(shop)
    stands = {"order_person", "customer", "document", "label_file"}
    assert (await left_of_it(shop.pool, WORDS)).keys() <= stands


async def test_nothing_of_a_person_is_left_where_the_law_wants_no_documents(shop: Shop) -> None:
    order = await live(shop)
    before = await shop.pool.fetchval("select sum(amount_minor) from document")
    doors = Customers(shop.pool)
    done = await doors.erase(CUSTOMER["email"].upper(), documents_years=-1, **ASKED)
    assert [(one.order_id, one.outcome, one.documents) for one in done.orders] == [
        (order.order_id, "erased", 0)
    ]
    assert await left_of_it(shop.pool) == {}
    with pytest.raises(NotFound, match="there is no order of"):
        await doors.orders_of(CUSTOMER["id"])
    # The order, its amounts and the books are whole without its customer.
    assert await shop.pool.fetchval("select sum(amount_minor) from document") == before
    assert "person erased" in await shop.story(order.order_id)
    await shop.settled()
    # Placed again, it is the same order; with another content it is not.
    assert (await shop.orders.place(order)).outcome == "confirmed"
    with pytest.raises(Conflict):
        await shop.orders.place(order.model_copy(update={"note": "another one"}))
    assert await left_of_it(shop.pool) == {}


async def test_documents_keep_their_buyer_for_as_long_as_the_law_wants(shop: Shop) -> None:
    order = await live(shop)
    doors = Customers(shop.pool)
    (one,) = (await doors.erase(CUSTOMER["id"], documents_years=10, **ASKED)).orders
    today = await shop.pool.fetchval("select moment()::date")
    assert one.documents == 3  # an invoice, and credit notes for the return and the goodwill
    assert one.documents_until is not None
    assert one.documents_until.year == today.year + 10
    assert (await left_of_it(shop.pool)).keys() == {"document"}
    duty = Persons(shop.pool)
    await duty.forget()
    assert (await left_of_it(shop.pool)).keys() == {"document"}
    async with shop.pool.acquire() as conn, conn.transaction():
        await conn.execute("set local orderloom.erasing = 'on'")
        await conn.execute("update document set kept_until = $1", today - timedelta(days=1))
    await duty.forget()
    assert await left_of_it(shop.pool) == {}
    assert order.order_id


async def test_what_comes_late_to_an_erased_order_is_erased_too(shop: Shop) -> None:
    order = await live(shop, comes_back=False)
    doors, duty = Customers(shop.pool), Persons(shop.pool, documents_years=10)
    await doors.erase(CUSTOMER["id"], documents_years=10, **ASKED)
    late = {"reason": f"{SAID[0]}, again", "amount": "0.50"}
    credit = RefundRequest.model_validate({**late, "to": "store_credit"})
    with pytest.raises(Refused, match="is erased, so store credit would be nobody's"):
        await shop.aftersales.refund(order.order_id, credit)
    await shop.aftersales.refund(order.order_id, RefundRequest.model_validate(late))
    assert "refund" in await left_of_it(shop.pool), "a person may be named anew"

    async def erased_again() -> bool:
        await duty.forget()
        return (await left_of_it(shop.pool)).keys() == {"document"}

    await shop.until(erased_again, "what came late to be erased")
    # The credit note names whom the invoice that it corrects names; both as long as the law wants.
    papers = await shop.pool.fetch("select content, kept_until from document")
    assert {row["content"]["buyer"]["name"] for row in papers} == {CUSTOMER["company"]}
    assert {row["content"]["language"] for row in papers} == {"de"}
    assert len({row["kept_until"] for row in papers}) == 1
    (again,) = (await doors.erase(CUSTOMER["id"], documents_years=10, **ASKED)).orders
    assert (again.outcome, again.documents) == ("erased_before", 3)
    await shop.settled()


async def test_an_order_that_has_not_ended_is_erased_as_soon_as_it_has(shop: Shop) -> None:
    await shop.stocked("TEA", 3)
    order = an_order(("TEA", 3, "12.50"), **planted())
    part = await shop.placed(order, a_policy(return_window=0.01))
    doors, duty = Customers(shop.pool), Persons(shop.pool, documents_years=-1)
    (one,) = (await doors.erase(CUSTOMER["id"], documents_years=-1, **ASKED)).orders
    assert one.outcome == "waits"
    await duty.forget()
    assert "order_person" in await left_of_it(shop.pool), "somebody has still to send it there"
    await shop.drive(part, "delivered")
    await shop.finish(order.order_id)
    await duty.forget()
    assert await left_of_it(shop.pool) == {}
    await shop.settled()


async def test_persons_are_erased_by_themselves_when_their_orders_are_old_enough(
    shop: Shop,
) -> None:
    order = await live(shop)
    await Persons(shop.pool, timedelta(days=30), documents_years=-1).forget()
    assert "order_person" in await left_of_it(shop.pool)
    await shop.pool.execute(
        "update customer_order set received_at = received_at - interval '40 days', "
        "decided_at = decided_at - interval '31 days' where order_id = $1",
        order.order_id,
    )
    await Persons(shop.pool, timedelta(days=30), documents_years=-1).forget()
    assert await left_of_it(shop.pool) == {}


async def test_all_that_is_known_of_a_person_can_be_handed_out(shop: Shop) -> None:
    await live(shop)
    everything = str(await Customers(shop.pool).export(CUSTOMER["id"]))
    assert set(found_in(everything, (*WORDS, *TYPED))) == {*WORDS, *TYPED}
