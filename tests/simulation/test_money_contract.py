"""The fakes pay, charge and pay back as the real activities do; see test_contract.py.

Here: several tenders, store credit, disputes, authorizations that end, and claims that fall back.
"""

from __future__ import annotations

from datetime import timedelta

from activities.payments.contracts import (
    Authorize,
    Capture,
    MayRefund,
    Reauthorize,
    Refund,
    TenderAsk,
    Void,
)
from activities.stock.backorders import AwaitStock, FillBackorder
from domain.money import Money
from domain.orders.amounts import value_lines, worth_of
from domain.orders.order import Order
from tests.simulation.both_worlds import WAITS, No, Sums, World
from tests.simulation.test_contract import (
    company,
    confirmed,
    refunding,
    reserved,
    sent,
    twice,
    world,
)
from tests.support.bench import authorizing, capturing, sending
from tests.support.builders import an_order

__all__ = ["world"]

BY_CREDIT = 10_00
WHOLE = 35_00
"""Three units of 10.00, and 5.00 of shipping."""


def both_tenders(order: Order, credit: str, *, card: str = "tok_ok") -> Authorize:
    """Store credit pays the first 10.00, and a card the rest."""
    return Authorize(
        order_id=order.order_id,
        amount=Money(minor=WHOLE, currency=order.currency),
        tenders=(
            TenderAsk(number=1, provider="store_credit", token=credit, parts={"": BY_CREDIT}),
            TenderAsk(number=2, provider="sandbox", token=card, parts={"": WHOLE - BY_CREDIT}),
        ),
    )


def charging(order: Order, part: str, units: int) -> Capture:
    """So many units of the only line."""
    worth = worth_of(value_lines(order), {"1": units})
    return capturing(order, part).model_copy(update={"units": {"1": units}, "worth": worth})


# Several tenders ----------------------------------------------------------------------------------


async def test_each_tender_is_authorized_and_charged_in_its_turn(world: World) -> None:
    order = an_order(("TEA", 3))
    await world.stocked("TEA", 9)
    (planned,) = (await reserved(world, order)).fulfilments
    ask = both_tenders(order, await world.credit(order, 50_00))
    assert not isinstance(await twice(world, "authorize_payment", ask), No)
    assert await world.sums(order) == Sums(0, 0, WHOLE)
    await world.pick(planned.fulfilment_id)
    first = charging(order, planned.fulfilment_id, 1)
    assert await twice(world, "capture_payment", first) is None
    some = first.worth.total
    assert await world.by_provider(order) == {
        "store_credit": (BY_CREDIT, 0),
        "sandbox": (some - BY_CREDIT, 0),
    }
    assert await world.sums(order) == Sums(some, 0, WHOLE - some)


async def test_what_was_charged_last_is_paid_back_first(world: World) -> None:
    order = an_order(("TEA", 3))
    await world.stocked("TEA", 9)
    (planned,) = (await reserved(world, order)).fulfilments
    await world.do("authorize_payment", both_tenders(order, await world.credit(order, 50_00)))
    await world.do("capture_payment", capturing(order, planned.fulfilment_id))
    assert await twice(world, "refund_payment", refunding(order, 3)) is None
    back = refunding(order, 3).worth.total
    by_card = WHOLE - BY_CREDIT
    assert await world.by_provider(order) == {
        "sandbox": (by_card, min(back, by_card)),
        "store_credit": (BY_CREDIT, max(0, back - by_card)),
    }


async def test_a_tender_that_stands_is_released_where_another_is_refused(world: World) -> None:
    order = an_order(("TEA", 3))
    await world.stocked("TEA", 9)
    await reserved(world, order)
    ask = both_tenders(order, await world.credit(order, 50_00), card="tok_decline")
    assert await twice(world, "authorize_payment", ask) == No("declined")
    assert (await world.sums(order)).standing == BY_CREDIT
    assert await twice(world, "void_payment", Void(order_id=order.order_id, why="test")) is None
    assert (await world.sums(order)).standing == 0


@company(captures="once", holds_for=timedelta(days=2))
async def test_store_credit_does_not_end_and_is_charged_in_parts_whatever_the_card_does(
    world: World,
) -> None:
    order = an_order(("TEA", 3))
    await world.stocked("TEA", 9)
    (planned,) = (await reserved(world, order)).fulfilments
    part = planned.fulfilment_id
    credit = TenderAsk(
        number=1,
        provider="store_credit",
        token=await world.credit(order, 50_00),
        parts={part: 5_00},
        most={part: BY_CREDIT},
    )
    card = TenderAsk(
        number=2,
        provider="sandbox",
        token="tok_ok",
        parts={part: WHOLE - 5_00},
        most={part: WHOLE - 5_00},
    )
    ask = Authorize(
        order_id=order.order_id,
        amount=Money(minor=WHOLE, currency=order.currency),
        tenders=(credit, card),
    )
    authorized = await twice(world, "authorize_payment", ask)
    assert set(authorized.until) == {part}, "only what the card pays ends"
    assert authorized.once
    assert await world.sums(order) == Sums(0, 0, WHOLE)
    small = capturing(order, part).model_copy(
        update={"units": {"1": 1}, "worth": worth_of(value_lines(order), {"1": 1})}
    )
    assert await twice(world, "capture_payment", small) is None
    charged = small.worth.total
    assert await world.by_provider(order) == {
        "sandbox": (charged, 0),
        "store_credit": (0, 0),
    }
    assert (await world.sums(order)).standing == 5_00, "the card's rest is released, no credit"


# Paying back as store credit, and disputes --------------------------------------------------------


def as_credit(ask: Refund, attempt: int = 1) -> Refund:
    return ask.model_copy(update={"to": "store_credit", "attempt": attempt})


async def test_what_was_paid_by_card_is_paid_back_as_store_credit(world: World) -> None:
    order = an_order(("TEA", 3))
    await sent(world, order)
    ask = as_credit(refunding(order, 1))
    assert await twice(world, "refund_payment", ask) is None
    assert await world.sums(order) == Sums(WHOLE, ask.worth.total, 0)


async def test_while_a_bank_asks_nothing_may_be_paid_back(world: World) -> None:
    order = an_order(("TEA", 3))
    await sent(world, order)
    may = MayRefund(order_id=order.order_id)
    await world.dispute(order)
    assert (await twice(world, "may_refund", may)).why_not
    await world.dispute(order, ends=True)
    assert (await twice(world, "may_refund", may)).why_not == ""


async def test_what_was_owed_before_a_bank_asked_stays_owed_until_it_has_decided(
    world: World,
) -> None:
    order = an_order(("TEA", 3), token="tok_refund_refused")
    await sent(world, order)
    ask = refunding(order, 1)
    assert await twice(world, "refund_payment", ask) == No("declined")
    await world.dispute(order)
    again = ask.model_copy(update={"attempt": 2})
    assert await twice(world, "refund_payment", again) == No("refused")
    assert await twice(world, "refund_payment", as_credit(ask, 2)) == No("refused")
    assert (await world.sums(order)).refunded == 0
    await world.dispute(order, ends=True)
    assert await twice(world, "refund_payment", as_credit(ask, 3)) is None
    assert (await world.sums(order)).refunded == ask.worth.total


# Authorizations that end --------------------------------------------------------------------------


@company(holds_for=timedelta(days=2))
async def test_what_ends_too_soon_is_authorized_again_and_the_old_one_released(
    world: World,
) -> None:
    order = an_order(("TEA", 3))
    part = await confirmed(world, order)
    await world.days_pass(1)
    ask = Reauthorize(
        order_id=order.order_id,
        part=part,
        amount=WHOLE,
        until=world.now() + timedelta(hours=36),
        tenders=authorizing(order).tenders,
    )
    renewed = await twice(world, "reauthorize_payment", ask)
    (until,) = renewed.until.values()
    assert until > world.now() + timedelta(hours=36)
    assert await world.sums(order) == Sums(0, 0, WHOLE)
    assert await twice(world, "capture_payment", capturing(order, part)) is None
    assert await world.sums(order) == Sums(WHOLE, 0, 0)
    assert await world.do("reauthorize_payment", ask) is not None
    assert (await world.sums(order)).standing == 0, "what is charged needs no authorization"


# Claims that fall back ----------------------------------------------------------------------------


async def test_claims_beyond_what_a_count_finds_are_waited_for_again(world: World) -> None:
    order = an_order(("TEA", 3))
    await world.backorderable("TEA")
    await world.stocked("TEA", 3)
    (planned,) = (await reserved(world, order)).fulfilments
    await world.do("authorize_payment", authorizing(order))
    await world.recount("TEA", 1)
    told = await twice(world, "pick_pack_ship", sending(planned.fulfilment_id, {"1": 3}))
    assert (told.outcome, told.units) == ("backordered", {})
    wait = AwaitStock(order_id=order.order_id, round=1)
    assert await world.do("await_stock", wait) == WAITS, "the order has not joined the round yet"
    assert await twice(world, "join_backorders", wait) is None
    assert await twice(world, "await_stock", wait) != WAITS
    fill = FillBackorder(order_id=order.order_id, round=1, units={"1": 3}, first_number=2)
    filled = await twice(world, "fill_backorder", fill)
    assert [part.units for part in filled.fulfilments] == [{"1": 1}]
    assert filled.backordered == {"1": 2}
    assert await world.shelf("TEA") == (1, 1)
