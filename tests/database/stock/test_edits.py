"""Changes of placed orders on the real database: races, repeats, kits, and what is erased."""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import uuid4

import pytest

from activities.orders.order_records import CloseOrder
from activities.stock.contracts import TakeOut
from activities.stock.edits import Edits
from domain.errors import Conflict, InvalidInput, Refused
from domain.money import to_decimal
from domain.orders.edit_messages import OrderEdit
from domain.orders.order import Order
from domain.stock.edit_answers import Applied, ApplyEdit, EditAnswer
from domain.stock.kits import Kit
from starter.service.customers import Customers
from starter.service.edits import EditRecords
from store.database import Pool
from store.orders import versions
from store.stock import edit_previews
from store.stock.edit_standing import standing
from store.views import audit
from tests.support.bench import Bench
from tests.support.builders import an_order
from tests.support.planted import CUSTOMER, SAID, left_of_it, planted


def an_edit(**changes: Any) -> OrderEdit:
    return OrderEdit.model_validate({"reason": "the customer called", **changes})


async def apply(pool: Pool, order: Order, name: str, **changes: Any) -> EditAnswer:
    """Have an edit applied, by one who knows all that the rows know."""
    edit = an_edit(request_id=name, **changes)
    async with pool.acquire() as conn:
        if edit.person:
            await versions.wish(conn, order.order_id, name, edit.person)
        found = await standing(conn, order.order_id)
    return await Edits(pool).apply_edit(
        ApplyEdit(
            order_id=order.order_id,
            request_id=name,
            request=edit.as_met,
            fulfilments={part: dict(each.claimed) for part, each in found.parts.items()},
            waiting=found.waiting,
            turn=uuid4().hex,
        )
    )


def applied(answer: EditAnswer) -> Applied:
    assert answer.applied is not None, answer
    return answer.applied


def no(answer: EditAnswer) -> str:
    """The reason of a refusal."""
    assert answer.refused is not None, answer
    return answer.refused.reason


async def faults(bench: Bench) -> Any:
    async with bench.pool.acquire() as conn:
        return (await audit.look(conn)).violations


async def close(bench: Bench, order: Order) -> None:
    await bench.records.close_order(
        CloseOrder(order_id=order.order_id, decision="closed", reason="all of it arrived")
    )


async def test_earlier_versions_and_what_was_wished_for_are_erased_with_the_person(
    pool: Pool,
) -> None:
    bench = Bench(pool)
    await bench.stocked("TEA", 3)
    order = an_order(("TEA", 2), **planted())
    part = await bench.at(order, "confirmed")
    assert order.shipping.address is not None
    moved = order.shipping.address.model_copy(update={"line1": "1 New Street"}).model_dump()
    done = await apply(pool, order, "r1", address=moved, forget=["note"], reason=SAID[0])
    assert done.applied is not None
    async with pool.acquire() as conn:
        await versions.wish(conn, order.order_id, "r2", an_edit(note=SAID[1]).person)
    first, second = await EditRecords(pool).versions(order.order_id)
    assert first.document["note"] != second.document.get("note")
    assert first.document["shipping"]["address"]["line1"] != "1 New Street"
    await bench.warehouse.pick(part, who="picker")
    await bench.warehouse.pack(part, who="packer")
    await bench.send(part)
    await bench.warehouse.hand_over(part, who="packer")
    await bench.scan(part, "delivered")
    await bench.charged(part)
    await close(bench, order)
    await Customers(pool).erase(
        CUSTOMER["id"], documents_years=-1, who="dpo", why="asked for by letter"
    )
    assert await left_of_it(pool) == {}


async def test_what_is_wished_for_is_kept_once_and_never_for_an_order_that_has_ended(
    pool: Pool,
) -> None:
    bench = Bench(pool)
    await bench.stocked("TEA", 3)
    order = an_order(("TEA", 2))
    await bench.at(order, "delivered")
    wish = an_edit(note="ring").person
    async with pool.acquire() as conn:
        for _ in range(2):
            await versions.wish(conn, order.order_id, "r1", wish)
        with pytest.raises(Conflict):
            await versions.wish(conn, order.order_id, "r1", an_edit(note="knock").person)
        await versions.forget(conn, order.order_id, "r1")
        await versions.wish(conn, order.order_id, "r1", an_edit(note="knock").person)
        await close(bench, order)
        with pytest.raises(Refused) as no:
            await versions.wish(conn, order.order_id, "r2", wish)
    assert no.value.reason == "order_closed"


async def test_a_repeat_answers_as_before_and_changes_nothing(pool: Pool) -> None:
    bench = Bench(pool)
    await bench.stocked("TEA", 9)
    order = an_order(("TEA", 5))
    await bench.at(order, "confirmed")
    first = await apply(pool, order, "r1", lines=[{"line_id": "1", "quantity": 2}])
    assert first.applied is not None
    assert await bench.level("TEA") == (9, 2)
    assert await apply(pool, order, "r1", lines=[{"line_id": "1", "quantity": 2}]) == first
    assert await bench.level("TEA") == (9, 2)
    assert len(await EditRecords(pool).versions(order.order_id)) == 2


async def test_of_two_edits_by_one_version_one_is_told_what_the_other_changed(pool: Pool) -> None:
    bench = Bench(pool)
    await bench.stocked("TEA", 9)
    order = an_order(("TEA", 5))
    await bench.at(order, "confirmed")
    both = await asyncio.gather(
        *(
            apply(pool, order, f"r{n}", version=1, lines=[{"line_id": "1", "quantity": n}])
            for n in (1, 2)
        )
    )
    (lost,) = [each.refused for each in both if each.refused is not None]
    (won,) = [each.applied for each in both if each.applied is not None]
    assert lost.reason == "changed_meanwhile"
    assert str(won.outcome.changes[0]) in lost.message


async def test_what_was_cancelled_since_a_preview_is_told_where_the_edit_says_its_total(
    pool: Pool,
) -> None:
    bench = Bench(pool)
    await bench.stocked("TEA", 20)
    order = an_order(("TEA", 3, "10.00"))
    part = await bench.at(order, "confirmed")
    wanted: dict[str, Any] = {"reason": "one more", "lines": [{"line_id": "1", "quantity": 4}]}
    async with pool.acquire() as conn:
        edit = OrderEdit.model_validate(wanted)
        seen = await edit_previews.preview(conn, order.order_id, edit)
    told = {"version": seen.version, "total": to_decimal(seen.total.minor, seen.total.currency)}
    await bench.removals.take_out(
        TakeOut(
            order_id=order.order_id,
            fulfilment_id=part,
            units={"1": 2},
            effect=f"cancel:c1:{part}:0",
            what="cancelled",
            why="too many",
        )
    )
    answer = await apply(pool, order, "r1", **told, lines=wanted["lines"])
    assert answer.refused is not None
    assert answer.refused.reason == "changed_meanwhile"
    assert "2 of 3 units of line 1 are cancelled" in answer.refused.message
    async with pool.acquire() as conn:
        with pytest.raises(Refused, match="would come to"):
            await edit_previews.preview(
                conn, order.order_id, OrderEdit.model_validate({**wanted, **told})
            )


@pytest.mark.parametrize("order_of_calls", [0, 1])
async def test_a_pick_and_fewer_units_at_once_one_is_first_and_the_other_is_told(
    pool: Pool, order_of_calls: int
) -> None:
    bench = Bench(pool)
    await bench.stocked("TEA", 9)
    order = an_order(("TEA", 5))
    part = await bench.at(order, "confirmed")
    calls: list[Any] = [
        bench.warehouse.pick(part, {"1": 5}, who="picker"),
        apply(pool, order, "r1", lines=[{"line_id": "1", "quantity": 3}]),
    ]
    results = await asyncio.gather(
        *(calls if order_of_calls else reversed(calls)), return_exceptions=True
    )
    picked, edited = results if order_of_calls else reversed(results)
    assert isinstance(edited, EditAnswer)
    assert edited.applied is not None
    assert await bench.level("TEA") == (9, 3)
    if isinstance(picked, BaseException):
        assert isinstance(picked, InvalidInput | Conflict), picked
        await bench.warehouse.pick(part, {"1": 3}, who="picker")
    else:  # What was picked too much is to be put back.
        await bench.warehouse.put_back(f"{part}:P1", who="picker")
    assert await bench.state(part) == "picked"
    assert await faults(bench) == ()


async def test_a_kits_parts_are_claimed_and_given_back_together(pool: Pool) -> None:
    bench = Bench(pool)
    await bench.stocked("POT", 9)
    await bench.stocked("LID", 9)
    await bench.catalogue.define_kit(Kit(sku="SET", parts={"POT": 1, "LID": 2}))
    order = an_order(("SET", 2), ("POT", 1))
    await bench.at(order, "confirmed")
    less = await apply(pool, order, "r1", lines=[{"line_id": "1", "quantity": 1}])
    assert less.applied is not None
    assert (await bench.level("POT"), await bench.level("LID")) == ((9, 2), (9, 2))
    # What was authorized before pays for one more, and another kit at no price.
    more = await apply(
        pool,
        order,
        "r2",
        lines=[{"line_id": "1", "quantity": 2}],
        add=[{"sku": "SET", "quantity": 1, "unit_price": "0.00"}],
    )
    assert more.applied is not None
    assert (await bench.level("POT"), await bench.level("LID")) == ((9, 4), (9, 6))


async def test_more_money_is_asked_for_before_anything_is_written(pool: Pool) -> None:
    bench = Bench(pool)
    await bench.stocked("TEA", 9)
    order = an_order(("TEA", 2))
    await bench.at(order, "confirmed")
    answer = await apply(pool, order, "r1", lines=[{"line_id": "1", "quantity": 3}])
    assert answer.to_authorize is not None
    assert sum(line.whole.total for line in answer.to_authorize.lines) == 3500
    assert await bench.level("TEA") == (9, 2)
    assert len(await EditRecords(pool).versions(order.order_id)) == 1


async def test_units_of_which_the_workflow_has_not_heard_are_not_taken(pool: Pool) -> None:
    bench = Bench(pool)
    await bench.stocked("TEA", 9)
    order = an_order(("TEA", 5))
    await bench.at(order, "confirmed")
    edit = an_edit(request_id="r1", lines=[{"line_id": "1", "quantity": 3}])
    ask = ApplyEdit(order_id=order.order_id, request_id="r1", request=edit.as_met)
    answer = await Edits(pool).apply_edit(ask)
    assert answer.refused is not None
    assert answer.refused.reason == "units_moving"
