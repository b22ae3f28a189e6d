"""Changes of orders of which parcels are picked, packed or labelled, or which are charged."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from activities.fulfilment.carriers import Carriers
from activities.payments.contracts import Void
from domain.errors import IllegalTransition
from domain.ids import fulfilment_id
from domain.orders.order import Order
from domain.orders.policy import Policy
from domain.stock.edit_answers import EditAnswer
from domain.stock.kits import Kit
from store.database import Pool
from store.fulfilment import shipments
from tests.database.stock.test_edits import applied, apply, faults, no
from tests.support.bench import Bench, a_part, authorizing
from tests.support.builders import an_order
from tests.support.shop import Stage

AHEAD = Policy(charge="at_confirmation")
KEEPS_LABEL = Policy(keeps_label=True)


@pytest.fixture
async def bench(pool: Pool) -> Bench:
    bench = Bench(pool)
    await bench.stocked("TEA", 20)
    await bench.stocked("CUP", 20)
    return bench


def elsewhere(order: Order) -> dict[str, Any]:
    address = order.shipping.address
    assert address is not None
    return address.model_copy(update={"line1": "9 Other Street"}).model_dump()


async def ready(bench: Bench, order: Order, policy: Policy, *, labelled: bool = False) -> str:
    """The order's first fulfilment by that policy, ready to be picked, or with its label."""
    await bench.reserve(order, policy)
    ahead = policy.charge != "at_shipment"
    await bench.authorizations.authorize_payment(authorizing(order, ahead=ahead))
    if ahead:
        await bench.charged_ahead(order)
    part = fulfilment_id(order.order_id, 1)
    if labelled:
        await bench.warehouse.pick(part, who="picker")
        await bench.warehouse.pack(part, who="packer")
        await bench.send(part, ahead=ahead)
    return part


async def part_with(bench: Bench, sku: str) -> str:
    """The fulfilment that sends it."""
    async with bench.pool.acquire() as conn:
        found = await conn.fetchval("select fulfilment_id from fulfilment_line where sku = $1", sku)
    return str(found)


async def sent(bench: Bench, part: str, *, ahead: bool = False) -> None:
    """Bring a fulfilment from wherever it stands to the carrier, and charge what is due."""
    if await bench.state(part) == "picking":
        await bench.warehouse.pick(part, who="picker")
    if await bench.state(part) == "picked":
        await bench.warehouse.pack(part, who="packer")
    assert await bench.send(part, ahead=ahead) is None
    await bench.warehouse.hand_over(part, who="packer")
    due = "select count(*) from charge where charge_id = $1"
    if await bench.count(due, part):
        await bench.charged(part)


# Fewer units of what is picked already -----------------------------------------------------------


@pytest.mark.parametrize("stage", ["picked", "packed", "labelled"])
async def test_fewer_units_of_a_picked_parcel_are_put_back_and_were_never_ordered(
    bench: Bench, stage: Stage
) -> None:
    order = an_order(("TEA", 5))
    part = await bench.at(order, stage)
    done = applied(await apply(bench.pool, order, "r1", lines=[{"line_id": "1", "quantity": 3}]))
    assert (done.taken, done.emptied) == ({part: {"1": 2}}, ())
    assert done.labels_unused == ((part,) if stage == "labelled" else ())
    assert await bench.level("TEA") == (20, 3)
    (task,) = await bench.warehouse.tasks()
    assert (task.task, task.opens_box) == ("put-back", stage != "picked")
    await bench.warehouse.put_back(f"{part}:P1", who="anna")
    await bench.fulfilment.void_label(a_part(part))
    await sent(bench, part)
    assert await bench.count("select ordered from order_line") == 3
    assert await bench.count("select charged from order_money") == 3500
    assert await faults(bench) == ()


async def test_a_parcel_of_which_nothing_is_wanted_is_stopped_and_its_label_given_back(
    bench: Bench,
) -> None:
    await bench.stocked("POT", 5, "west")
    order = an_order(("TEA", 2), ("POT", 1))
    await bench.at(order, "confirmed")
    part = await part_with(bench, "POT")
    await bench.warehouse.pick(part, who="picker")
    await bench.warehouse.pack(part, who="packer")
    await bench.send(part)
    done = applied(await apply(bench.pool, order, "r1", lines=[{"line_id": "2", "quantity": 0}]))
    assert (done.emptied, done.labels_unused) == ((part,), (part,))
    with pytest.raises(IllegalTransition, match="was recalled"):
        await bench.warehouse.hand_over(part, who="packer")
    await bench.fulfilment.void_label(a_part(part))
    assert await bench.count("select count(*) from sandbox.label where voided") == 1
    assert "put-back" in [task.task for task in await bench.warehouse.tasks()]
    await bench.warehouse.put_back(f"{part}:P1", who="anna")
    assert await faults(bench) == ()


async def test_a_kit_that_is_picked_comes_out_with_all_of_its_parts(bench: Bench) -> None:
    await bench.stocked("POT", 9)
    await bench.stocked("LID", 9)
    await bench.catalogue.define_kit(Kit(sku="SET", parts={"POT": 1, "LID": 2}))
    order = an_order(("SET", 3), ("TEA", 1))
    part = await bench.at(order, "packed")
    done = applied(await apply(bench.pool, order, "r1", lines=[{"line_id": "1", "quantity": 2}]))
    assert done.taken == {part: {"1": 1}}
    assert (await bench.level("POT"), await bench.level("LID")) == ((9, 2), (9, 4))
    await bench.warehouse.put_back(f"{part}:P1", who="anna")
    await sent(bench, part)
    assert (await bench.level("POT"), await bench.level("LID")) == ((7, 0), (5, 0))
    assert await faults(bench) == ()


async def test_while_a_label_is_being_bought_its_parcel_is_not_changed(bench: Bench) -> None:
    order = an_order(("TEA", 5))
    part = await bench.at(order, "packed")
    async with bench.pool.acquire() as conn:
        await shipments.want_label(
            conn,
            part,
            label_key=f"{part}:label",
            carriers=Carriers.only(bench.carrier).choice,
            holds=True,
            seen=None,
        )
    fewer = {"lines": [{"line_id": "1", "quantity": 3}]}
    assert no(await apply(bench.pool, order, "r1", **fewer)) == "units_moving"
    away = await apply(bench.pool, order, "r2", address=elsewhere(order))
    assert no(away) == "label_being_bought"
    assert await bench.send(part) is None
    applied(await apply(bench.pool, order, "r3", **fewer))
    assert await faults(bench) == ()


# Another address ---------------------------------------------------------------------------------


@pytest.mark.parametrize("how", ["address", "service"])
async def test_a_parcel_that_goes_elsewhere_gets_another_label_under_its_number(
    bench: Bench, how: str
) -> None:
    order = an_order(("TEA", 2))
    part = await bench.at(order, "labelled")
    before = await bench.parcel(part)
    wish: dict[str, Any] = {"address": elsewhere(order)}
    if how == "service":
        wish = {"shipping": {"service": "express"}}
    done = applied(await apply(bench.pool, order, "r1", **wish))
    assert done.labels_unused == (part,)
    with pytest.raises(IllegalTransition, match="is packed"):
        await bench.warehouse.hand_over(part, who="packer")
    assert await bench.send(part) is None
    after = await bench.parcel(part)
    assert after.tracking_number != before.tracking_number
    assert after.service == ("express" if how == "service" else "standard")
    for _ in range(2):
        await bench.fulfilment.void_label(a_part(part))
    assert await bench.count("select count(*) from sandbox.label where voided") == 1
    await sent(bench, part)
    assert await faults(bench) == ()


async def test_an_opened_parcel_that_kept_its_label_gets_another_one_for_another_address(
    bench: Bench,
) -> None:
    order = an_order(("TEA", 3))
    part = await ready(bench, order, KEEPS_LABEL, labelled=True)
    before = await bench.parcel(part)
    done = applied(await apply(bench.pool, order, "r1", lines=[{"line_id": "1", "quantity": 2}]))
    assert done.labels_unused == ()
    done = applied(await apply(bench.pool, order, "r2", address=elsewhere(order)))
    assert done.labels_unused == (part,)
    await bench.warehouse.put_back(f"{part}:P1", who="anna")
    await sent(bench, part)
    assert (await bench.parcel(part)).tracking_number != before.tracking_number
    await bench.fulfilment.void_label(a_part(part))
    assert await faults(bench) == ()


async def test_a_hand_over_and_another_address_at_once_one_is_first_and_the_other_is_told(
    bench: Bench,
) -> None:
    for number in range(6):
        order = an_order(("TEA", 1))
        part = await bench.at(order, "labelled")
        calls: list[Any] = [
            bench.warehouse.hand_over(part, who="packer"),
            apply(bench.pool, order, "r1", address=elsewhere(order)),
        ]
        results = await asyncio.gather(
            *(calls if number % 2 else reversed(calls)), return_exceptions=True
        )
        left, answer = results if number % 2 else reversed(results)
        assert isinstance(answer, EditAnswer), answer
        if answer.applied is None:
            assert no(answer) == "handed_over"
            assert await bench.state(part) == "shipped"
        else:
            assert isinstance(left, IllegalTransition)
            await bench.fulfilment.void_label(a_part(part))
            await sent(bench, part)
    assert await faults(bench) == ()


# Money that was authorized for nothing ------------------------------------------------------------


async def test_what_was_authorized_for_an_edit_that_is_refused_is_released(bench: Bench) -> None:
    order = an_order(("TEA", 3))
    await bench.at(order, "confirmed")
    more = {"lines": [{"line_id": "1", "quantity": 4}]}
    asked = await apply(bench.pool, order, "r1", **more)
    await bench.authorizations.authorize_payment(authorizing(order, edit=asked.to_authorize))
    standing = "select sum(amount_minor - capture_granted - released) from payment_authorization"
    assert await bench.count(standing) == 4500
    beyond = Void(order_id=order.order_id, why="nobody has so many", beyond=True)
    for _ in range(2):
        await bench.authorizations.void_payment(beyond)
        assert await bench.count(standing) == 3500
    # And asked again, it is authorized again.
    asked = await apply(bench.pool, order, "r2", **more)
    await bench.authorizations.authorize_payment(authorizing(order, edit=asked.to_authorize))
    applied(await apply(bench.pool, order, "r2", **more))
    await bench.authorizations.void_payment(beyond)
    assert await bench.count(standing) == 4500
    assert await faults(bench) == ()


async def test_an_order_may_become_cheaper_than_what_a_tender_pays_at_most(bench: Bench) -> None:
    twenty = {"provider": "sandbox", "token": "tok_other", "amount": "20.00"}
    order = an_order(("TEA", 3), tenders=[twenty])
    part = await ready(bench, order, Policy())
    applied(await apply(bench.pool, order, "r1", lines=[{"line_id": "1", "quantity": 1}]))
    # What it pays at most stays what it was when the order grows again.
    applied(await apply(bench.pool, order, "r2", lines=[{"line_id": "1", "quantity": 2}]))
    for each in (part, fulfilment_id(order.order_id, 2)):
        await sent(bench, each)
    paid = await bench.pool.fetch(
        "select tender, sum(capture_granted)::int as paid from payment_authorization group by 1"
    )
    assert {row["tender"]: row["paid"] for row in paid} == {1: 2000, 2: 500}
    assert await faults(bench) == ()


# Once something is charged -----------------------------------------------------------------------


async def test_an_order_that_is_charged_is_changed_line_by_line_and_adds_up(bench: Bench) -> None:
    order = an_order(("TEA", 4), ("CUP", 2), discount="3.00")
    part = await ready(bench, order, AHEAD)
    first = await bench.count("select charged from order_money")
    more = {
        "lines": [{"line_id": "1", "quantity": 5}, {"line_id": "2", "quantity": 1}],
        "add": [{"sku": "CUP", "quantity": 1, "unit_price": "7.00", "tax_rate": "10"}],
    }
    asked = await apply(bench.pool, order, "r1", **more)
    assert asked.to_authorize is not None
    await bench.authorizations.authorize_payment(
        authorizing(order, ahead=True, edit=asked.to_authorize)
    )
    done = applied(await apply(bench.pool, order, "r1", **more))
    assert {x.line_id: x.quantity for x in done.outcome.added} == {"3": 1, "4": 1}
    (refund,) = done.refunds
    assert done.outcome.to_pay_back == refund.amount
    assert await bench.count("select charged from order_money") == first
    lower = {"lines": [{"line_id": "1", "unit_price": "9.00"}]}
    cheaper = applied(await apply(bench.pool, order, "r2", **lower))
    assert [str(granted.amount) for granted in cheaper.refunds] == ["4.00 USD"]
    assert no(await apply(bench.pool, order, "r3", **lower)) == "price_not_lower"
    new = done.fulfilments[0].fulfilment_id
    for each in (part, new):
        await sent(bench, each, ahead=True)
    # The new lines are charged as they leave: 10.00 and 7.70.
    assert await bench.count("select charged from order_money") == first + 1770
    assert await faults(bench) == ()


async def test_what_is_left_of_an_order_can_be_changed_after_its_first_parcel(bench: Bench) -> None:
    await bench.stocked("POT", 9, "west")
    order = an_order(("TEA", 2), ("POT", 3))
    await bench.at(order, "confirmed")
    tea, pot = await part_with(bench, "TEA"), await part_with(bench, "POT")
    await sent(bench, tea)
    done = applied(
        await apply(
            bench.pool,
            order,
            "r1",
            lines=[{"line_id": "2", "quantity": 2}, {"line_id": "1", "quantity": 2}],
        )
    )
    assert (done.refunds, done.taken) == ((), {pot: {"2": 1}})
    cheaper = applied(
        await apply(bench.pool, order, "r2", lines=[{"line_id": "2", "unit_price": "8.00"}])
    )
    assert cheaper.refunds == ()  # nothing of it is charged yet; less will be
    await sent(bench, pot)
    assert await bench.count("select shipped from order_line where line_id = '2'") == 2
    assert await faults(bench) == ()


async def test_while_the_order_is_being_charged_its_amounts_wait(bench: Bench) -> None:
    order = an_order(("TEA", 4))
    await ready(bench, order, AHEAD)
    async with bench.pool.acquire() as conn:
        await conn.execute("update charge set captured_minor = captured_minor - 1")
    fewer = {"lines": [{"line_id": "1", "quantity": 3}]}
    assert no(await apply(bench.pool, order, "r1", **fewer)) == "being_charged"
    applied(await apply(bench.pool, order, "r2", requested_delivery_date="2026-12-24"))
