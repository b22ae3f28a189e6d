"""A request id names the request for ever: the same answer, and a conflict for other content."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import pytest

from domain.errors import Conflict, Refused
from domain.orders.messages import (
    CancelRequest,
    ChargeRequest,
    LineRequest,
    OrderRequest,
    PayRequest,
    RefundRequest,
)
from domain.orders.return_messages import ReturnRequest
from store.aftersales.returns import Counted
from tests.support.builders import a_policy, an_order
from tests.support.command_line import Cli
from tests.support.shop import Shop


@dataclass(frozen=True)
class Life:
    """An order that comes to its end, one of its requests, and the answer that was given."""

    order_id: str
    request: OrderRequest
    answer: Any


async def cancelled(shop: Shop) -> Life:
    order = an_order(("TEA", 2))
    await shop.placed(order)
    request = CancelRequest(reason="ordered twice", request_id="r1")
    return Life(order.order_id, request, await shop.aftersales.cancel(order.order_id, request))


async def cancelled_before_it_was_confirmed(shop: Shop) -> Life:
    order = an_order(("TEA", 2), token="tok_action_required")
    assert (await shop.orders.place(order)).outcome == "held"
    request = CancelRequest(reason="changed my mind", request_id="r1")
    return Life(order.order_id, request, await shop.aftersales.cancel(order.order_id, request))


async def not_cancelled(shop: Shop) -> Life:
    order = an_order(("TEA", 2))
    part = await shop.placed(order, a_policy(return_window=1.5))
    await shop.drive(part, "shipped")
    await shop.told(order.order_id, "charged")
    request = CancelRequest(reason="too late", request_id="r1")
    answer = await shop.aftersales.cancel(order.order_id, request)
    assert answer.outcome == "refused"
    await shop.scan(part, "delivered")
    return Life(order.order_id, request, answer)


async def returned(shop: Shop) -> Life:
    order = an_order(("TEA", 2))
    await shop.drive(await shop.placed(order, a_policy(return_window=60)), "delivered")
    await shop.phase(order.order_id, "return window")
    request = ReturnRequest(reason="too bitter", request_id="r1")
    answer = await shop.aftersales.request_return(order.order_id, request)
    assert answer.return_id is not None
    await shop.task("receive-return", answer.return_id)
    counted = {"1": Counted(restocked=2)}
    await shop.warehouse.receive_return(answer.return_id, counted, who="packer")
    return Life(order.order_id, request, answer)


async def refunded(shop: Shop) -> Life:
    order = an_order(("TEA", 2))
    await shop.drive(await shop.placed(order, a_policy(return_window=1.5)), "delivered")
    await shop.phase(order.order_id, "return window")
    request = RefundRequest(reason="sorry", amount=Decimal("5.00"), request_id="r1")
    return Life(order.order_id, request, await shop.aftersales.refund(order.order_id, request))


async def paid(shop: Shop) -> Life:
    order = an_order(("TEA", 2), token="tok_action_required")
    assert (await shop.orders.place(order)).outcome == "held"
    request = PayRequest(token="tok_confirmed", request_id="r1")
    answer = await shop.payments.pay(order.order_id, request)
    assert answer.outcome == "accepted"
    await shop.finish(order.order_id)
    return Life(order.order_id, request, answer)


async def charged(shop: Shop) -> Life:
    order = an_order(("TEA", 2))
    part = await shop.placed(order, a_policy(charge="manual"))
    request = ChargeRequest(note="checked", request_id="r1")
    answer = await shop.payments.charge(order.order_id, request)
    assert answer.outcome == "accepted"
    await shop.drive(part, "delivered")
    return Life(order.order_id, request, answer)


LIVES: tuple[Callable[[Shop], Awaitable[Life]], ...] = (
    *(cancelled, cancelled_before_it_was_confirmed, not_cancelled),
    *(returned, refunded, paid, charged),
)


async def ask(shop: Shop, order_id: str, request: OrderRequest) -> Any:
    match request:
        case CancelRequest():
            return await shop.aftersales.cancel(order_id, request)
        case ReturnRequest():
            return await shop.aftersales.request_return(order_id, request)
        case RefundRequest():
            return await shop.aftersales.refund(order_id, request)
        case PayRequest():
            return await shop.payments.pay(order_id, request)
        case ChargeRequest():
            return await shop.payments.charge(order_id, request)


@pytest.mark.parametrize("live", LIVES, ids=lambda live: live.__name__)
async def test_a_repeat_after_the_end_gets_the_answer_that_was_given(
    shop: Shop, live: Callable[[Shop], Awaitable[Life]]
) -> None:
    await shop.stocked("TEA", 2)
    life = await live(shop)
    await shop.result(life.order_id)
    story = await shop.story(life.order_id)
    assert await ask(shop, life.order_id, life.request) == life.answer
    for change in ({"by": "another"}, {"request_id": "r2"}):
        refusal = Conflict if "by" in change else Refused
        with pytest.raises(refusal):
            await ask(shop, life.order_id, life.request.model_copy(update=change))
    kinds: tuple[OrderRequest, ...] = (
        CancelRequest(reason="x", request_id="r1"),
        ChargeRequest(note="x", request_id="r1"),
    )
    for other in kinds:
        with pytest.raises(Conflict, match="request r1 was made before with other content"):
            await ask(shop, life.order_id, other)
    assert await shop.story(life.order_id) == story
    await shop.settled()


async def test_the_command_that_timed_out_may_be_typed_again_after_the_end(
    cli: Cli, shop: Shop
) -> None:
    await shop.stocked("TEA", 2)
    order = an_order(("TEA", 2))
    await shop.placed(order)
    command = ("cancel", order.order_id, "--reason", "a", "--request-id", "r1")
    first = await cli.done(*command)
    await shop.result(order.order_id)
    assert await cli.done(*command) == first
    other = await cli("cancel", order.order_id, "--reason", "b", "--request-id", "r1", "--json")
    assert (other.code, other.error["error"]) == (1, "conflict")


async def test_a_request_that_was_refused_may_be_made_again_and_is_refused_again(
    shop: Shop,
) -> None:
    await shop.stocked("TEA", 2)
    order = an_order(("TEA", 2))
    await shop.placed(order)
    all_of_it = CancelRequest(
        reason="x", lines=(LineRequest(line_id="1", quantity=2),), request_id="r1"
    )
    early = ReturnRequest(reason="x", request_id="r2")
    with pytest.raises(Refused):
        await shop.aftersales.request_return(order.order_id, early)
    await shop.aftersales.cancel(order.order_id, all_of_it)
    await shop.result(order.order_id)
    with pytest.raises(Refused, match="is cancelled since"):
        await shop.aftersales.request_return(order.order_id, early)
