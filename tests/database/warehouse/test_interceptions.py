"""Parcels that are stopped on their way: asked once, booked once, and refused with a reason."""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import uuid4

import pytest

from activities.fulfilment.carriers import Carriers
from activities.fulfilment.counter import Counter
from activities.fulfilment.interceptions import Intercept, InterceptAnswer, Interceptions
from activities.provider_errors import TimedOut
from domain.ids import order_of
from domain.orders.edit_messages import PersonChange
from domain.orders.interception_messages import InterceptRequest
from domain.orders.people import Address
from store.database import Pool
from store.orders import versions
from store.sandbox.companies import set_fault
from tests.support.bench import Bench
from tests.support.builders import address_of, an_order


@pytest.fixture
async def bench(pool: Pool) -> Bench:
    bench = Bench(pool)
    await bench.stocked("TEA", 9)
    return bench


def asking(part: str, request_id: str, way: Any) -> Intercept:
    request = InterceptRequest(
        fulfilment_id=part, way=way, reason="it moved", request_id=request_id, by="kim"
    )
    return Intercept(
        order_id=order_of(part), request_id=request_id, request=request, turn=uuid4().hex
    )


def asked_of(bench: Bench) -> Interceptions:
    return Interceptions(bench.pool, Carriers.only(bench.carrier))


async def redirect(bench: Bench, part: str, request_id: str, **elsewhere: str) -> InterceptAnswer:
    async with bench.pool.acquire() as conn:
        (order,) = await versions.listed(conn, order_of(part))
        now = Address.model_validate(order.document["shipping"]["address"])
        there = now.model_copy(update=elsewhere)
        await versions.wish(conn, order_of(part), request_id, PersonChange(address=there))
    return await asked_of(bench).intercept_parcel(asking(part, request_id, "redirect"))


async def fees(pool: Pool) -> list[tuple[str, int]]:
    rows = await pool.fetch(
        "select account, sum(amount_minor)::bigint from posting where account like 'carrier_%' "
        "group by account order by account"
    )
    return [tuple(row) for row in rows]


def why(answer: InterceptAnswer) -> tuple[str, tuple[str, ...]]:
    assert answer.refused is not None
    return answer.refused.reason, answer.refused.instead


async def test_a_redirected_parcel_goes_to_the_orders_new_address(bench: Bench) -> None:
    part = await bench.at(order := an_order(("TEA", 1)), "shipped")
    accepted = await redirect(bench, part, "i1", line1="New Street 9")
    assert accepted.refused is None
    async with bench.pool.acquire() as conn:
        before, now = await versions.listed(conn, order.order_id)
    assert before.document["shipping"]["address"]["line1"] == address_of(order).line1
    assert now.document["shipping"]["address"]["line1"] == "New Street 9"
    assert [str(change) for change in before.changes] == ["address"]
    wished = await bench.pool.fetchval("select wished from order_person")
    assert wished == {}
    assert await fees(bench.pool) == [("carrier_fees", 750), ("carrier_payables", -750)]


@pytest.mark.parametrize("fault", ["timeout_after", "timeout_before"])
async def test_an_answer_that_was_lost_is_asked_for_again_and_charged_once(
    bench: Bench, fault: str
) -> None:
    part = await bench.at(an_order(("TEA", 1)), "shipped")
    async with bench.pool.acquire() as conn:
        await set_fault(conn, "carrier", "intercept", fault, 1, remaining=1)
    with pytest.raises(TimedOut):
        await asked_of(bench).intercept_parcel(asking(part, "i1", "return"))
    other = await asked_of(bench).intercept_parcel(asking(part, "i2", "return"))
    assert why(other)[0] == "interception_under_way"
    answers = await asyncio.gather(
        *(asked_of(bench).intercept_parcel(asking(part, "i1", "return")) for _ in range(3))
    )
    assert {answer.fee and answer.fee.minor for answer in answers} == {750}
    assert await fees(bench.pool) == [("carrier_fees", 750), ("carrier_payables", -750)]


async def test_what_cannot_be_stopped_is_refused_with_the_way_on(bench: Bench) -> None:
    here = await bench.at(an_order(("TEA", 1)), "labelled")
    ask = asked_of(bench).intercept_parcel
    assert why(await ask(asking(here, "i1", "return"))) == (
        "not_on_its_way",
        ("edit_order", "cancel_order"),
    )
    gone = await bench.at(an_order(("TEA", 1)), "delivered")
    assert why(await ask(asking(gone, "i1", "return")))[1] == ("return_items", "claim_items")
    part = await bench.at(an_order(("TEA", 1)), "shipped")
    abroad = await redirect(bench, part, "i1", country="CH")
    assert why(abroad)[0] == "other_country"
    nowhere = await redirect(bench, part, "i2", postal_code="NOWHERE")
    assert why(nowhere)[0] == "carrier_refused"
    assert why(await ask(asking(part, "i2", "redirect")))[0] == "carrier_refused"
    counter = Interceptions(bench.pool, Carriers.only(Counter()))
    no = await counter.intercept_parcel(asking(part, "i3", "return"))
    assert why(no) == ("cannot_intercept", ("return_items", "claim_items"))
    assert await fees(bench.pool) == []


async def given_up(bench: Bench, ask: Intercept) -> InterceptAnswer:
    return await asked_of(bench).intercept_parcel(ask.model_copy(update={"given_up": True}))


@pytest.mark.parametrize("fault", ["timeout_after", "timeout_before"])
async def test_where_nobody_waits_for_the_answer_any_more_another_can_be_asked_for(
    bench: Bench, fault: str
) -> None:
    part = await bench.at(an_order(("TEA", 1)), "shipped")
    async with bench.pool.acquire() as conn:
        await set_fault(conn, "carrier", "intercept", fault, 1, remaining=1)
    first = asking(part, "i1", "return")
    with pytest.raises(TimedOut):
        await asked_of(bench).intercept_parcel(first)
    for _ in range(2):
        assert why(await given_up(bench, first))[0] == "no_answer"
    late = await asked_of(bench).intercept_parcel(first)
    assert why(late) == ("no_answer", ("intercept_parcel", "claim_items"))
    again = await asked_of(bench).intercept_parcel(asking(part, "i2", "return"))
    assert again.refused is None


async def test_giving_up_what_the_carrier_has_answered_tells_its_answer(bench: Bench) -> None:
    part = await bench.at(an_order(("TEA", 1)), "shipped")
    ask = asking(part, "i1", "return")
    await asked_of(bench).intercept_parcel(ask)
    answer = await given_up(bench, ask)
    assert (answer.refused, answer.fee and answer.fee.minor) == (None, 750)


async def test_what_was_given_up_before_the_carrier_was_asked_is_never_asked(bench: Bench) -> None:
    part = await bench.at(an_order(("TEA", 1)), "shipped")
    ask = asking(part, "i1", "return")
    assert why(await given_up(bench, ask))[0] == "no_answer"
    assert why(await asked_of(bench).intercept_parcel(ask))[0] == "no_answer"
    assert await fees(bench.pool) == []
