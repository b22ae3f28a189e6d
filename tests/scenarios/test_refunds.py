"""Hard cases of paying back and of charging in parts, through an order's own messages."""

from __future__ import annotations

import asyncio
from decimal import Decimal

import pytest

from domain.errors import InvalidInput, Refused
from domain.orders.messages import AttentionAnswer, RefundOutcome, RefundRequest
from domain.orders.order import Order
from domain.orders.policy import Policy
from domain.orders.return_messages import ReturnRequest
from tests.scenarios.test_payment import paid
from tests.support.builders import a_policy, an_order, shipping
from tests.support.command_line import Cli
from tests.support.shop import Shop

PATIENT = a_policy(give_up_after=60, return_window=60, goodwill_percent_max=100)
SHORTLY = PATIENT.model_copy(update={"return_window": a_policy(return_window=1.5).return_window})


async def charged(shop: Shop, order: Order, policy: Policy = SHORTLY) -> str:
    """Bring all of an order to the customer. Returns its id."""
    parcel = await shop.placed(order, policy)
    await shop.drive(parcel, "delivered")
    await shop.told(order.order_id, "charged")
    await shop.heard(order.order_id, "delivered", sum(line.quantity for line in order.lines))
    return order.order_id


def goodwill(amount: str, **fields: str) -> RefundRequest:
    return RefundRequest.model_validate({"reason": "sorry", "amount": amount, **fields})


async def test_s13_two_parcels_of_25_are_two_captures_of_one_authorization(shop: Shop) -> None:
    await shop.stocked("TEA", 2, "east")
    await shop.stocked("MUG", 1, "west")
    order = an_order(("TEA", 2, "12.50"), ("MUG", 1, "25.00"), shipping=shipping("0"))
    await shop.placed(order)
    await shop.finish(order.order_id)
    assert await paid(shop, order) == [
        ("authorize", 50_00, "USD"),
        ("capture", 25_00, "USD"),
        ("capture", 25_00, "USD"),
    ]
    operations = await shop.payment.operations(order.order_id)
    assert len({done.authorization for done in operations}) == 1
    await shop.settled()


async def test_s15_of_two_refunds_of_60_asked_for_at_once_one_is_refused(shop: Shop) -> None:
    await shop.stocked("TEA", 10)
    order = an_order(("TEA", 10), shipping=shipping("0"))
    order_id = await charged(shop, order)
    outcomes = await asyncio.gather(
        *(shop.aftersales.refund(order_id, goodwill("60.00")) for _ in range(2)),
        return_exceptions=True,
    )
    (refusal,) = [outcome for outcome in outcomes if isinstance(outcome, BaseException)]
    (accepted,) = [outcome for outcome in outcomes if isinstance(outcome, RefundOutcome)]
    assert isinstance(refusal, Refused)
    assert "60.00 USD is more than the 40.00 USD that can be paid back" in str(refusal)
    assert refusal.reason == "more_than_charged"
    assert (accepted.outcome, str(accepted.amount)) == ("refunded", "60.00 USD")
    await shop.settled()
    assert (await paid(shop, order))[2:] == [("refund", 60_00, "USD")]


@pytest.mark.parametrize("amount", ["-60.00", "0"])
async def test_s15_a_refund_of_nothing_or_less_is_refused_and_changes_nothing(
    shop: Shop, amount: str
) -> None:
    with pytest.raises(ValueError, match=r"amount"):
        goodwill(amount)
    # Nor by a signal, which no client of ours has looked at.
    await shop.stocked("TEA", 2)
    order = an_order(("TEA", 2))
    order_id = await charged(shop, order)
    await shop.workflow(order_id).signal("refund", {"reason": "trick", "amount": amount})
    await shop.told(order_id, "refund refused")
    await shop.settled()
    assert [kind for kind, *_ in await paid(shop, order)] == ["authorize", "capture"]


async def test_s16_a_refused_refund_is_owed_and_visible_until_it_is_sent_as_store_credit(
    shop: Shop, cli: Cli
) -> None:
    assert (await cli.done("payments", "--owed")).out == "nothing is owed\n"
    await shop.stocked("TEA", 2)
    order = an_order(("TEA", 2, "10.00"), token="tok_refund_refused")
    order_id = await charged(shop, order, PATIENT)
    await shop.aftersales.request_return(order_id, ReturnRequest(reason="too strong"))
    refund_id = f"{order_id}:R1"
    await shop.warehouse.receive_return(refund_id, who="receiver")
    step = await shop.parked(order_id)
    assert step == f"refund_payment {refund_id}"

    summary = (await shop.orders.get(order_id)).summary
    assert (summary.payment_status, summary.refunded_minor) == ("refund_owed", 0)
    owed = (await cli.done("payments", "--owed")).out
    assert refund_id in owed
    assert "25.00 USD" in owed

    answer = AttentionAnswer(step=step, action="store_credit", note="the customer agrees")
    await shop.orders.resolve_attention(order_id, answer)
    await shop.settled()
    summary = (await shop.orders.get(order_id)).summary
    assert (summary.payment_status, summary.refunded_minor) == ("refunded", 25_00)
    assert (await cli.done("payments", "--owed")).out == "nothing is owed\n"
    (account,) = await shop.credit.accounts(order.customer.id)
    assert account.balance_minor == 25_00
    assert [kind for kind, *_ in await paid(shop, order)] == ["authorize", "capture"]


@pytest.mark.parametrize(
    ("currency", "total", "some", "minor", "wrong"),
    [("JPY", "1500", "500", 500, "500.5"), ("KWD", "5.000", "1.234", 1234, "1.2345")],
)
async def test_s17_a_refund_of_an_amount_keeps_its_currencys_decimals(
    shop: Shop, currency: str, total: str, some: str, minor: int, wrong: str
) -> None:
    await shop.stocked("TEA", 1)
    order = an_order(("TEA", 1, total), currency=currency, shipping=shipping("0"))
    order_id = await charged(shop, order)
    with pytest.raises(InvalidInput, match=f"more decimals than {currency} allows"):
        await shop.aftersales.refund(order_id, goodwill(wrong))
    outcome = await shop.aftersales.refund(order_id, goodwill(some))
    assert (outcome.amount.minor, outcome.amount.currency) == (minor, currency)
    assert Decimal(str(outcome.amount).split()[0]) == Decimal(some)
    await shop.settled()
    assert (await paid(shop, order))[2:] == [("refund", minor, currency)]
