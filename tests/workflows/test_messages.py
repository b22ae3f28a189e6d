"""What is said to an order: as people type it, malformed too; and what operators can read of it."""

from __future__ import annotations

import asyncio
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from temporalio.api.common.v1 import Payload
from temporalio.client import WorkflowUpdateFailedError
from temporalio.common import RawValue
from temporalio.exceptions import ApplicationError

from domain.errors import Conflict, InvalidInput, NotFound, Refused
from domain.orders.messages import AttentionAnswer, CancelRequest, LineRequest
from domain.orders.order import Order
from domain.orders.return_messages import ReturnLine, ReturnRequest
from tests.support.builders import a_policy, an_order
from tests.support.shop import Shop
from workflows.order import OrderWorkflow


async def confirmed(shop: Shop, **policy: Any) -> Order:
    """An order of three, reserved and paid for."""
    await shop.stocked("TEA", 3)
    order = an_order(("TEA", 3))
    await shop.placed(order, a_policy(**policy))
    return order


def raw(data: bytes, encoding: bytes = b"json/plain") -> RawValue:
    return RawValue(Payload(metadata={"encoding": encoding}, data=data))


async def temporal(shop: Shop, *arguments: str) -> subprocess.CompletedProcess[str]:
    """The real `temporal` program."""
    program = shutil.which("temporal") or str(Path(sys.executable).with_name("temporal"))
    address = shop.temporal.service_client.config.target_host
    return await asyncio.to_thread(
        subprocess.run,
        [program, *arguments, "--address", address],
        check=False,
        capture_output=True,
        text=True,
        encoding="utf-8",
    )


async def test_the_temporal_program_cancels_with_a_minimal_json(shop: Shop) -> None:
    order = await confirmed(shop)
    said = await temporal(
        shop,
        *("workflow", "signal", "--workflow-id", f"order:{order.order_id}"),
        *("--name", "cancel", "--input", '{"reason": "ordered twice"}'),
    )
    assert said.returncode == 0, said.stderr
    assert await shop.result(order.order_id) == {
        "order_id": order.order_id,
        "outcome": "cancelled",
        "reason": "ordered twice",
    }
    assert (await shop.level("TEA")).available == 3


MALFORMED = {
    "not JSON": ([raw(b"{reason")], "is not JSON"),
    "of the wrong type": (
        [raw(b'"ordered twice"')],
        "must be an object; it must have reason, and may have",
    ),
    "without its reason": ([raw(b"{}")], "reason"),
    "with an empty reason": ([raw(b'{"reason": ""}')], "reason"),
    "with an unknown field": ([raw(b'{"reason": "x", "lines_": []}')], "lines_"),
    "with half a unit": (
        [raw(b'{"reason": "x", "lines": [{"line_id": "1", "quantity": 0.5}]}')],
        "lines[0].quantity: must be a whole number",
    ),
    "of an unknown line": (
        [raw(b'{"reason": "x", "lines": [{"line_id": "9"}]}')],
        "no line 9",
    ),
    "empty": ([], "got 0"),
    "two at once": ([raw(b'{"reason": "a"}'), raw(b'{"reason": "b"}')], "got 2"),
    "in bytes": ([raw(b"\xff\x00", b"binary/plain")], "is not JSON"),
    "in an unknown encoding": ([raw(b"\xff\x00", b"a/b")], "is not JSON"),
}


async def test_a_malformed_signal_is_told_on_the_order_and_changes_nothing(shop: Shop) -> None:
    order = await confirmed(shop)
    handle = shop.workflow(order.order_id)
    for payloads, _ in MALFORMED.values():
        await handle.signal("cancel", args=payloads)
    await handle.signal("cancle", {"reason": "a slip of the pen"})

    async def refusals() -> list[str] | None:
        events = await shop.orders.events(order.order_id)
        told = [event.why for event in events if event.what.endswith(" refused")]
        return told if len(told) == len(MALFORMED) + 1 else None

    told = await shop.until(refusals, "every malformed signal is told")
    for kind, (_, expected) in MALFORMED.items():
        assert any(expected in why for why in told), kind
    assert any("there is no signal 'cancle'" in why for why in told)
    summary = (await shop.orders.get(order.order_id)).summary
    assert (summary.state, summary.allocated, summary.cancelled) == ("confirmed", 3, 0)
    # And the order goes on.
    await shop.drive(f"{order.order_id}:1", "delivered")
    assert (await shop.result(order.order_id))["outcome"] == "closed"


async def test_a_signal_to_cancel_what_is_cancelled_already_is_told_on_the_order(
    shop: Shop,
) -> None:
    await shop.stocked("TEA", 1)
    order = an_order(("TEA", 1), ("GONE", 1))
    await shop.placed(order)
    request = {"reason": "not that one", "lines": [{"line_id": "2"}]}
    await shop.workflow(order.order_id).signal("cancel", request)
    await shop.told(order.order_id, "cancel refused")
    (refusal,) = [e for e in await shop.orders.events(order.order_id) if e.what == "cancel refused"]
    assert refusal.why == "there was nothing left to cancel"
    assert (await shop.finish(order.order_id))["outcome"] == "closed"


async def test_a_malformed_update_is_refused_and_leaves_no_trace(shop: Shop) -> None:
    order = await confirmed(shop)
    handle = shop.workflow(order.order_id)
    before = await shop.story(order.order_id)
    for payloads, _ in MALFORMED.values():
        with pytest.raises(WorkflowUpdateFailedError):
            await handle.execute_update("cancel_order", args=payloads)
    assert await shop.story(order.order_id) == before
    await shop.aftersales.cancel(order.order_id, CancelRequest(reason="enough"))


async def test_the_same_request_id_is_one_request_and_with_other_content_a_conflict(
    shop: Shop,
) -> None:
    order = await confirmed(shop)
    one = LineRequest(line_id="1", quantity=1)
    request = CancelRequest(reason="one too many", lines=(one,), request_id="call-1")
    answers = await asyncio.gather(
        *(shop.aftersales.cancel(order.order_id, request) for _ in range(3))
    )
    assert answers[0] == answers[1] == answers[2]
    assert (await shop.orders.get(order.order_id)).summary.cancelled == 1
    other = CancelRequest(reason="two too many", lines=(one,), request_id="call-1")
    with pytest.raises(Conflict, match="call-1"):
        await shop.aftersales.cancel(order.order_id, other)
    await shop.aftersales.cancel(order.order_id, CancelRequest(reason="all of it"))


async def test_what_is_asked_of_an_order_that_ended_or_never_was_is_refused(shop: Shop) -> None:
    order = await confirmed(shop)
    await shop.aftersales.cancel(order.order_id, CancelRequest(reason="ordered twice"))
    await shop.result(order.order_id)
    with pytest.raises(Refused, match="is cancelled") as no:
        await shop.aftersales.cancel(order.order_id, CancelRequest(reason="again"))
    assert no.value.reason == "order_cancelled"
    with pytest.raises(NotFound, match="no order web-nowhere"):
        await shop.aftersales.cancel("web-nowhere", CancelRequest(reason="x"))
    with pytest.raises(NotFound, match="no order web-nowhere"):
        await shop.orders.get("web-nowhere")


async def test_a_return_of_what_was_not_delivered_is_refused_by_name(shop: Shop) -> None:
    order = await confirmed(shop, return_window=5)
    with pytest.raises(Refused, match="nothing has been delivered yet") as no:
        await shop.aftersales.request_return(order.order_id, ReturnRequest(reason="x"))
    assert (no.value.reason, no.value.instead) == ("not_delivered", ("cancel_order",))
    unknown = ReturnRequest(reason="x", lines=(ReturnLine(line_id="9"),))
    await shop.drive(f"{order.order_id}:1", "delivered")
    await shop.phase(order.order_id, "return window")
    with pytest.raises(InvalidInput, match="no line 9"):
        await shop.aftersales.request_return(order.order_id, unknown)
    four = ReturnRequest(reason="x", lines=(ReturnLine(line_id="1", quantity=4),))
    with pytest.raises(Refused, match="4 cannot be returned; 3 of 3 delivered units can"):
        await shop.aftersales.request_return(order.order_id, four)


async def test_operators_find_and_read_an_order_in_the_temporal_ui(shop: Shop) -> None:
    await shop.stocked("TEA", 3)
    order = an_order(("TEA", 3, "12.50"), token="tok_capture_refused")
    # A refusal is not waited for; a slow machine must not be taken for one that keeps failing.
    parcel = await shop.placed(order, a_policy(give_up_after=60))
    handle = shop.workflow(order.order_id)

    async def attributes() -> dict[str, Any]:
        found = (await handle.describe()).typed_search_attributes
        return {pair.key.name: pair.value for pair in found if pair.key.name.startswith("Order")}

    assert await attributes() == {
        "OrderNumber": order.channel_order_id,
        "OrderChannel": "web",
        "OrderStatus": "open",
        "OrderAmount": 42.5,
        "OrderAttention": False,
    }
    description = await handle.describe()
    headline = f"Order {order.channel_order_id} from web: 1 line, 42.50 USD"
    assert await description.static_summary() == headline
    await shop.drive(parcel, "shipped")
    (step,) = await shop.attention(order.order_id)
    assert step == f"charge_payment {parcel}"
    assert (await attributes())["OrderAttention"] is True
    view = await handle.query(OrderWorkflow.view)
    assert view.attention.keys() == {step}
    assert view.fulfilments == {parcel: "await_delivery"}
    # Somebody charged the customer another way.
    answer = AttentionAnswer(step=step, action="done", note="paid in the shop", by="lee")
    await shop.orders.resolve_attention(order.order_id, answer)
    await shop.scan(parcel, "delivered")
    await shop.result(order.order_id)
    assert (await attributes())["OrderAttention"] is False


async def test_an_update_that_does_not_fit_is_refused_in_our_words(shop: Shop) -> None:
    order = await confirmed(shop)
    handle = shop.workflow(order.order_id)
    for given, told in (
        ((raw(b'"x"'),), "it must have reason, and may have"),
        ((raw(b"{"),), "it must have reason, and may have"),
        ((), "takes one JSON object, and got none; it must have reason"),
        ((raw(b'{"reason": 5}'),), "^reason: "),
        ((raw(b'{"reason": "x", "raeson": "y"}'),), "^raeson: "),
    ):
        with pytest.raises(WorkflowUpdateFailedError) as refused:
            await handle.execute_update("cancel_order", args=list(given))
        cause = refused.value.cause
        assert isinstance(cause, ApplicationError)
        assert cause.type == InvalidInput.kind
        assert re.search(told, cause.message), cause.message
        assert "Fail" not in cause.message
    asked = raw(b'{"reason": "too late"}')
    await handle.execute_update("cancel_order", asked)
    await shop.settled()


async def test_an_operator_types_an_update_at_a_terminal(shop: Shop) -> None:
    order = await confirmed(shop)
    update = ("workflow", "update", "execute", "--workflow-id", f"order:{order.order_id}")
    wrong = await temporal(shop, *update, "--name", "cancel_order", "--input", '"x"')
    assert "it must have reason" in wrong.stderr
    right = await temporal(
        shop, *update, "--name", "cancel_order", "--input", '{"reason": "by hand"}'
    )
    assert right.returncode == 0, right.stderr
    await shop.settled()
