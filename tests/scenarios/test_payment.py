"""Hard cases of payment, end to end."""

from __future__ import annotations

import asyncio

import pytest

from domain.errors import Refused
from domain.orders.messages import CancelRequest, LineRequest
from domain.orders.order import Order
from domain.orders.return_messages import ReturnLine, ReturnRequest
from store.sandbox import companies
from store.sandbox.companies import FaultKind
from tests.support.builders import a_policy, an_order, shipping
from tests.support.shop import Shop

PATIENT = {"give_up_after": 60, "return_window": 60}


async def paid(shop: Shop, order: Order) -> list[tuple[str, int, str]]:
    """Every effect that the payment company has for the order: kind, amount, currency."""
    operations = await shop.payment.operations(order.order_id)
    return [(done.kind, done.amount.minor, done.amount.currency) for done in operations]


async def lose_answers(shop: Shop, *operations: tuple[str, str]) -> None:
    """The next answer of each (company, operation) is lost after its effect."""
    async with shop.pool.acquire() as conn:
        for company, operation in operations:
            await companies.set_fault(
                conn, company, operation, FaultKind.TIMEOUT_AFTER, 1.0, remaining=1
            )


async def test_s11_a_call_that_times_out_after_the_provider_took_the_money_is_one_capture(
    shop: Shop,
) -> None:
    await shop.stocked("TEA", 9)
    order = an_order(("TEA", 2))
    await lose_answers(shop, ("payment", "capture"), ("payment", "lookup"))
    await shop.placed(order)
    await shop.finish(order.order_id)
    assert await paid(shop, order) == [("authorize", 25_00, "USD"), ("capture", 25_00, "USD")]
    assert shop.faults.calls["charge_payment"] == 2  # lost, and not to be looked up yet; found
    await shop.settled()


async def test_s11_whatever_calls_lose_their_answer_each_takes_effect_once(shop: Shop) -> None:
    # Two parcels: one is delivered and comes back, the other is cancelled once it has a label.
    await shop.stocked("TEA", 2, "east")
    await shop.stocked("MUG", 1, "west")
    order = an_order(("TEA", 2), ("MUG", 1, "7.00"))
    await lose_answers(
        shop,
        *(("payment", operation) for operation in ("authorize", "capture", "refund", "void")),
        *(("carrier", operation) for operation in ("buy_label", "void_label")),
    )
    first = await shop.placed(order, a_policy(**PATIENT))
    second = f"{order.order_id}:2"
    await shop.drive(first, "delivered")
    await shop.heard(order.order_id, "delivered", 2)
    await shop.drive(second, "labelled")
    cancelled = await shop.aftersales.cancel(
        order.order_id, CancelRequest(reason="no mug", lines=(LineRequest(line_id="2"),))
    )
    assert cancelled.outcome == "cancelled"
    approved = await shop.aftersales.request_return(order.order_id, ReturnRequest(reason="too hot"))
    assert approved.return_id is not None
    await shop.warehouse.receive_return(approved.return_id, who="receiver")
    await shop.settled()
    operations = await paid(shop, order)
    assert sorted(kind for kind, *_ in operations) == ["authorize", "capture", "refund", "void"]
    assert {kind: minor for kind, minor, _ in operations} == {
        "authorize": 32_00,
        "capture": 23_70,  # 20.00, and 20/27 of the shipping
        "refund": 23_70,
        "void": 8_30,
    }
    async with shop.pool.acquire() as conn:
        labels = await conn.fetch("select fulfilment_id, voided from sandbox.label order by id")
    assert [tuple(label) for label in labels] == [(first, False), (second, True)]


async def test_s12_what_was_paid_for_and_is_not_there_is_released_by_itself_and_told(
    shop: Shop,
) -> None:
    await shop.stocked("TEA", 2)
    order = an_order(("TEA", 2))
    parcel = await shop.placed(order)
    await shop.task("pick", parcel)
    await shop.warehouse.pick(parcel, {}, who="picker")  # the shelf is empty
    result = await shop.result(order.order_id)
    assert result["outcome"] == "cancelled"
    assert await paid(shop, order) == [("authorize", 25_00, "USD"), ("void", 25_00, "USD")]
    story = await shop.story(order.order_id)
    assert story[2:] == [
        "confirmed",
        "short pick",
        "missing units cancelled",
        "authorization released",
        "cancelled",
    ]
    summary = (await shop.orders.get(order.order_id)).summary
    assert (summary.state, summary.payment_status) == ("cancelled", "voided")
    await shop.settled()


async def test_s12_of_what_was_paid_for_only_what_is_there_is_charged(shop: Shop) -> None:
    await shop.stocked("TEA", 3)
    order = an_order(("TEA", 3))
    parcel = await shop.placed(order)
    await shop.task("pick", parcel)
    await shop.warehouse.pick(parcel, {"1": 1}, who="picker")
    await shop.finish(order.order_id)
    assert await paid(shop, order) == [
        ("authorize", 35_00, "USD"),
        ("capture", 11_66, "USD"),
        ("void", 23_34, "USD"),
    ]
    assert (await shop.orders.get(order.order_id)).summary.cancelled == 2
    await shop.settled()


async def test_s14_when_the_total_falls_before_the_charge_the_authorization_stays_and_less_is_taken(
    shop: Shop,
) -> None:
    await shop.stocked("TEA", 9)
    order = an_order(("TEA", 4), shipping=shipping("0"))
    await shop.placed(order)
    lines = (LineRequest(line_id="1", quantity=1),)
    await shop.aftersales.cancel(order.order_id, CancelRequest(reason="one less", lines=lines))
    assert await paid(shop, order) == [("authorize", 40_00, "USD")]
    await shop.finish(order.order_id)
    assert await paid(shop, order) == [
        ("authorize", 40_00, "USD"),
        ("capture", 30_00, "USD"),
        ("void", 10_00, "USD"),
    ]
    await shop.settled()


async def test_s15_of_two_refunds_of_60_against_100_one_is_refused(shop: Shop) -> None:
    await shop.stocked("TEA", 10)
    order = an_order(("TEA", 10), shipping=shipping("0"))
    parcel = await shop.placed(order, a_policy(**PATIENT | {"return_window": 2}))
    await shop.drive(parcel, "delivered")
    await shop.told(order.order_id, "charged")
    await shop.heard(order.order_id, "delivered", 10)
    sixty = ReturnRequest(reason="too many", lines=(ReturnLine(line_id="1", quantity=6),))
    outcomes = await asyncio.gather(
        *(shop.aftersales.request_return(order.order_id, sixty) for _ in range(2)),
        return_exceptions=True,
    )
    (refusal,) = [outcome for outcome in outcomes if isinstance(outcome, BaseException)]
    assert isinstance(refusal, Refused)
    assert "6 cannot be returned; 4 of 10 delivered units can" in str(refusal)
    # A negative amount does not get as far as a refund: it is no quantity.
    await shop.workflow(order.order_id).signal(
        "request_return", {"reason": "trick", "lines": [{"line_id": "1", "quantity": -6}]}
    )
    await shop.told(order.order_id, "request_return refused")
    await shop.warehouse.receive_return(f"{order.order_id}:R1", who="receiver")
    await shop.settled()
    assert await paid(shop, order) == [
        ("authorize", 100_00, "USD"),
        ("capture", 100_00, "USD"),
        ("refund", 60_00, "USD"),
    ]


@pytest.mark.parametrize(
    ("currency", "price", "minor"), [("JPY", "500", 500), ("KWD", "1.234", 1234)]
)
async def test_s17_amounts_keep_their_currencys_decimals_through_to_the_refund(
    shop: Shop, currency: str, price: str, minor: int
) -> None:
    await shop.stocked("TEA", 1)
    order = an_order(("TEA", 1, price), currency=currency, shipping=shipping("0"), total=price)
    parcel = await shop.placed(order, a_policy(**PATIENT))
    await shop.drive(parcel, "delivered")
    await shop.told(order.order_id, "charged")
    await shop.heard(order.order_id, "delivered", 1)
    approved = await shop.aftersales.request_return(order.order_id, ReturnRequest(reason="broken"))
    assert approved.return_id is not None
    await shop.warehouse.receive_return(approved.return_id, who="receiver")
    await shop.settled()
    assert await paid(shop, order) == [
        (kind, minor, currency) for kind in ("authorize", "capture", "refund")
    ]
    summary = (await shop.orders.get(order.order_id)).summary
    assert (summary.refunded_minor, summary.payment_status) == (minor, "refunded")


# Units that were lost are sent again without a second charge. Whatever becomes of them after that
# has to come out even, too.


async def lost_and_replaced(shop: Shop, order: Order) -> str:
    """Charge and lose the first parcel. Returns the id of the one that replaces it."""
    parcel = await shop.placed(order, a_policy(**PATIENT | {"return_window": 0.5}))
    await shop.drive(parcel, "shipped")
    await shop.told(order.order_id, "charged")
    await shop.scan(parcel, "failure")
    await shop.told(order.order_id, "missing units replaced")
    return f"{order.order_id}:2"


async def test_what_replaces_a_lost_parcel_is_not_charged_again(shop: Shop) -> None:
    await shop.stocked("TEA", 9)
    order = an_order(("TEA", 2))
    await lost_and_replaced(shop, order)
    await shop.finish(order.order_id)
    assert await paid(shop, order) == [("authorize", 25_00, "USD"), ("capture", 25_00, "USD")]
    assert (await shop.level("TEA")).on_hand == 5
    await shop.settled()


@pytest.mark.parametrize("units", [1, 2])
async def test_what_replaces_a_lost_parcel_and_is_cancelled_is_paid_back(
    shop: Shop, units: int
) -> None:
    await shop.stocked("TEA", 9)
    order = an_order(("TEA", 2))
    await shop.task("pick", await lost_and_replaced(shop, order))
    lines = (LineRequest(line_id="1", quantity=units),)
    outcome = await shop.aftersales.cancel(
        order.order_id, CancelRequest(reason="late", lines=lines)
    )
    assert outcome.outcome == "cancelled"
    await shop.finish(order.order_id)
    assert await paid(shop, order) == [
        ("authorize", 25_00, "USD"),
        ("capture", 25_00, "USD"),
        ("refund", 12_50 * units, "USD"),
    ]
    await shop.settled()


async def test_what_should_replace_a_lost_parcel_and_is_not_found_is_paid_back(shop: Shop) -> None:
    await shop.stocked("TEA", 4)
    order = an_order(("TEA", 2))
    replacement = await lost_and_replaced(shop, order)
    await shop.task("pick", replacement)
    await shop.warehouse.pick(replacement, {}, who="picker")
    await shop.finish(order.order_id)
    assert await paid(shop, order) == [
        ("authorize", 25_00, "USD"),
        ("capture", 25_00, "USD"),
        ("refund", 25_00, "USD"),
    ]
    await shop.settled()
