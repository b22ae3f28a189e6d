"""Lives of orders whose money is the story, for `test_replay`: what must replay for ever."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from decimal import Decimal
from typing import Any

from activities.payments.provider import Capabilities
from domain import ids
from domain.orders.messages import (
    AttentionAnswer,
    CancelRequest,
    ChargeRequest,
    PayRequest,
    RefundRequest,
)
from domain.orders.order import Order
from domain.orders.return_messages import ReturnLine, ReturnRequest
from tests.replay.lives import Life
from tests.support.builders import a_policy, an_order, shipping
from tests.support.shop import Shop

ONE_UNIT = (ReturnLine(line_id="1", quantity=1),)


def company_that(shop: Shop, **differs: Any) -> None:
    """Have the shop's payment company do so from now on."""
    shop.payment._capabilities = Capabilities(
        **{"captures": "several", "holds_for": timedelta(days=7), **differs}
    )


async def delivered(shop: Shop, order: Order, **policy: Any) -> None:
    """Place an order of one parcel and bring it to the customer; the workflow has heard it."""
    parcel = await shop.placed(order, a_policy(return_window=5, **policy))
    await shop.drive(parcel, "delivered")
    await shop.heard(order.order_id, "delivered", sum(line.quantity for line in order.lines))
    await shop.told(order.order_id, "charged")


async def two_tenders_partly_returned(shop: Shop) -> str:
    """Store credit pays first, a card the rest; a part comes back."""
    await shop.stocked("TEA", 10)
    credit = await shop.credit_of("10.00")
    order = an_order(("TEA", 3), channel_order_id="two-tenders", tenders=[credit])
    await delivered(shop, order)
    back = ReturnRequest(reason="too bitter", lines=ONE_UNIT, request_id="call-1")
    return_id = (await shop.aftersales.request_return(order.order_id, back)).return_id
    assert return_id is not None
    await shop.task("receive-return", return_id)
    await shop.warehouse.receive_return(return_id, who="returns")
    return order.order_id


async def confirmed_at_the_bank(shop: Shop) -> str:
    """The bank wants the customer, who comes with a card that is refused, and then another."""
    await shop.stocked("TEA", 10)
    order = an_order(("TEA", 2), channel_order_id="confirmed", token="tok_action_required")
    assert (await shop.orders.place(order)).outcome == "held"
    for number, token in enumerate(("tok_decline", "tok_confirmed"), start=1):
        await shop.payments.pay(
            order.order_id, PayRequest(token=token, request_id=f"call-{number}")
        )
    await shop.drive(await shop.placed(order), "delivered")
    return order.order_id


async def charged_at_confirmation(shop: Shop) -> str:
    """One unit is cancelled after all were charged."""
    await shop.stocked("TEA", 10)
    order = an_order(("TEA", 3), channel_order_id="at-confirmation")
    first = await shop.placed(order, a_policy(charge="at_confirmation"))
    await shop.drive(first, "labelled")
    request = CancelRequest(reason="one too many", lines=ONE_UNIT, request_id="call-1")
    await shop.aftersales.cancel(order.order_id, request)
    await shop.packed_again(first)
    await shop.warehouse.hand_over(first, who="packer")
    await shop.scan(first, "delivered")
    return order.order_id


async def charged_by_hand(shop: Shop) -> str:
    """Packed, it is held until somebody says that it is to be charged."""
    await shop.stocked("TEA", 10)
    order = an_order(("TEA", 2), channel_order_id="by-hand")
    parcel = await shop.placed(order, a_policy(charge="manual"))
    await shop.drive(parcel, "packed")
    await shop.told(order.order_id, "held: payment")
    request = ChargeRequest(note="credit is good", request_id="call-1")
    assert (await shop.payments.charge(order.order_id, request)).outcome == "accepted"
    await shop.task("handover", parcel)
    await shop.warehouse.hand_over(parcel, who="packer")
    await shop.scan(parcel, "delivered")
    return order.order_id


async def refunded_as_store_credit(shop: Shop) -> str:
    """Goodwill as store credit; then units that the company does not pay back, so credit too."""
    await shop.stocked("TEA", 10)
    order = an_order(("TEA", 3), channel_order_id="refunded", token="tok_refund_refused")
    await delivered(shop, order)
    goodwill = RefundRequest(
        reason="it was wet", amount=Decimal("4.00"), to="store_credit", request_id="call-1"
    )
    assert (await shop.aftersales.refund(order.order_id, goodwill)).outcome == "refunded"
    units = RefundRequest(reason="scratched", lines=ONE_UNIT, request_id="call-2")
    assert (await shop.aftersales.refund(order.order_id, units)).outcome == "owed"
    step = await shop.parked(order.order_id)
    answer = AttentionAnswer(step=step, action="store_credit", note="the customer agrees")
    await shop.orders.resolve_attention(order.order_id, answer)
    return order.order_id


async def renewed_before_it_leaves(shop: Shop) -> str:
    """The authorization ends while nobody picks."""
    company_that(shop, holds_for=timedelta(seconds=3))
    await shop.stocked("TEA", 10)
    order = an_order(("TEA", 2), channel_order_id="renewed")
    parcel = await shop.placed(order, a_policy(renew_before=0.1, hand_over_within=1))
    await asyncio.sleep(3.1)
    await shop.drive(parcel, "delivered")
    return order.order_id


async def charged_once_for_each_parcel(shop: Shop) -> str:
    """The company charges once, so each of two parcels has an authorization of its own."""
    company_that(shop, captures="once")
    await shop.stocked("CUP", 1, "east")
    await shop.stocked("JUG", 1, "west")
    order = an_order(("CUP", 1), ("JUG", 1), channel_order_id="once-each")
    await shop.placed(order)
    for number in (1, 2):
        await shop.drive(ids.fulfilment_id(order.order_id, number), "delivered")
    return order.order_id


async def refused_where_each_parcel_is_paid_alone(shop: Shop) -> str:
    """The company charges once, and does not authorize the whole worth of the parcels."""
    company_that(shop, captures="once")
    await shop.stocked("CUP", 1, "east")
    await shop.stocked("JUG", 1, "west")
    order = an_order(("CUP", 1), ("JUG", 1), channel_order_id="refused", token="tok_decline")
    await shop.orders.place(order)
    return order.order_id


async def charged_by_an_operator(shop: Shop) -> str:
    """The company refuses the charge, and somebody takes the money another way."""
    await shop.stocked("TEA", 10)
    order = an_order(("TEA", 2), channel_order_id="in-cash", token="tok_capture_refused")
    parcel = await shop.placed(order)
    await shop.drive(parcel, "shipped")
    step = await shop.parked(order.order_id)
    answer = AttentionAnswer(step=step, action="done", note="paid in cash")
    await shop.orders.resolve_attention(order.order_id, answer)
    await shop.scan(parcel, "delivered")
    return order.order_id


async def paid_back_what_one_of_two_had_paid(shop: Shop) -> str:
    """Charged ahead: the first of two means is charged, and the second refused."""
    await shop.stocked("TEA", 10)
    credit = await shop.credit_of("10.00")
    order = an_order(
        ("TEA", 2), channel_order_id="half", tenders=[credit], token="tok_capture_refused"
    )
    await shop.orders.place(order, policy=a_policy(charge="at_confirmation"))
    return order.order_id


async def two_tenders_all_charged(shop: Shop) -> str:
    """Nothing is left of either, and both are asked all the same."""
    await shop.stocked("TEA", 10)
    credit = await shop.credit_of("10.00")
    order = an_order(("TEA", 2), channel_order_id="all-charged", tenders=[credit])
    await shop.drive(await shop.placed(order), "delivered")
    return order.order_id


async def reauthorized_and_not_needed(shop: Shop) -> str:
    """A parcel with money of its own costs nothing, as what was lost is paid for."""
    company_that(shop, captures="once")
    await shop.stocked("TEA", 2, "east")
    await shop.stocked("TEA", 5, "west")
    order = an_order(("TEA", 2), channel_order_id="not-needed", shipping=shipping("0"))
    first = await shop.placed(order)
    await shop.task("pick", first)
    await shop.warehouse.pick(first, {"1": 1}, who="picker")
    found, replaced = (ids.fulfilment_id(order.order_id, number) for number in (2, 3))
    await shop.drive(found, "labelled")
    await shop.warehouse.pack(first, who="packer")
    await shop.task("handover", first)
    await shop.warehouse.hand_over(first, who="packer")
    await shop.told(order.order_id, "charged")
    await shop.scan(first, "failure")
    await shop.knows(order.order_id, replaced)
    await shop.warehouse.hand_over(found, who="packer")
    await shop.scan(found, "delivered")
    await shop.drive(replaced, "delivered")
    return order.order_id


async def charged_with_what_was_authorized_anew(shop: Shop) -> str:
    """The authorization has ended when the parcel leaves, and the bank wants another card."""
    await shop.stocked("TEA", 10)
    order = an_order(("TEA", 2), channel_order_id="ended", token="tok_confirmed")
    parcel = await shop.placed(order)
    await shop.drive(parcel, "labelled")
    await shop.pool.execute("update sandbox.payment set expires_at = now()")
    shop.faults.refuse("authorize_payment", "declined")
    await shop.warehouse.hand_over(parcel, who="packer")
    await shop.told(order.order_id, "held: payment")
    shop.faults.heal("authorize_payment")
    request = PayRequest(token="tok_ok", request_id="call-1")
    assert (await shop.payments.pay(order.order_id, request)).outcome == "accepted"
    await shop.scan(parcel, "delivered")
    return order.order_id


LIVES: tuple[Life, ...] = (
    two_tenders_partly_returned,
    confirmed_at_the_bank,
    charged_at_confirmation,
    charged_by_hand,
    refunded_as_store_credit,
    renewed_before_it_leaves,
    charged_once_for_each_parcel,
    refused_where_each_parcel_is_paid_alone,
    charged_by_an_operator,
    reauthorized_and_not_needed,
    paid_back_what_one_of_two_had_paid,
    two_tenders_all_charged,
    charged_with_what_was_authorized_anew,
)
