"""Every effect of every activity: called twice, called at once, or with its answer lost, it is one.

`EFFECTS` names each activity that changes something. A scene brings an order to where the activity
belongs, and gives the call; the tests make the call in all the ways in which calls are repeated.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pytest

from activities.aftersales.returns import ApproveReturn, DecideReturn
from activities.orders.order_records import Attention, CloseOrder, Notice
from activities.orders.retention import EndedOrders
from activities.payments.contracts import GrantRefund, Refund, Void
from activities.provider_errors import Declined, OutcomeUnknown
from activities.providers.sandbox.payment import Card
from activities.stock.contracts import Reassign, ReleaseStock, ReserveAgain, TakeOut
from domain.errors import Conflict, IllegalTransition
from domain.orders.messages import LineRequest
from domain.orders.order import Order
from store import waits
from store.database import open_pool
from store.sandbox import companies
from store.sandbox.companies import FaultKind
from tests.support.bench import Bench, a_part, authorizing, charging, granting
from tests.support.books import faults_in
from tests.support.builders import an_order
from tests.support.builders import shipping as a_shipping
from tests.support.servers import Databases

UTC_TEXT = "datetime.timezone.utc"
BEGAN = datetime(2026, 11, 28, 9, tzinfo=UTC)

Call = Callable[[], Awaitable[Any]]
Scene = Callable[[Bench], Coroutine[Any, Any, tuple[Order, Call]]]


@pytest.fixture(scope="module")
async def shared(databases: Databases) -> AsyncIterator[Bench]:
    """One database for all of these tests: each has orders of its own."""
    async with databases.fresh() as url:
        pool = await open_pool(url)
        bench = Bench(pool)
        await bench.stocked("TEA", 10_000)
        await bench.stocked("TEA", 10_000, "spare")
        yield bench
        pool.terminate()


@pytest.fixture
async def bench(shared: Bench) -> Bench:
    async with shared.pool.acquire() as conn:
        await companies.clear_faults(conn)
    return shared


def tea(token: str = Card.OK, **fields: Any) -> Order:
    return an_order(("TEA", 3, "9.99"), token=token, **fields)


def one_back(order: Order) -> GrantRefund:
    """One of three units is paid back: the customer keeps what the first two are worth."""
    lines = (LineRequest(line_id="1", quantity=1),)
    return granting(order, lines=lines, shipping=True)


async def reserve_stock(bench: Bench) -> tuple[Order, Call]:
    order = tea()
    return order, lambda: bench.reserve(order)


async def reserve_nothing(bench: Bench) -> tuple[Order, Call]:
    order = an_order(("NOTHING", 3))
    return order, lambda: bench.reserve(order)


async def release_stock(bench: Bench) -> tuple[Order, Call]:
    order = tea()
    part = await bench.at(order, "confirmed")
    ask = ReleaseStock(
        order_id=order.order_id,
        effect="cancel:1",
        units={part: {"1": 3}},
        decision="cancelled",
        what="cancelled",
        why="test",
    )
    return order, lambda: bench.inventory.release_stock(ask)


async def reserve_again_what_was_not_found(bench: Bench) -> tuple[Order, Call]:
    order = tea()
    part = await bench.at(order, "confirmed")
    await bench.warehouse.pick(part, {"1": 1}, who="picker")
    return order, partial(bench.inventory.reserve_again, replacing(order, {"1": 2}, "open"))


async def reserve_again_what_was_lost(bench: Bench) -> tuple[Order, Call]:
    order = tea()
    part = await bench.at(order, "shipped")
    await bench.scan(part, "failure")
    return order, partial(bench.inventory.reserve_again, replacing(order, {"1": 3}, "shipped"))


def replacing(order: Order, units: dict[str, int], source: Any) -> ReserveAgain:
    return ReserveAgain(
        order_id=order.order_id,
        fulfilment_id=f"{order.order_id}:1",
        units=units,
        source=source,
        replace=True,
        avoid="main",
        reason="test",
    )


async def reassign(bench: Bench) -> tuple[Order, Call]:
    order = tea()
    part = await bench.at(order, "confirmed")
    ask = Reassign(fulfilment_id=part, units={"1": 2})
    return order, lambda: bench.inventory.reassign(ask)


async def take_out(bench: Bench) -> tuple[Order, Call]:
    order = tea()
    part = await bench.at(order, "labelled")
    ask = TakeOut(
        order_id=order.order_id,
        fulfilment_id=part,
        units={"1": 1},
        effect=f"cancel:r1:{part}:0",
        what="cancelled",
        why="test",
    )
    return order, lambda: bench.removals.take_out(ask)


async def authorize_payment(bench: Bench, token: str = Card.OK) -> tuple[Order, Call]:
    order = tea(token)
    await bench.reserve(order)
    return order, lambda: bench.authorizations.authorize_payment(authorizing(order))


async def charge_payment(bench: Bench, token: str = Card.OK) -> tuple[Order, Call]:
    order = tea(token)
    part = await bench.at(order, "shipped")
    return order, lambda: bench.payments.charge_payment(charging(part))


async def charge_ahead(bench: Bench, token: str = Card.OK) -> tuple[Order, Call]:
    order = tea(token)
    await bench.at(order, "confirmed")
    ask = charging(f"{order.order_id}:prepaid", or_nothing=True)
    return order, lambda: bench.payments.charge_payment(ask)


async def grant_refund(bench: Bench, token: str = Card.OK) -> tuple[Order, Call]:
    order = tea(token)
    await bench.charged(await bench.at(order, "delivered"))
    return order, lambda: bench.payments.grant_refund(one_back(order))


async def refund_payment(bench: Bench, token: str = Card.OK) -> tuple[Order, Call]:
    order, granted = await grant_refund(bench, token)
    refund_id = (await granted()).granted.refund_id
    return order, lambda: bench.payments.refund_payment(Refund(refund_id=refund_id))


async def release_what_is_paid_for(bench: Bench) -> tuple[Order, Call]:
    order = tea()
    part = await bench.at(order, "confirmed")
    await bench.charged_ahead(order)
    ask = ReleaseStock(
        order_id=order.order_id,
        effect="cancel:1",
        units={part: {"1": 2}},
        what="cancelled",
        why="test",
    )
    return order, lambda: bench.inventory.release_stock(ask)


async def give_up_what_was_lost(bench: Bench) -> tuple[Order, Call]:
    order, _ = await reserve_again_what_was_lost(bench)
    ask = replacing(order, {"1": 3}, "shipped").model_copy(update={"replace": False})
    return order, lambda: bench.inventory.reserve_again(ask)


async def void_payment(bench: Bench) -> tuple[Order, Call]:
    order = tea()
    await bench.at(order, "confirmed")
    ask = Void(order_id=order.order_id, why="test")
    return order, lambda: bench.authorizations.void_payment(ask)


async def buy_label(bench: Bench) -> tuple[Order, Call]:
    order = tea()
    part = await bench.at(order, "packed")
    return order, lambda: bench.send(part)


async def buy_label_to_nowhere(bench: Bench) -> tuple[Order, Call]:
    order = tea(shipping=a_shipping("5.00", postal_code="NOWHERE"))
    part = await bench.at(order, "packed")
    return order, lambda: bench.send(part)


async def recall(bench: Bench) -> tuple[Order, Call]:
    order = tea()
    part = await bench.at(order, "picked")
    return order, lambda: bench.fulfilment.recall(a_part(part))


async def put_back(bench: Bench) -> tuple[Order, Call]:
    order = tea()
    part = await bench.at(order, "packed")
    await bench.fulfilment.recall(a_part(part))
    return order, lambda: bench.fulfilment.put_back(a_part(part))


async def void_label(bench: Bench) -> tuple[Order, Call]:
    order = tea()
    part = await bench.at(order, "labelled")
    await bench.fulfilment.recall(a_part(part))
    return order, lambda: bench.fulfilment.void_label(a_part(part))


async def approve_return(bench: Bench) -> tuple[Order, Call]:
    order = tea()
    await bench.at(order, "delivered")
    ask = ApproveReturn(
        order_id=order.order_id, request_id="r1", units={"1": 2}, reason="test", who="customer"
    )
    return order, lambda: bench.returns.approve_return(ask)


async def decide_return(bench: Bench) -> tuple[Order, Call]:
    order, approve = await approve_return(bench)
    back = (await approve()).return_id
    ask = DecideReturn(
        order_id=order.order_id,
        request_id="d1",
        return_id=back,
        decision="cancel",
        why="test",
        who="customer",
    )
    return order, lambda: bench.returns.decide_return(ask)


async def close_order(bench: Bench) -> tuple[Order, Call]:
    order = tea()
    await bench.at(order, "delivered")
    ask = CloseOrder(order_id=order.order_id, decision="closed", reason="test")
    return order, lambda: bench.records.close_order(ask)


async def tell(bench: Bench) -> tuple[Order, Call]:
    order = tea()
    await bench.at(order, "confirmed")
    ask = Notice(order_id=order.order_id, effect="refused:1", what="cancel refused", why="test")
    return order, lambda: bench.records.tell(ask)


async def note_attention(bench: Bench) -> tuple[Order, Call]:
    order = tea()
    await bench.at(order, "confirmed")
    ask = Attention(order_id=order.order_id, step="pick", since=BEGAN, reason="overdue")
    return order, lambda: bench.records.note_attention(ask)


async def note_attention_resolved(bench: Bench) -> tuple[Order, Call]:
    order, raised = await note_attention(bench)
    await raised()
    ask = Attention(
        order_id=order.order_id, step="pick", since=BEGAN, reason="overdue", resolution="retry: ok"
    )
    return order, lambda: bench.records.note_attention(ask)


EFFECTS: dict[str, Scene] = {
    "reserve_stock": reserve_stock,
    "reserve_stock that rejects": reserve_nothing,
    "release_stock": release_stock,
    "reserve_again after a short pick": reserve_again_what_was_not_found,
    "reserve_again after a loss": reserve_again_what_was_lost,
    "reassign": reassign,
    "take_out": take_out,
    "authorize_payment": authorize_payment,
    "authorize_payment that is declined": partial(authorize_payment, token=Card.DECLINE),
    "charge_payment": charge_payment,
    "charge_payment that is declined": partial(charge_payment, token=Card.CAPTURE_REFUSED),
    "charge_payment of the whole order": charge_ahead,
    "charge_payment of the whole order that is declined": partial(
        charge_ahead, token=Card.CAPTURE_REFUSED
    ),
    "grant_refund": grant_refund,
    "release_stock of what is paid for": release_what_is_paid_for,
    "reserve_again after a loss that is paid back": give_up_what_was_lost,
    "refund_payment": refund_payment,
    "refund_payment that is declined": partial(refund_payment, token=Card.REFUND_REFUSED),
    "void_payment": void_payment,
    "pick_pack_ship of what is packed": buy_label,
    "pick_pack_ship that is declined": buy_label_to_nowhere,
    "recall": recall,
    "put_back": put_back,
    "void_label": void_label,
    "approve_return": approve_return,
    "decide_return": decide_return,
    "close_order": close_order,
    "tell": tell,
    "note_attention": note_attention,
    "note_attention that resolves": note_attention_resolved,
}


async def answer(call: Awaitable[Any]) -> Any:
    """What the call answers, or how it is declined."""
    try:
        return await call
    except Declined as declined:
        return declined.code


def of(order: Order, answered: Any) -> str:
    """An answer or a row without what is different from order to order."""
    text = str(answered).replace(order.order_id, "web-0")
    return re.sub(r"datetime\.datetime\([^()]*\)", "some time", text.replace(UTC_TEXT, "utc"))


async def picture(bench: Bench, order: Order) -> dict[str, list[str]]:
    """All that is recorded of an order, here and at the companies, without ids and times."""
    queries = {
        "order": "select decision, reason from customer_order where order_id = $1",
        "lines": (
            "select to_jsonb(l) - 'order_no' from order_line l "
            "where order_no = order_no_of($1) order by line_id"
        ),
        "money of lines": (
            "select to_jsonb(m) - 'order_no' from order_line_money m "
            "where order_no = order_no_of($1) order by line_id"
        ),
        "charges": (
            "select charge_id, units, amount_minor, captured_minor from charge "
            "where order_no = order_no_of($1)"
        ),
        "refunds": (
            "select refund_id, kind, units, amount_minor, issued_minor from refund "
            "where order_no = order_no_of($1)"
        ),
        "documents": (
            "select kind, part_id, amount_minor from document "
            "where order_no = order_no_of($1) order by kind, part_id"
        ),
        "fulfilments": """
            select fulfilment_id, location, state, recalled_from from fulfilment
            where order_no = order_no_of($1) order by 1""",
        "claims": """
            select fulfilment_id, line_id, location, quantity from reservation
            where order_no = order_no_of($1) order by 1, 2""",
        "movements": """
            select effect, sku, location, kind, on_hand_change, allocated_change from movement
            where order_no = order_no_of($1) order by movement_id""",
        "money": (
            "select to_jsonb(m) - 'order_no' from order_money m where order_no = order_no_of($1)"
        ),
        "payments": """
            select payment_key, kind, amount_minor, state, code from payment
            where order_id = $1 order by requested_at""",
        "journal": """
            select effect, account, amount_minor from posting join journal_entry using (entry_id)
            where order_no = order_no_of($1) order by entry_id, account""",
        "story": (
            "select effect, what, why from order_event "
            "where order_no = order_no_of($1) order by event_id"
        ),
        "attention": "select step, resolution from attention where order_no = order_no_of($1)",
        "returns": """
            select return_id, state, line_id, quantity from order_return
            join return_line using (order_no, return_id) where order_no = order_no_of($1)""",
        "parcels": (
            "select fulfilment_id, label, refusal from shipment where order_no = order_no_of($1)"
        ),
        "labels": """
            select fulfilment_id, voided from sandbox.label
            where split_part(fulfilment_id, ':', 1) = $1 order by id""",
        "money calls": """
            select key, kind, amount_minor, code from sandbox.payment_call
            where order_id = $1 order by id""",
    }
    async with bench.pool.acquire() as conn:
        return {
            name: [of(order, tuple(row)) for row in await conn.fetch(query, order.order_id)]
            for name, query in queries.items()
        }


async def done_once(bench: Bench, scene: Scene) -> tuple[str, dict[str, list[str]]]:
    """What a single call answers and leaves behind."""
    order, call = await scene(bench)
    return of(order, await answer(call())), await picture(bench, order)


@pytest.mark.parametrize("name", EFFECTS)
async def test_an_effect_repeated_changes_nothing_and_answers_the_same(
    bench: Bench, name: str
) -> None:
    _, call = await EFFECTS[name](bench)
    first = await answer(call())
    before = await bench.everything()
    for _ in range(2):
        assert await answer(call()) == first
        assert await bench.everything() == before


@pytest.mark.parametrize("name", EFFECTS)
async def test_attempts_of_an_effect_that_overlap_are_one_effect(bench: Bench, name: str) -> None:
    expected, left_behind = await done_once(bench, EFFECTS[name])
    order, call = await EFFECTS[name](bench)
    answers = await asyncio.gather(*(answer(call()) for _ in range(6)))
    assert {of(order, each) for each in answers} == {expected}
    assert await picture(bench, order) == left_behind


@pytest.mark.parametrize("name", EFFECTS)
async def test_an_attempt_that_comes_when_its_order_ended_long_ago_changes_nothing(
    bench: Bench, name: str
) -> None:
    """The order's effects are gone by then: its decision says that it is over.

    A step that says that it waits leaves a row, until the duty comes by.
    """
    order, call = await EFFECTS[name](bench)
    await answer(call())
    await bench.pool.execute(
        "update customer_order set decision = 'closed' "
        "where order_id = $1 and decision in ('received', 'confirmed')",
        order.order_id,
    )
    await EndedOrders(bench.pool, timedelta(0)).forget()
    of_it = "select count(*) from effect where order_no = order_no_of($1)"
    assert await bench.pool.fetchval(of_it, order.order_id) == 0
    before = await bench.everything()
    for _ in range(2):
        with suppress(Conflict, IllegalTransition):
            await answer(call())
        await EndedOrders(bench.pool, timedelta(0)).forget()
        assert await bench.everything() == before


@pytest.mark.parametrize(
    ("name", "stage"),
    [("pick", "picked"), ("pack", "packed"), ("handover", "shipped"), ("scan", "delivered")],
)
async def test_a_fact_that_comes_again_when_its_order_ended_long_ago_changes_nothing(
    bench: Bench, name: str, stage: Any
) -> None:
    order = tea()
    part = await bench.at(order, stage)
    repeats: dict[str, Call] = {
        "pick": lambda: bench.warehouse.pick(part, who="picker"),
        "pack": lambda: bench.warehouse.pack(part, who="packer"),
        "handover": lambda: bench.warehouse.hand_over(part, who="packer"),
        "scan": lambda: bench.scan(part, "delivered"),
    }
    await bench.pool.execute(
        "update customer_order set decision = 'closed' where order_id = $1", order.order_id
    )
    await EndedOrders(bench.pool, timedelta(0)).forget()
    before = await bench.everything()
    with suppress(Conflict, IllegalTransition):
        await repeats[name]()
    assert await bench.everything() == before


async def test_the_effects_of_an_order_stay_until_it_has_ended_and_for_a_while(
    bench: Bench,
) -> None:
    open_one, ended = tea(), tea()
    await bench.at(open_one, "delivered")
    await bench.at(ended, "delivered")
    ask = CloseOrder(order_id=ended.order_id, decision="closed", reason="")
    await bench.records.close_order(ask)
    kept = "select count(*) from effect where order_no = order_no_of($1)"
    before = [await bench.pool.fetchval(kept, order.order_id) for order in (open_one, ended)]
    await EndedOrders(bench.pool, timedelta(days=1)).forget()
    assert [await bench.pool.fetchval(kept, o.order_id) for o in (open_one, ended)] == before
    assert min(before) > 3
    await EndedOrders(bench.pool, timedelta(0)).forget()
    assert await bench.pool.fetchval(kept, open_one.order_id) == before[0]
    assert await bench.pool.fetchval(kept, ended.order_id) == 0


async def test_a_step_that_says_too_late_that_it_waits_leaves_no_row_behind(bench: Bench) -> None:
    order = tea()
    part = await bench.at(order, "delivered")
    await bench.records.close_order(
        CloseOrder(order_id=order.order_id, decision="closed", reason="")
    )
    async with bench.pool.acquire() as conn:
        await waits.begin(conn, f"await_delivery:{part}", order_id=order.order_id)
    left = "select count(*) from wait_report where order_no = order_no_of($1)"
    assert await bench.pool.fetchval(left, order.order_id) == 1
    await EndedOrders(bench.pool).forget()
    assert await bench.pool.fetchval(left, order.order_id) == 0


COMPANY_CALLS: dict[str, tuple[str, str, Scene]] = {
    "authorize_payment": ("payment", "authorize", authorize_payment),
    "authorize_payment that is declined": (
        "payment",
        "authorize",
        partial(authorize_payment, token=Card.DECLINE),
    ),
    "charge_payment": ("payment", "capture", charge_payment),
    "refund_payment": ("payment", "refund", refund_payment),
    "void_payment": ("payment", "void", void_payment),
    "pick_pack_ship of what is packed": ("carrier", "buy_label", buy_label),
    "pick_pack_ship that is declined": ("carrier", "buy_label", buy_label_to_nowhere),
    "void_label": ("carrier", "void_label", void_label),
}


@pytest.mark.parametrize("fault", FaultKind)
@pytest.mark.parametrize("name", COMPANY_CALLS)
async def test_s11_a_call_that_failed_or_lost_its_answer_is_one_effect_in_the_end(
    bench: Bench, name: str, fault: FaultKind
) -> None:
    company, operation, scene = COMPANY_CALLS[name]
    expected, left_behind = await done_once(bench, scene)
    order, call = await scene(bench)
    async with bench.pool.acquire() as conn:
        await companies.set_fault(conn, company, operation, fault, 1.0, remaining=2)
        # A payment whose answer is lost is looked up at once, and by the next attempt.
        lost = 2 if company == "payment" else 1
        await companies.set_fault(
            conn, company, "lookup", FaultKind.UNAVAILABLE, 1.0, remaining=lost
        )
    failures = 0
    while True:
        try:
            answered = await answer(call())
            break
        except OutcomeUnknown:
            failures += 1
            assert failures <= 3
    assert failures >= 2
    assert of(order, answered) == expected
    assert await picture(bench, order) == left_behind


class WorkerDied(BaseException):
    """Nothing after this point ran."""


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("name", COMPANY_CALLS)
async def test_s32_a_worker_that_dies_around_the_companys_call_leaves_one_effect(
    bench: Bench, name: str, when: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    company, operation, scene = COMPANY_CALLS[name]
    expected, left_behind = await done_once(bench, scene)
    order, call = await scene(bench)
    provider = bench.payment if company == "payment" else bench.carrier
    real = getattr(provider, operation)

    async def dying(**content: Any) -> Any:
        if when == "after":
            await answer(real(**content))
        raise WorkerDied

    with monkeypatch.context() as patch:
        patch.setattr(provider, operation, dying)
        with pytest.raises(WorkerDied):
            await call()
    assert of(order, await answer(call())) == expected
    assert await picture(bench, order) == left_behind


async def test_stock_and_money_add_up_after_all_of_it(bench: Bench) -> None:
    faults = await faults_in(bench.pool)
    broken = {fault.split(":", maxsplit=1)[0]: fault for fault in faults}
    assert not {
        rule: broken[rule]
        for rule in broken.keys()
        & {
            "stock is the sum of its movements",
            "what was taken and kept is what the units are worth",
            "no more is paid back than was charged",
            "the journal says what was paid",
        }
    }


# Other content under the same name ---------------------------------------------------------------


async def test_s29_a_label_asked_for_again_with_another_service_is_a_conflict(
    bench: Bench,
) -> None:
    part = await bench.at(tea(), "packed")
    await bench.send(part)
    async with bench.pool.acquire() as conn, conn.transaction():
        await conn.execute("update fulfilment set state = 'packed' where fulfilment_id = $1", part)
        await conn.execute(
            "update customer_order set "
            """document = jsonb_set(document, '{shipping, service}', '"express"')"""
        )
    with pytest.raises(Conflict, match="with service standard; a parcel has one label"):
        await bench.send(part)
    bought = "select count(*) from sandbox.label where fulfilment_id = $1"
    assert await bench.count(bought, part) == 1


async def test_a_step_that_needs_a_person_before_the_order_is_on_record_is_no_fault(
    bench: Bench,
) -> None:
    ask = Attention(order_id="web-0", step="reserve_stock web-0", since=BEGAN, reason="away")
    before = await bench.everything()
    await bench.records.note_attention(ask)
    await bench.records.note_attention(ask.model_copy(update={"resolution": "retry: back"}))
    assert await bench.everything() == before


# Undo --------------------------------------------------------------------------------------------


async def test_a_label_that_the_carrier_refused_needs_no_voiding(
    bench: Bench,
) -> None:
    order, call = await buy_label_to_nowhere(bench)
    part = f"{order.order_id}:1"
    async with bench.pool.acquire() as conn:
        await companies.set_fault(
            conn, "carrier", "buy_label", FaultKind.TIMEOUT_AFTER, 1.0, remaining=1
        )
    with pytest.raises(OutcomeUnknown):
        await call()
    assert (await bench.parcel(part)).label == "requested"  # refused, but nobody here knows
    await bench.fulfilment.recall(a_part(part))
    await bench.fulfilment.void_label(a_part(part))
    assert (await bench.parcel(part)).label == "voided"


@pytest.mark.parametrize("undo", ["put_back", "void_label"])
async def test_an_undo_of_what_never_happened_does_nothing(bench: Bench, undo: str) -> None:
    order = tea()
    part = await bench.at(order, "confirmed")
    await bench.fulfilment.recall(a_part(part))
    labels_and_lines = ("labels", "lines", "movements", "parcels")
    before = await picture(bench, order)
    await getattr(bench.fulfilment, undo)(a_part(part))
    after = await picture(bench, order)
    assert [after[name] for name in labels_and_lines] == [before[name] for name in labels_and_lines]


async def test_a_void_of_an_authorization_whose_answer_was_lost_releases_it(bench: Bench) -> None:
    order, call = await authorize_payment(bench)
    async with bench.pool.acquire() as conn:
        await companies.set_fault(
            conn, "payment", "authorize", FaultKind.TIMEOUT_AFTER, 1.0, remaining=1
        )
        await companies.set_fault(
            conn, "payment", "lookup", FaultKind.UNAVAILABLE, 1.0, remaining=1
        )
    with pytest.raises(OutcomeUnknown):
        await call()
    await bench.authorizations.void_payment(Void(order_id=order.order_id, why="given up"))
    kinds = [done.kind for done in await bench.payment.operations(order.order_id)]
    assert kinds == ["authorize", "void"]
    # An attempt that was still under way comes back late: the order is not confirmed by it.
    before = await bench.everything()
    with pytest.raises(IllegalTransition, match="is being undone: nothing is authorized"):
        await call()
    assert await bench.everything() == before
    assert (await picture(bench, order))["order"] == ["('received', None)"]


async def test_an_attempt_that_dies_before_it_records_and_confirms_is_finished_by_the_next(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    order, call = await authorize_payment(bench)
    with monkeypatch.context() as dying:
        dying.setattr("store.payments.authorizations.made", die)
        with pytest.raises(Died):
            await call()
    assert [done.kind for done in await bench.payment.operations(order.order_id)] == ["authorize"]
    assert (await picture(bench, order))["order"] == ["('received', None)"]
    await call()
    assert [done.kind for done in await bench.payment.operations(order.order_id)] == ["authorize"]
    assert (await picture(bench, order))["order"] == ["('confirmed', None)"]


class Died(Exception):
    """The worker was killed here."""


async def die(*_: Any, **__: Any) -> None:
    raise Died


async def test_a_void_of_an_authorization_that_never_arrived_gives_it_up_for_good(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    order, call = await authorize_payment(bench)
    real = bench.payment.authorize
    arrived = asyncio.Event()
    let_go = asyncio.Event()

    async def slow(**content: Any) -> Any:
        arrived.set()
        await let_go.wait()
        return await real(**content)

    monkeypatch.setattr(bench.payment, "authorize", slow)
    late = asyncio.ensure_future(answer(call()))
    await arrived.wait()
    await bench.authorizations.void_payment(Void(order_id=order.order_id, why="given up"))
    let_go.set()
    assert await late == "not_found"
    # The late authorization was released at once, and the order holds no money anywhere.
    kinds = [done.kind for done in await bench.payment.operations(order.order_id)]
    assert kinds == ["authorize", "void"]
    assert (await picture(bench, order))["order"] == ["('received', None)"]
    held = "select count(*) from sandbox.payment where order_id = $1 and not voided"
    assert await bench.count(held, order.order_id) == 0
