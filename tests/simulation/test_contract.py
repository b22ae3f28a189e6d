"""The fakes answer as the real activities do, in all that an order's workflow depends on.

Each test runs on both worlds. A fake that drifts from its activity, or the other way, fails here.
Every activity is asked twice: the answer, and what it leaves behind, must be the same.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any, TypeVar
from uuid import uuid4

import pytest

from activities.aftersales.returns import ApproveReturn, DecideReturn, ReturnPart
from activities.fulfilment.contracts import Look, Part
from activities.fulfilment.delivery import LastScan
from activities.orders.holds import ChangeHolds
from activities.orders.order_records import (
    Attention,
    CloseOrder,
    Ended,
    Hold,
    Late,
    Notice,
    ReadState,
)
from activities.payments.contracts import Charged, GrantRefund, Refund, Void
from activities.stock.backorders import AwaitStock, FillBackorder, WaitLonger
from activities.stock.contracts import Reassign, Released, ReleaseStock, ReserveAgain, TakeOut
from domain import ids
from domain.orders.amounts import value_lines, worth_of
from domain.orders.hold_messages import HoldRequest, RejectRequest, ReleaseRequest
from domain.orders.messages import LineRequest
from domain.orders.order import Order
from domain.orders.policy import Policy
from domain.orders.price_match_messages import PriceMatchRequest
from domain.stock.reservations import Reserved, ReserveStock
from tests.simulation.both_worlds import WAITS, InMemory, No, OnPostgres, Sums, World
from tests.support.bench import Bench, authorizing, charging, granting, securing, sending
from tests.support.builders import an_order, terms_of

Test = TypeVar("Test", bound=Callable[..., Any])

HOUR = timedelta(hours=1)
SINCE = datetime(2026, 11, 28, 9, tzinfo=UTC)


@pytest.fixture(params=["in memory", "on PostgreSQL"])
def world(request: pytest.FixtureRequest) -> World:
    company = getattr(request.function, "company", {})
    if request.param == "in memory":
        return InMemory(**company)
    return OnPostgres(Bench(request.getfixturevalue("pool")), **company)


async def stage(world: World, part: str) -> str:
    """The state that a fulfilment has come to."""
    found = await world.do("stages", Look(fulfilment_ids=(part,)))
    state: str = found.stages[part].state
    return state


async def told(world: World, part: str) -> Any:
    """What was told last to whoever waits for a fulfilment."""
    return await world.reported(ids.sending_id(part))


def company(**options: Any) -> Callable[[Test], Test]:
    """The payment company of a test: how often it takes a charge, and how long it holds."""

    def mark(test: Test) -> Test:
        vars(test)["company"] = options
        return test

    return mark


async def twice(world: World, name: str, ask: Any) -> Any:
    """The activity's answer, which a second attempt must give as well."""
    first = await world.do(name, ask)
    again = await world.do(name, ask)
    assert again == first, f"{name} answers {first}, and then {again}"
    return first


async def reserved(world: World, order: Order, **wishes: Any) -> Reserved:
    await world.on_record(order, Policy(**wishes))
    found: Reserved = await twice(world, "reserve_stock", ReserveStock(order_id=order.order_id))
    return found


async def confirmed(world: World, order: Order, units: int = 9) -> str:
    """Reserved and paid. Returns its first fulfilment's id."""
    for line in order.lines:
        await world.stocked(line.sku, units)
    planned = (await reserved(world, order)).fulfilments
    assert await twice(world, "authorize_payment", authorizing(order)) is None
    return planned[0].fulfilment_id


async def left(
    world: World,
    order: Order,
    part: str,
    *,
    picked: bool = False,
) -> str:
    """Picked, packed, and handed over to the carrier. Returns its id."""
    if not picked:
        await world.pick(part)
    await world.pack(part)
    assert await world.do("pick_pack_ship", sending(part)) == WAITS
    await world.hand_over(part)
    return part


async def short(world: World, order: Order, part: str, missing: dict[str, int]) -> None:
    """These are not found; others are reserved in another fulfilment for them."""
    await world.pick(part, missing)
    again = ReserveAgain(
        order_id=order.order_id,
        fulfilment_id=part,
        units=missing,
        source="open",
        replace=True,
        reason="not found",
    )
    assert (await twice(world, "reserve_again", again)).fulfilments


async def sent(world: World, order: Order) -> str:
    """Handed over to the carrier, and charged."""
    part = await left(world, order, await confirmed(world, order))
    assert await twice(world, "charge_payment", charging(part)) == Charged()
    return part


async def owed(world: World, order: Order, request_id: str = "r1", **wishes: Any) -> Refund:
    """A refund that somebody asked for is granted. Returns how it is paid back."""
    answer = await twice(world, "grant_refund", granting(order, request_id, **wishes))
    assert answer.granted is not None, answer.refused
    return Refund(refund_id=answer.granted.refund_id)


async def approved(
    world: World, order: Order, wanted: dict[str, int], request_id: str = "r1"
) -> str:
    """The customer may send these back. Returns the return's id."""
    ask = ApproveReturn(
        order_id=order.order_id, request_id=request_id, units=wanted, reason="no", who="test"
    )
    return_id: str = (await twice(world, "approve_return", ask)).return_id
    return return_id


async def expected_back(world: World, order: Order, part: str) -> str:
    """The carrier brings a parcel of three units back. Returns the return's id."""
    ask = ApproveReturn(
        order_id=order.order_id,
        request_id=part,
        kind="undeliverable",
        fulfilment_id=part,
        units={"1": 3},
        reason="no",
        who="test",
    )
    return_id: str = (await twice(world, "approve_return", ask)).return_id
    return return_id


def units(count: int) -> dict[str, Any]:
    """The wish to be paid back for so many units of the first line, with their shipping."""
    return {"lines": (LineRequest(line_id="1", quantity=count),), "shipping": True}


def worth(order: Order, count: int) -> int:
    """The worth of the first units of the first line."""
    return worth_of(value_lines(order), {"1": count}).total


def units_of(order: Order) -> dict[str, int]:
    return {line.line_id: line.quantity for line in order.lines}


def again(order: Order, part: str, **wishes: Any) -> ReserveAgain:
    usual: dict[str, Any] = {
        "units": {"1": 1},
        "source": "open",
        "replace": True,
        "backorder": True,
        "avoid": "main",
    }
    return ReserveAgain(
        order_id=order.order_id, fulfilment_id=part, reason="test", **usual | wishes
    )


# Stock --------------------------------------------------------------------------------------------


async def test_what_is_there_is_claimed_in_one_fulfilment(world: World) -> None:
    order = an_order(("TEA", 2), ("CUP", 1))
    await world.stocked("TEA", 5)
    await world.stocked("CUP", 5)
    found = await reserved(world, order)
    assert [(p.fulfilment_id, p.location, p.units) for p in found.fulfilments] == [
        (f"{order.order_id}:1", "main", {"1": 2, "2": 1})
    ]
    assert (found.backordered, found.missing) == ({}, {})
    assert await world.shelf("TEA") == (5, 2)


async def test_the_first_step_and_a_later_run_learn_the_same_terms(world: World) -> None:
    tender = {"provider": "store_credit", "token": "CR-1", "amount": "2.50"}
    order = an_order(("TEA", 3, "3.33"), ("CUP", 1), discount="0.05", tenders=[tender])
    await world.stocked("TEA", 5)
    await world.on_record(order, Policy())
    answer = await world.do("reserve_stock", ReserveStock(order_id=order.order_id))
    assert answer.terms == terms_of(order)
    state = await world.do("read_state", ReadState(order_id=order.order_id))
    assert state.terms == terms_of(order)
    assert terms_of(order).total_minor == order.total_minor


async def test_what_is_not_there_is_waited_for_where_it_may_be(world: World) -> None:
    order = an_order(("TEA", 3), ("CUP", 3))
    await world.stocked("TEA", 1)
    await world.stocked("CUP", 1)
    await world.backorderable("TEA")
    found = await reserved(world, order)
    assert (found.backordered, found.missing) == ({"1": 2}, {"2": 2})


async def test_nothing_is_claimed_where_it_is_all_or_nothing(world: World) -> None:
    order = an_order(("TEA", 3))
    await world.stocked("TEA", 1)
    found = await reserved(world, order, partly_available="all_or_nothing")
    assert (found.fulfilments, found.backordered) == ((), {})
    assert await world.shelf("TEA") == (1, 0)


async def test_released_units_are_free_again_once(world: World) -> None:
    order = an_order(("TEA", 3))
    part = await confirmed(world, order)
    ask = ReleaseStock(
        order_id=order.order_id,
        effect="release",
        units={part: {"1": 3}},
        what="cancelled",
        why="test",
    )
    await twice(world, "recall", Part(fulfilment_id=part))
    assert await twice(world, "release_stock", ask) == Released()
    assert await world.shelf("TEA") == (9, 0)


async def test_a_late_attempt_neither_closes_nor_opens_what_was_opened_or_closed_since(
    world: World,
) -> None:
    order = an_order(("TEA", 3))
    await confirmed(world, order)
    first, second = (Late(order_id=order.order_id, opening=name) for name in ("a", "b"))
    await world.do("reopen_order", first)
    assert not await world.reopened(order), "it is not closed"
    await world.do("close_order", CloseOrder(order_id=order.order_id, decision="closed"))
    for late, call, opened in (
        (first, "reopen_order", True),
        (second, "reopen_order", True),
        (first, "close_again", True),
        (second, "close_again", False),
        (first, "reopen_order", False),
    ):
        await twice(world, call, late)
        assert await world.reopened(order) is opened, (late, call)


async def test_an_order_that_was_confirmed_meanwhile_is_not_undone(world: World) -> None:
    order = an_order(("TEA", 3))
    part = await confirmed(world, order)
    ask = ReleaseStock(
        order_id=order.order_id,
        effect="release_stock",
        units={part: {"1": 3}},
        decision="cancelled",
        what="cancelled",
        why="given up",
    )
    assert await twice(world, "release_stock", ask) == Released(confirmed=True)
    assert await world.shelf("TEA") == (9, 3)


async def test_what_was_not_found_is_taken_from_another_location(world: World) -> None:
    order = an_order(("TEA", 3))
    part = await confirmed(world, order)
    await world.goods_come("TEA", 5, "outlet")
    await world.pick(part, {"1": 1})
    found = await twice(world, "reserve_again", again(order, part))
    assert [(p.fulfilment_id, p.location, p.units) for p in found.fulfilments] == [
        (f"{order.order_id}:2", "outlet", {"1": 1})
    ]
    assert found.missing == {}


async def test_what_is_not_to_be_replaced_is_missing(world: World) -> None:
    order = an_order(("TEA", 3))
    part = await confirmed(world, order)
    await world.pick(part, {"1": 1})
    found = await twice(world, "reserve_again", again(order, part, replace=False))
    assert (found.fulfilments, found.backordered, found.missing) == ((), {}, {"1": 1})


async def test_lost_units_are_replaced_from_the_same_shelf(world: World) -> None:
    order = an_order(("TEA", 3))
    part = await sent(world, order)
    ask = again(order, part, source="shipped", units={"1": 3}, avoid=None)
    found = await twice(world, "reserve_again", ask)
    assert [(p.location, p.units) for p in found.fulfilments] == [("main", {"1": 3})]
    assert await world.shelf("TEA") == (6, 3)


async def test_what_stays_wanted_of_a_recalled_one_goes_on_in_another(world: World) -> None:
    order = an_order(("TEA", 3))
    part = await confirmed(world, order)
    await world.do("recall", Part(fulfilment_id=part))
    to = f"{order.order_id}:2"
    ask = Reassign(fulfilment_id=part, units={"1": 2})
    planned = await twice(world, "reassign", ask)
    assert (planned.fulfilment_id, planned.location, planned.units) == (to, "main", {"1": 2})
    assert await world.shelf("TEA") == (9, 3), "the claim of the third is given back by a release"
    await world.pick(to)


async def test_what_was_waited_for_is_filled_as_it_comes(world: World) -> None:
    order = an_order(("TEA", 3))
    await world.stocked("TEA", 1)
    await world.backorderable("TEA")
    assert (await reserved(world, order)).backordered == {"1": 2}
    await world.do("authorize_payment", authorizing(order))
    wait = AwaitStock(order_id=order.order_id, round=1)
    assert await world.do("await_stock", wait) == WAITS
    await world.goods_come("TEA", 1)
    assert await world.do("await_stock", wait) != WAITS
    fill = FillBackorder(order_id=order.order_id, round=1, units={"1": 2})
    filled = await twice(world, "fill_backorder", fill)
    assert [(p.fulfilment_id, p.units) for p in filled.fulfilments] == [
        (f"{order.order_id}:2", {"1": 1})
    ]
    assert filled.backordered == {"1": 1}
    assert await world.do("await_stock", wait.model_copy(update={"round": 2})) == WAITS
    assert await twice(world, "join_backorders", wait.model_copy(update={"round": 2})) is None


async def test_what_is_not_on_sale_yet_waits_for_its_first_day_though_it_is_there(
    world: World,
) -> None:
    order = an_order(("TEA", 3))
    await world.stocked("TEA", 9)
    day = datetime.now(UTC).date() + timedelta(days=400)
    await world.on_sale_from("TEA", day)
    assert (await reserved(world, order)).backordered == {"1": 3}
    await world.do("authorize_payment", authorizing(order))
    wait = AwaitStock(order_id=order.order_id, round=1)
    assert await world.do("await_stock", wait) == WAITS
    told = await twice(world, "before_giving_up", wait)
    begins = datetime(day.year, day.month, day.day, tzinfo=UTC)
    assert told.lines == {"1": begins}
    longer = WaitLonger(order_id=order.order_id, since=told.lines)
    assert await twice(world, "wait_longer", longer) is None
    state = await world.do("read_state", ReadState(order_id=order.order_id))
    assert state.waits_since == begins
    await world.goods_come("TEA", 1)
    assert await world.do("await_stock", wait) == WAITS
    # It is on sale at once, and nobody has noticed: the order is given it before it is given up.
    await world.on_sale_from("TEA", date(2020, 1, 1))
    await twice(world, "before_giving_up", wait)
    assert await world.do("await_stock", wait) != WAITS


# The warehouse and the carrier --------------------------------------------------------------------


async def test_a_full_pick_and_the_packing_end_no_wait(world: World) -> None:
    order = an_order(("TEA", 3))
    part = await confirmed(world, order)
    ask = sending(part)
    assert await twice(world, "pick_pack_ship", ask) == WAITS
    await world.pick(part)
    assert await twice(world, "pick_pack_ship", ask) == WAITS
    await world.pack(part)
    assert await twice(world, "pick_pack_ship", ask) == WAITS
    assert await stage(world, part) == "labelled"


async def test_a_short_pick_is_told_until_the_order_knows_of_it(world: World) -> None:
    order = an_order(("TEA", 3))
    part = await confirmed(world, order)
    await world.pick(part, {"1": 1})
    sent = await twice(world, "pick_pack_ship", sending(part))
    assert (sent.outcome, sent.missing, sent.why) == ("short", {"1": 1}, "")
    assert await world.shelf("TEA") == (8, 2)
    ask = sending(part)
    gone = ReserveAgain(
        order_id=order.order_id,
        fulfilment_id=part,
        units={"1": 1},
        source="open",
        replace=False,
        reason="not found",
    )
    await twice(world, "reserve_again", gone)
    assert await twice(world, "pick_pack_ship", ask) == WAITS
    await world.pack(part)
    assert await twice(world, "pick_pack_ship", ask) == WAITS
    await world.hand_over(part)
    sent = await twice(world, "pick_pack_ship", ask)
    assert (sent.outcome, sent.units) == ("shipped", {"1": 2})


async def test_where_nothing_was_found_nothing_is_left_to_send(world: World) -> None:
    order = an_order(("TEA", 3))
    part = await confirmed(world, order)
    await world.pick(part, {"1": 3})
    sent = await twice(world, "pick_pack_ship", sending(part))
    assert (sent.outcome, sent.missing) == ("short", {"1": 3})


async def test_a_location_that_refuses_keeps_its_goods(world: World) -> None:
    order = an_order(("TEA", 3))
    part = await confirmed(world, order)
    await world.refuse(part)
    sent = await twice(world, "pick_pack_ship", sending(part))
    assert (sent.outcome, sent.missing, sent.why) == ("refused", {"1": 3}, "too heavy")
    assert await world.shelf("TEA") == (9, 0)
    assert (await twice(world, "recall", Part(fulfilment_id=part))).caught is None


async def test_what_is_late_is_told_when_it_goes_on(world: World) -> None:
    order = an_order(("TEA", 3))
    part = await confirmed(world, order)
    look = Look(fulfilment_ids=(part,), within={"picking": timedelta(0)})
    found = (await world.do("stages", look)).stages[part]
    assert (found.state, found.lasted >= timedelta(0)) == ("picking", True)
    await world.pick(part)
    assert await told(world, part) == {"outcome": "goes_on", "state": "picked"}
    await world.pack(part)
    assert await told(world, part) == {"outcome": "goes_on", "state": "picked"}, "it is not late"


# Nothing leaves unpaid ----------------------------------------------------------------------------


@company(holds_for=timedelta(days=7))
async def test_a_packed_parcel_gets_its_label_only_while_its_money_holds(world: World) -> None:
    order = an_order(("TEA", 3))
    part = await confirmed(world, order)
    await world.days_pass(5)
    await world.pick(part)
    await world.pack(part)
    ask = sending(part, lasting=timedelta(days=3))
    assert (await twice(world, "pick_pack_ship", ask)).outcome == "unpaid"
    assert await stage(world, part) == "packed"
    sooner = ask.model_copy(update={"lasting": timedelta(days=1)})
    assert await twice(world, "pick_pack_ship", sooner) == WAITS
    assert await stage(world, part) == "labelled"


@company(holds_for=timedelta(days=7))
async def test_an_authorization_made_again_is_good_enough_however_short_it_lasts(
    world: World,
) -> None:
    order = an_order(("TEA", 3))
    part = await confirmed(world, order)
    await world.days_pass(6)
    await world.pick(part)
    await world.pack(part)
    lasting, spare = timedelta(days=30), timedelta(hours=36)
    ask = sending(part, lasting=lasting, renew_before=spare)
    assert (await twice(world, "pick_pack_ship", ask)).outcome == "unpaid"
    renew = securing(order, part, world.now() + lasting, spare=spare)
    assert await twice(world, "authorize_payment", renew) is None
    assert await twice(world, "pick_pack_ship", ask) == WAITS


async def test_what_is_not_authorized_any_more_is_not_paid(world: World) -> None:
    order = an_order(("TEA", 3))
    part = await confirmed(world, order)
    await world.pick(part)
    await world.pack(part)
    await world.do("void_payment", Void(order_id=order.order_id, why="test"))
    ask = sending(part)
    assert (await twice(world, "pick_pack_ship", ask)).outcome == "unpaid"


async def test_a_parcel_in_place_of_a_lost_one_needs_no_authorization(world: World) -> None:
    order = an_order(("TEA", 3))
    part = await sent(world, order)
    await world.arrive(part, "lost")
    lost = again(order, part, units={"1": 3}, source="shipped", avoid=None)
    replaced = await twice(world, "reserve_again", lost)
    assert replaced.refund is None
    (planned,) = replaced.fulfilments
    await left(world, order, planned.fulfilment_id)
    shipped = await twice(world, "pick_pack_ship", sending(planned.fulfilment_id))
    assert (shipped.outcome, shipped.due_minor) == ("shipped", 0), "it is paid for"


async def test_an_order_that_is_charged_ahead_is_sent_when_it_is_charged(world: World) -> None:
    order = an_order(("TEA", 3))
    part = await confirmed(world, order)
    await world.pick(part)
    await world.pack(part)
    ask = sending(part, ahead=True)
    assert (await twice(world, "pick_pack_ship", ask)).outcome == "unpaid"
    assert await twice(world, "charge_payment", charging(f"{order.order_id}:prepaid")) == Charged()
    assert await twice(world, "pick_pack_ship", ask) == WAITS
    await world.hand_over(part)
    shipped = await twice(world, "pick_pack_ship", ask)
    assert (shipped.outcome, shipped.due_minor) == ("shipped", 0)
    assert await world.invoiced(order) == {part: {"1": 3}}


@pytest.mark.parametrize("outcome", ["delivered", "undeliverable"])
async def test_a_parcel_goes_its_way_and_each_step_waits_for_its_report(
    world: World, outcome: str
) -> None:
    order = an_order(("TEA", 3))
    part = await confirmed(world, order)
    ask, send = Part(fulfilment_id=part), sending(part)
    await world.pick(part)
    await world.pack(part)
    assert await twice(world, "pick_pack_ship", send) == WAITS
    await world.hand_over(part)
    shipped = await twice(world, "pick_pack_ship", send)
    assert (shipped.outcome, shipped.units) == ("shipped", {"1": 3})
    assert shipped.due_minor == 3500, "what is to be charged is told with it"
    assert await world.invoiced(order) == {part: {"1": 3}}
    assert await world.shelf("TEA") == (6, 0)
    assert await twice(world, "await_delivery", ask) == WAITS
    assert isinstance(await twice(world, "last_scan", ask), LastScan)
    await world.arrive(part, outcome)
    delivered = await twice(world, "await_delivery", ask)
    assert (delivered.outcome, delivered.units) == (outcome, {"1": 3})


@pytest.mark.parametrize("stage", ["picking", "picked", "packed", "labelled", "shipped"])
async def test_a_fulfilment_can_be_stopped_until_it_is_handed_over(
    world: World, stage: str
) -> None:
    order = an_order(("TEA", 3))
    part = await confirmed(world, order)
    ask = Part(fulfilment_id=part)
    if stage != "picking":
        await world.pick(part)
    if stage in ("packed", "labelled", "shipped"):
        await world.pack(part)
    if stage in ("labelled", "shipped"):
        await world.do("pick_pack_ship", sending(part))
    if stage == "shipped":
        await world.hand_over(part)
    stopped = await twice(world, "recall", ask)
    assert stopped.caught == (None if stage == "shipped" else stage)
    if stage == "shipped":
        return
    assert (stopped.units, stopped.labelled) == ({"1": 3}, stage == "labelled")
    assert await told(world, part) == {"outcome": "recalled"}
    assert (await twice(world, "pick_pack_ship", sending(part))).outcome == "recalled"
    assert await twice(world, "void_label", ask) is None
    assert await twice(world, "put_back", ask) is None
    assert await world.shelf("TEA") == (9, 3), "its claim stands until it is released"


def less(order: Order, part: str, units: dict[str, int], **wishes: Any) -> TakeOut:
    """Units of a part are cancelled."""
    content = {"effect": f"cancel:r1:{part}:0", "what": "cancelled", "why": "less", **wishes}
    return TakeOut(order_id=order.order_id, fulfilment_id=part, units=units, **content)


@pytest.mark.parametrize("keeps_label", [False, True])
@pytest.mark.parametrize("state", ["picking", "picked", "packed", "labelled"])
async def test_units_are_taken_out_in_place_and_the_rest_leaves_under_the_same_number(
    world: World, state: str, keeps_label: bool
) -> None:
    order = an_order(("TEA", 3))
    part = await confirmed(world, order)
    ask, send = less(order, part, {"1": 1}, keeps_label=keeps_label), sending(part)
    if state != "picking":
        await world.pick(part)
    if state in ("packed", "labelled"):
        await world.pack(part)
    if state == "labelled":
        assert await world.do("pick_pack_ship", send) == WAITS
    unused = state == "labelled" and not keeps_label
    taken = await twice(world, "take_out", ask)
    assert (taken.outcome, taken.units, taken.refund) == ("taken", {"1": 1}, None)
    assert taken.label_unused == unused
    assert await world.shelf("TEA") == (9, 2), "it is free at once"
    assert await stage(world, part) == ("picking" if state == "picking" else "picked")
    assert await twice(world, "pick_pack_ship", send) == WAITS, "its wait goes on"
    if unused:
        assert await twice(world, "void_label", Part(fulfilment_id=part)) is None
    if state == "picking":
        await world.pick(part)
    else:
        await world.put_back(f"{part}:P1")
    await world.pack(part)
    assert await twice(world, "pick_pack_ship", send) == WAITS
    assert await stage(world, part) == "labelled"
    await world.hand_over(part)
    shipped = await twice(world, "pick_pack_ship", send)
    assert (shipped.outcome, shipped.units) == ("shipped", {"1": 2})
    assert shipped.due_minor == worth(order, 2)
    assert await world.invoiced(order) == {part: {"1": 2}}
    gone = less(order, part, {"1": 1}, effect=f"cancel:r2:{part}:0")
    assert (await twice(world, "take_out", gone)).outcome == "gone"


async def test_all_that_it_claims_is_not_taken_out_but_stopped(world: World) -> None:
    order = an_order(("TEA", 3))
    part = await confirmed(world, order)
    assert (await twice(world, "take_out", less(order, part, {"1": 3}))).outcome == "recall"
    await world.pick(part, {"1": 1})
    # The order does not know yet that one is missing.
    assert (await twice(world, "take_out", less(order, part, {"1": 2}))).outcome == "recall"
    assert (await twice(world, "take_out", less(order, part, {"9": 1}))).outcome == "gone"
    taken = await twice(world, "take_out", less(order, part, {"1": 1}))
    assert taken.units == {"1": 1}
    sent = await twice(world, "pick_pack_ship", sending(part))
    assert (sent.outcome, sent.missing) == ("short", {"1": 1})


async def test_a_return_waits_until_it_is_counted(world: World) -> None:
    order = an_order(("TEA", 3))
    part = await sent(world, order)
    await world.arrive(part, "delivered")
    return_id = await approved(world, order, {"1": 2})
    assert return_id == f"{order.order_id}:R1"
    assert await twice(world, "receive_return", ReturnPart(return_id=return_id)) == WAITS
    await world.count(return_id, {"1": 1})
    received = await twice(world, "receive_return", ReturnPart(return_id=return_id))
    assert received.received == {"1": 1}
    assert await world.shelf("TEA") == (7, 0)
    assert received.refund.refund_id == return_id
    back = worth(order, 3) - worth(order, 2)
    assert received.refund.amount.minor == back, "it is owed with the count"
    assert await twice(world, "refund_payment", Refund(refund_id=return_id)) is None
    assert await world.sums(order) == Sums(3500, back, 0)


async def test_a_return_that_is_paid_back_on_its_way_is_counted_by_another_step(
    world: World,
) -> None:
    order = an_order(("TEA", 3))
    part = await sent(world, order)
    await world.arrive(part, "delivered")
    return_id = await approved(world, order, {"1": 2})
    waits = ReturnPart(return_id=return_id)
    assert await twice(world, "receive_paid_return", waits) == WAITS
    await world.posted(return_id)
    told = await twice(world, "receive_return", waits)
    back = worth(order, 3) - worth(order, 1)
    assert (told.paid_early, told.received, told.refund.amount.minor) == (True, {}, back)
    (under_way,) = (await twice(world, "read_state", ReadState(order_id=order.order_id))).returns
    assert (under_way.return_id, under_way.paid_early) == (return_id, True)
    assert await twice(world, "refund_payment", Refund(refund_id=return_id)) is None
    assert await twice(world, "receive_paid_return", waits) == WAITS
    await world.count(return_id, {"1": 1})
    counted = await twice(world, "receive_paid_return", waits)
    assert (counted.received, counted.refund) == ({"1": 1}, None)
    assert await world.sums(order) == Sums(3500, back, 0)
    # The unit that did not come is not paid back once more when it comes after all.
    late = await approved(world, order, {"1": 2}, "r2")
    await world.count(late, {"1": 2})
    rest = await twice(world, "receive_return", ReturnPart(return_id=late))
    assert rest.refund.amount.minor == worth(order, 1)


async def test_a_return_that_is_given_up_ends_its_wait_and_holds_no_units(world: World) -> None:
    order = an_order(("TEA", 3))
    part = await sent(world, order)
    await world.arrive(part, "delivered")
    return_id = await approved(world, order, {"1": 2})
    ask = DecideReturn(
        order_id=order.order_id,
        request_id="d1",
        return_id=return_id,
        decision="cancel",
        why="kept",
        who="test",
    )
    assert (await twice(world, "decide_return", ask)).refusal is None
    ended = await twice(world, "receive_return", ReturnPart(return_id=return_id))
    assert (ended.received, ended.refund) == ({}, None)
    later = ask.model_copy(update={"request_id": "d2"})
    assert (await twice(world, "decide_return", later)).refusal is not None, "it is over"
    unknown = ask.model_copy(update={"request_id": "d3", "return_id": f"{order.order_id}:R9"})
    assert (await twice(world, "decide_return", unknown)).refusal.reason == "no_open_return"
    assert (await twice(world, "read_state", ReadState(order_id=order.order_id))).returns == ()
    assert await approved(world, order, {"1": 3}, "r2") == f"{order.order_id}:R2"


async def test_what_could_not_be_delivered_is_owed_when_it_is_back(world: World) -> None:
    order = an_order(("TEA", 3))
    part = await sent(world, order)
    await world.arrive(part, "undeliverable")
    return_id = await expected_back(world, order, part)
    await world.count(return_id, {"1": 3})
    received = await twice(world, "receive_return", ReturnPart(return_id=return_id))
    assert received.refund.amount.minor == 3500


async def test_lost_units_that_are_not_sent_again_are_owed(world: World) -> None:
    order = an_order(("TEA", 3))
    part = await sent(world, order)
    await world.arrive(part, "lost")
    ask = again(order, part, units={"1": 3}, source="shipped", replace=False)
    gone = await twice(world, "reserve_again", ask)
    assert (gone.missing, gone.refund.refund_id) == ({"1": 3}, f"{part}:lost")
    assert gone.refund.amount.minor == 3500


async def test_what_is_charged_ahead_and_cancelled_is_owed_once(world: World) -> None:
    order = an_order(("TEA", 3))
    part = await confirmed(world, order)
    await twice(world, "charge_payment", charging(f"{order.order_id}:prepaid"))
    ask = ReleaseStock(
        order_id=order.order_id,
        effect="cancel:r1",
        units={part: {"1": 1}},
        what="cancelled",
        why="test",
    )
    released = await twice(world, "release_stock", ask)
    assert released.refund.amount.minor == worth(order, 3) - worth(order, 2)
    refund = Refund(refund_id=released.refund.refund_id)
    assert await twice(world, "refund_payment", refund) is None
    assert (await world.sums(order)).refunded == released.refund.amount.minor


async def test_what_is_cancelled_before_it_is_charged_is_not_owed(world: World) -> None:
    order = an_order(("TEA", 3))
    part = await confirmed(world, order)
    ask = ReleaseStock(
        order_id=order.order_id,
        effect="cancel:r1",
        units={part: {"1": 3}},
        what="cancelled",
        why="test",
    )
    assert (await twice(world, "release_stock", ask)).refund is None


# Money --------------------------------------------------------------------------------------------


async def test_what_is_authorized_stands_until_it_is_charged_or_released(world: World) -> None:
    order = an_order(("TEA", 3))
    await confirmed(world, order)
    assert await world.sums(order) == Sums(0, 0, 3500)
    assert await twice(world, "void_payment", Void(order_id=order.order_id, why="test")) is None
    assert await world.sums(order) == Sums(0, 0, 0)


@pytest.mark.parametrize(
    ("token", "kind"), [("tok_decline", "declined"), ("tok_action_required", "action_required")]
)
async def test_a_refusal_stands_and_the_next_attempt_is_another(
    world: World, token: str, kind: str
) -> None:
    order = an_order(("TEA", 3), token=token)
    await world.stocked("TEA", 9)
    await reserved(world, order)
    assert await twice(world, "authorize_payment", authorizing(order)) == No(kind)
    second = authorizing(order, attempt=2, token="tok_ok")
    assert await twice(world, "authorize_payment", second) is None
    assert await world.sums(order) == Sums(0, 0, 3500)


async def test_a_charge_is_one_however_often_it_is_tried(world: World) -> None:
    order = an_order(("TEA", 3))
    await sent(world, order)
    assert await world.sums(order) == Sums(3500, 0, 0)


@pytest.mark.parametrize(("renews", "kind"), [(True, "not_authorized"), (False, "refused")])
async def test_more_than_is_authorized_is_not_charged(
    world: World, renews: bool, kind: str
) -> None:
    order = an_order(("TEA", 3))
    part = await left(world, order, await confirmed(world, order))
    await world.do("void_payment", Void(order_id=order.order_id, why="test"))
    assert await twice(world, "charge_payment", charging(part, renews=renews)) == No(kind)
    assert (await world.sums(order)).captured == 0


async def test_a_charge_by_hand_asks_no_company_and_leaves_what_is_authorized(
    world: World,
) -> None:
    order = an_order(("TEA", 3))
    part = await left(world, order, await confirmed(world, order))
    by_hand = charging(part, by_hand="cash")
    assert await twice(world, "charge_payment", by_hand) == Charged(authorized=True)
    assert await world.sums(order) == Sums(3500, 0, 3500)


async def test_a_charge_says_whether_more_stays_authorized(world: World) -> None:
    order = an_order(("TEA", 3))
    part = await confirmed(world, order)
    await short(world, order, part, {"1": 2})
    await left(world, order, part, picked=True)
    assert await twice(world, "charge_payment", charging(part)) == Charged(authorized=True)
    assert await world.sums(order) == Sums(worth(order, 1), 0, 3500 - worth(order, 1))


@company(captures="once")
async def test_where_each_can_be_charged_once_the_first_charge_releases_the_rest(
    world: World,
) -> None:
    order = an_order(("TEA", 3))
    part = await confirmed(world, order)
    await short(world, order, part, {"1": 2})
    await left(world, order, part, picked=True)
    assert await twice(world, "charge_payment", charging(part)) == Charged()
    assert (await world.sums(order)).standing == 0


@company(holds_for=timedelta(days=2))
async def test_an_authorization_that_ends_too_soon_is_made_again(world: World) -> None:
    order = an_order(("TEA", 3))
    part = await confirmed(world, order)
    soon = securing(order, part, world.now() + timedelta(hours=40), spare=HOUR)
    assert await twice(world, "authorize_payment", soon) is None
    assert await world.authorized(order) == [3500]
    # Another one would not last so long either, so this one is kept until its end is near.
    await world.days_pass(1)
    spare = timedelta(days=3)
    late = securing(order, part, world.now() + timedelta(days=3), spare=spare)
    assert await twice(world, "authorize_payment", late) is None
    assert await world.authorized(order) == [3500]
    soon = securing(order, part, world.now() + timedelta(hours=40), spare=HOUR)
    assert await twice(world, "authorize_payment", soon) is None
    assert await world.authorized(order) == [3500, 3500]
    assert (await world.sums(order)).standing == 3500


async def test_what_lacks_is_authorized_besides(world: World) -> None:
    order = an_order(("TEA", 3))
    part = await confirmed(world, order)
    await world.do("void_payment", Void(order_id=order.order_id, why="test"))
    ask = securing(order, part, world.now())
    assert await twice(world, "authorize_payment", ask) is None
    assert (await world.sums(order)).standing == 3500


async def test_what_was_charged_is_paid_back_once(world: World) -> None:
    order = an_order(("TEA", 3))
    await world.arrive(await sent(world, order), "delivered")
    ask = await owed(world, order, **units(1))
    assert await twice(world, "refund_payment", ask) is None
    assert await world.sums(order) == Sums(3500, worth(order, 3) - worth(order, 2), 0)


async def test_two_requests_never_get_the_same_money(world: World) -> None:
    order = an_order(("TEA", 3))
    await world.arrive(await sent(world, order), "delivered")
    await owed(world, order, "r1", **units(2))
    second = await twice(world, "grant_refund", granting(order, "r2", **units(2)))
    assert (second.granted, second.refused.kind) == (None, "refused")
    assert second.refused.reason == "units_not_to_be_paid_back"
    assert second.refused.instead == ("return_items", "cancel_order")
    third = await owed(world, order, "r3", **units(1))
    assert third.refund_id == f"{order.order_id}:G2", "what was refused has no number"


async def test_shipping_and_goodwill_are_owed_within_what_was_charged(world: World) -> None:
    order = an_order(("TEA", 3))
    await world.arrive(await sent(world, order), "delivered")
    free = await owed(world, order, "r1", shipping=True)
    assert await twice(world, "refund_payment", free) is None
    assert (await world.sums(order)).refunded == 500
    twice_free = await twice(world, "grant_refund", granting(order, "r2", shipping=True))
    assert twice_free.refused.kind == "refused"
    assert twice_free.refused.reason == "nothing_to_pay_back"
    too_much = await twice(world, "grant_refund", granting(order, "r3", amount=Decimal("7.01")))
    assert too_much.refused.kind == "refused"
    assert too_much.refused.reason == "goodwill_limit"
    await twice(world, "refund_payment", await owed(world, order, "r4", amount=Decimal("7.00")))
    assert (await world.sums(order)).refunded == 500 + 700


async def test_a_lower_price_is_met_once_and_units_that_come_back_count_for_less(
    world: World,
) -> None:
    order = an_order(("TEA", 3))
    await world.arrive(await sent(world, order), "delivered")

    def meeting(price: str, request_id: str) -> GrantRefund:
        request = PriceMatchRequest(
            line_id="1", unit_price=Decimal(price), evidence="seen elsewhere"
        )
        return GrantRefund(
            order_id=order.order_id, request_id=request_id, request=request, turn=uuid4().hex
        )

    answer = await twice(world, "grant_refund", meeting("9.00", "r1"))
    assert answer.granted.amount.minor == 300
    ask = Refund(refund_id=answer.granted.refund_id)
    assert await twice(world, "refund_payment", ask) is None
    for price, request_id, reason in (
        ("9.50", "r2", "price_not_lower"),
        ("6.99", "r3", "price_match_limit"),
    ):
        refused = (await twice(world, "grant_refund", meeting(price, request_id))).refused
        assert refused.reason == reason
    assert (await world.sums(order)).refunded == 300
    await twice(world, "refund_payment", await owed(world, order, "r4", **units(3)))
    assert await world.sums(order) == Sums(3500, 3500, 0)


async def test_what_was_charged_by_hand_is_paid_back_by_hand(world: World) -> None:
    order = an_order(("TEA", 3))
    part = await left(world, order, await confirmed(world, order))
    await world.do("charge_payment", charging(part, by_hand="cash"))
    await world.arrive(part, "delivered")
    ask = await owed(world, order, **units(1))
    assert await twice(world, "refund_payment", ask) == No("refused")
    assert (await world.sums(order)).refunded == 0
    assert await twice(world, "refund_payment", ask.model_copy(update={"by_hand": "cash"})) is None
    assert (await world.sums(order)).refunded == worth(order, 3) - worth(order, 2)


# The order itself ---------------------------------------------------------------------------------


async def test_what_an_order_says_about_itself_is_said_once(world: World) -> None:
    order = an_order(("TEA", 3))
    await confirmed(world, order)
    order_id = order.order_id
    hold = Hold(order_id=order_id, number=1, note="waits")
    assert await twice(world, "note_hold", hold) is None
    released = hold.model_copy(update={"released": True, "note": ""})
    assert await twice(world, "note_hold", released) is None
    attention = Attention(
        order_id=order_id, step="pick x", since=SINCE, reason="late", allowed=("retry",)
    )
    assert await twice(world, "note_attention", attention) is None
    resolved = attention.model_copy(update={"resolution": "done: by hand"})
    assert await twice(world, "note_attention", resolved) is None
    notice = Notice(order_id=order_id, effect="refused:1", what="cancel refused", why="no")
    assert await twice(world, "tell", notice) is None
    end = CloseOrder(order_id=order_id, decision="cancelled", reason="test")
    assert await twice(world, "close_order", end) == Ended(reason="test")
    later = end.model_copy(update={"reason": "another"})
    assert await twice(world, "close_order", later) == Ended(reason="test"), "the first one stands"


async def test_attention_of_an_order_that_is_not_on_record_yet_is_no_fault(world: World) -> None:
    ask = Attention(order_id="web-none", step="reserve_stock web-none", since=SINCE, reason="late")
    assert await twice(world, "note_attention", ask) is None


# Attempts that come late: the next one was done long before ---------------------------------------


async def test_a_late_attempt_does_not_ask_for_attention_again(world: World) -> None:
    order = an_order(("TEA", 3))
    await confirmed(world, order)
    asks = Attention(
        order_id=order.order_id, step="pick x", since=SINCE, reason="late", allowed=("retry",)
    )
    over = asks.model_copy(update={"resolution": "retry: now"})
    await world.do("note_attention", asks)
    await world.do("note_attention", over)
    await world.do("note_attention", asks)
    assert await world.attention(order) == []
    await world.do("note_attention", asks.model_copy(update={"since": SINCE + HOUR}))
    await world.do("note_attention", over)
    assert await world.attention(order) == ["pick x"], "the second one stands"


async def test_a_late_attempt_does_not_hold_an_order_again(world: World) -> None:
    order = an_order(("TEA", 3))
    await confirmed(world, order)
    hold = Hold(order_id=order.order_id, number=1, note="waits")
    await world.do("note_hold", hold)
    await world.do("note_hold", hold.model_copy(update={"released": True, "note": ""}))
    await world.do("note_hold", hold)
    assert not await world.held(order)


async def test_a_late_attempt_authorizes_nothing_for_what_was_stopped(world: World) -> None:
    order = an_order(("TEA", 3))
    part = await confirmed(world, order)
    await world.do("recall", Part(fulfilment_id=part))
    await world.do("void_payment", Void(order_id=order.order_id, why="test"))
    late = securing(order, part, world.now())
    assert await world.do("authorize_payment", late) is None
    assert (await world.sums(order)).standing == 0


async def test_a_late_attempt_authorizes_nothing_for_an_order_that_is_over(world: World) -> None:
    order = an_order(("TEA", 3))
    await world.stocked("TEA", 9)
    (planned,) = (await reserved(world, order)).fulfilments
    await world.do("void_payment", Void(order_id=order.order_id, why="test"))
    undo = ReleaseStock(
        order_id=order.order_id,
        effect="release",
        units={planned.fulfilment_id: {"1": 3}},
        what="cancelled",
        why="test",
        decision="cancelled",
    )
    await world.do("release_stock", undo)
    assert await world.do("authorize_payment", authorizing(order)) == No("illegal_transition")
    assert (await world.sums(order)).standing == 0


async def test_a_late_attempt_does_not_lead_back_to_an_earlier_round(world: World) -> None:
    order = an_order(("TEA", 3))
    await world.backorderable("TEA")
    await reserved(world, order)
    await world.do("authorize_payment", authorizing(order))
    first = AwaitStock(order_id=order.order_id, round=1)
    second = first.model_copy(update={"round": 2})
    assert await world.do("join_backorders", second) is None
    assert await world.do("join_backorders", first) is None
    await world.goods_come("TEA", 1)
    assert await world.do("await_stock", second) != WAITS


# Holds --------------------------------------------------------------------------------------------


def changing(order: Order, request_id: str, **asked: Any) -> ChangeHolds:
    return ChangeHolds(order_id=order.order_id, request_id=request_id, **asked, turn=uuid4().hex)


HOLD = HoldRequest(reason="fraud_review", note="looks odd")


async def test_a_packed_parcel_of_a_held_order_gets_no_label_and_is_not_late(world: World) -> None:
    order = an_order(("TEA", 3))
    part = await confirmed(world, order)
    await world.pick(part)
    await world.pack(part)
    reading = ReadState(order_id=order.order_id)
    (before,) = (await world.do("read_state", reading)).fulfilments
    placed = await twice(world, "change_holds", changing(order, "h", hold=HOLD))
    assert placed.hold_ids == ("H1",)
    assert [one.hold_id for one in placed.holds] == ["H1"]
    await world.hours_pass(1)
    (held,) = (await world.do("read_state", reading)).fulfilments
    assert held.since > before.since  # it waits for nobody, as if it had just been packed
    assert await twice(world, "pick_pack_ship", sending(part)) == WAITS
    look = Look(fulfilment_ids=(part,), within={"packed": timedelta(0)})
    stood = (await world.do("stages", look)).stages[part]
    assert (stood.state, stood.lasted) == ("packed", timedelta(0))
    released = changing(order, "r", release=ReleaseRequest(note="is sound"))
    ended = await twice(world, "change_holds", released)
    assert (ended.hold_ids, ended.holds) == (("H1",), ())
    assert await twice(world, "pick_pack_ship", sending(part)) == WAITS
    assert await stage(world, part) == "labelled"


async def test_what_cannot_be_done_about_holds_is_refused_with_its_rule(world: World) -> None:
    order = an_order(("TEA", 3))
    part = await confirmed(world, order)
    release = changing(order, "r", release=ReleaseRequest(note="is sound"))
    refused = (await twice(world, "change_holds", release)).refused
    assert (refused.kind, refused.reason) == ("refused", "not_held")
    await world.pick(part)
    await world.pack(part)
    assert await world.do("pick_pack_ship", sending(part)) == WAITS
    await world.hand_over(part)
    refused = (await twice(world, "change_holds", changing(order, "h", hold=HOLD))).refused
    assert (refused.kind, refused.reason) == ("refused", "nothing_to_hold")


async def test_a_rejection_ends_the_holds_when_its_units_are_cancelled(world: World) -> None:
    order = an_order(("TEA", 3))
    await confirmed(world, order)
    await world.do("change_holds", changing(order, "h", hold=HOLD))
    asked = changing(order, "x", reject=RejectRequest(note="is not sound"))
    assert [one.hold_id for one in (await twice(world, "change_holds", asked)).holds] == ["H1"]
    ended = await twice(world, "change_holds", asked.model_copy(update={"ends": True}))
    assert (ended.hold_ids, ended.holds) == (("H1",), ())


async def test_with_an_order_its_holds_end(world: World) -> None:
    order = an_order(("TEA", 3))
    await confirmed(world, order)
    await world.do("change_holds", changing(order, "h", hold=HOLD))
    end = CloseOrder(order_id=order.order_id, decision="cancelled", reason="test")
    await world.do("close_order", end)
    asked = changing(order, "x", reject=RejectRequest(note="late"), ends=True)
    assert (await twice(world, "change_holds", asked)).holds == ()
