"""A placed order is changed as a whole, or it stays as it was."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from domain.errors import Conflict, OrderloomError, Refused
from domain.orders.edit_messages import EditOutcome, OrderEdit
from domain.orders.exchange_messages import ExchangeOutcome, ExchangeRequest
from domain.orders.messages import CancelRequest
from domain.orders.order import Order
from domain.stock.items import Item
from domain.views.order_snapshot import ShownLine
from tests.support.builders import a_policy, an_order
from tests.support.shop import Shop

SHORT = a_policy(give_up_after=10, return_window=0.01)


def an_edit(**changes: Any) -> OrderEdit:
    return OrderEdit.model_validate({"reason": "the customer called", "by": "ida", **changes})


async def edit(shop: Shop, order: Order, **changes: Any) -> EditOutcome:
    return await shop.edits.edit(order.order_id, an_edit(**changes))


async def refusal(shop: Shop, order: Order, **changes: Any) -> OrderloomError:
    with pytest.raises(OrderloomError) as no:
        await edit(shop, order, **changes)
    return no.value


async def lines_of(shop: Shop, order: Order) -> dict[str, ShownLine]:
    return {line.line_id: line for line in (await shop.orders.snapshot(order.order_id)).lines}


async def authorized(shop: Shop, order: Order) -> int:
    made = (await shop.orders.get(order.order_id)).payments
    return sum(
        each.amount_minor for each in made if each.kind == "authorize" and each.state == "succeeded"
    )


async def test_another_address_date_and_note_are_a_new_version_and_move_nothing(shop: Shop) -> None:
    await shop.stocked("TEA", 10)
    order = an_order(("TEA", 3))
    parcel = await shop.placed(order, SHORT)
    assert order.shipping.address is not None
    address = order.shipping.address.model_copy(update={"line1": "9 Planted Street"})
    told_before = len(await shop.story(order.order_id))
    done = await edit(
        shop,
        order,
        version=1,
        address=address.model_dump(),
        note="ring twice",
        requested_delivery_date="2026-12-24",
    )
    assert (done.outcome, done.version) == ("edited", 2)
    assert [str(each) for each in done.changes] == [
        "address",
        "note",
        "requested delivery date: none → 2026-12-24",
    ]
    assert (await shop.story(order.order_id))[told_before:] == ["edited"]
    first, second = await shop.edits.versions(order.order_id)
    assert first.document["shipping"]["address"]["line1"] == "1 Sejong-daero"
    assert (first.changed_by, first.reason) == ("ida", "the customer called")
    assert second.document["shipping"]["address"]["line1"] == "9 Planted Street"
    assert second.document["note"] == "ring twice"
    # Nothing of it is in Temporal.
    events = [event.SerializeToString() for event in await shop.history(order.order_id)]
    assert not [event for event in events if b"Planted" in event or b"ring twice" in event]
    # The same order placed again is the same, and its parcel goes on.
    assert (await shop.orders.place(order)).outcome == "confirmed"
    await shop.drive(parcel, "delivered")
    assert (await shop.finish(order.order_id))["outcome"] == "closed"
    await shop.settled()


async def test_only_a_price_reserves_nothing_anew_and_less_is_charged(shop: Shop) -> None:
    await shop.stocked("TEA", 10)
    order = an_order(("TEA", 3))
    parcel = await shop.placed(order, SHORT)
    before = (await shop.level("TEA"), await authorized(shop, order))
    done = await edit(shop, order, lines=[{"line_id": "1", "unit_price": "9.00"}])
    assert (str(done.total_before), str(done.total)) == ("35.00 USD", "32.00 USD")
    assert (await shop.level("TEA"), await authorized(shop, order)) == before
    assert [p.fulfilment_id for p in (await shop.orders.snapshot(order.order_id)).fulfilments] == [
        parcel
    ]
    await shop.finish(order.order_id)
    assert (await shop.orders.get(order.order_id)).summary.captured_minor == 3200
    await shop.settled()


async def test_more_units_and_another_line_are_authorized_first_and_sent(shop: Shop) -> None:
    await asyncio.gather(shop.stocked("TEA", 10), shop.stocked("CUP", 10))
    order = an_order(("TEA", 3))
    await shop.placed(order, SHORT)
    preview = await shop.edits.preview(
        order.order_id,
        an_edit(
            lines=[{"line_id": "1", "quantity": 4}],
            add=[{"sku": "CUP", "quantity": 2, "unit_price": "8.00", "tax_rate": "10"}],
        ),
    )
    assert (str(preview.total), str(preview.to_authorize)) == ("62.60 USD", "27.60 USD")
    assert (str(preview.tax), preview.obstacles) == ("1.60 USD", ())
    assert [(x.line_id, x.quantity, x.in_stock) for x in preview.promised] == [
        ("1", 1, True),
        ("2", 2, True),
    ]
    assert await authorized(shop, order) == 3500
    done = await edit(
        shop,
        order,
        version=preview.version,
        lines=[{"line_id": "1", "quantity": 4}],
        add=[{"sku": "CUP", "quantity": 2, "unit_price": "8.00", "tax_rate": "10"}],
    )
    assert done.total == preview.total
    assert await authorized(shop, order) == 6260
    assert (await shop.finish(order.order_id))["outcome"] == "closed"
    assert {k: line.delivered for k, line in (await lines_of(shop, order)).items()} == {
        "1": 4,
        "2": 2,
    }
    assert (await shop.orders.get(order.order_id)).summary.captured_minor == 6260
    await shop.settled()


async def test_a_declined_authorization_leaves_everything_as_it_was(shop: Shop) -> None:
    await shop.stocked("TEA", 10)
    credit = await shop.credit_of("40.00")
    order = an_order(("TEA", 3), payment={k: credit[k] for k in ("provider", "token")})
    await shop.placed(order, SHORT)
    before = await shop.level("TEA"), await lines_of(shop, order)
    no = await refusal(shop, order, lines=[{"line_id": "1", "quantity": 4}], request_id="up")
    assert (no.reason, no.kind) == ("declined", "refused")
    assert (await shop.level("TEA"), await lines_of(shop, order)) == before
    assert len(await shop.edits.versions(order.order_id)) == 1
    assert await authorized(shop, order) == 3500
    # And it goes on as if nothing had been asked.
    assert (await shop.finish(order.order_id))["outcome"] == "closed"
    assert (await shop.orders.get(order.order_id)).summary.captured_minor == 3500
    await shop.settled()


async def test_fewer_units_and_a_line_less_go_back_to_stock_in_place(shop: Shop) -> None:
    await asyncio.gather(shop.stocked("TEA", 10), shop.stocked("CUP", 10))
    order = an_order(("TEA", 5), ("CUP", 2))
    parcel = await shop.placed(order, SHORT)
    done = await edit(
        shop,
        order,
        lines=[{"line_id": "1", "quantity": 2}, {"line_id": "2", "quantity": 0}],
    )
    assert str(done.total) == "25.00 USD"
    assert (await shop.level("TEA")).allocated == 2
    assert (await shop.level("CUP")).allocated == 0
    lines = await lines_of(shop, order)
    assert (lines["1"].ordered, lines["1"].cancelled) == (2, 0)
    assert (lines["2"].ordered, lines["2"].cancelled) == (2, 2)
    shown = await shop.orders.snapshot(order.order_id)
    assert [(each.fulfilment_id, each.units) for each in shown.fulfilments] == [(parcel, {"1": 2})]
    assert (await shop.finish(order.order_id))["outcome"] == "closed"
    assert (await shop.orders.get(order.order_id)).summary.captured_minor == 2500
    await shop.settled()


async def test_a_fulfilment_with_nothing_left_to_send_is_stopped(shop: Shop) -> None:
    await asyncio.gather(shop.stocked("TEA", 10, "east"), shop.stocked("CUP", 10, "west"))
    order = an_order(("TEA", 1), ("CUP", 1))
    await shop.orders.place(order, policy=SHORT)
    done = await edit(shop, order, lines=[{"line_id": "2", "quantity": 0}])
    assert [(each.line_id, each.quantity) for each in done.taken_away] == [("2", 1)]
    assert (await shop.finish(order.order_id))["outcome"] == "closed"
    assert {k: line.delivered for k, line in (await lines_of(shop, order)).items()} == {
        "1": 1,
        "2": 0,
    }
    await shop.settled()


async def test_backordered_units_are_waited_for_and_taken_away_again(shop: Shop) -> None:
    await shop.stocked("TEA", 3)
    await shop.catalogue.set_items([Item(sku="TEA", backorder=True)])
    order = an_order(("TEA", 3))
    await shop.placed(order, SHORT)
    up = await edit(shop, order, lines=[{"line_id": "1", "quantity": 5}])
    assert [(each.line_id, each.quantity) for each in up.backordered] == [("1", 2)]
    down = await edit(shop, order, lines=[{"line_id": "1", "quantity": 4}])
    assert str(down.total) == "45.00 USD"
    await shop.stocked("TEA", 5)
    assert (await shop.finish(order.order_id))["outcome"] == "closed"
    assert (await lines_of(shop, order))["1"].delivered == 4
    assert (await shop.level("TEA")).available == 4
    await shop.settled()


async def test_two_agents_at_once_one_wins_and_the_other_is_told_what_changed(shop: Shop) -> None:
    await shop.stocked("TEA", 10)
    order = an_order(("TEA", 3))
    await shop.placed(order, SHORT)
    both = await asyncio.gather(
        edit(shop, order, version=1, lines=[{"line_id": "1", "quantity": 4}], by="ida"),
        edit(shop, order, version=1, shipping={"price": "9.00"}, by="otto"),
        return_exceptions=True,
    )
    (won,) = [each for each in both if isinstance(each, EditOutcome)]
    (lost,) = [each for each in both if isinstance(each, Refused)]
    assert (won.version, lost.reason, lost.instead) == (2, "changed_meanwhile", ("edit_order",))
    assert str(won.changes[0]) in str(lost)
    assert (await shop.finish(order.order_id))["outcome"] == "closed"
    await shop.settled()


async def test_cancel_and_edit_and_exchange_at_once_from_three_agents(shop: Shop) -> None:
    await asyncio.gather(shop.stocked("TEA", 10, "east"), shop.stocked("CUP", 10, "west"))
    order = an_order(("TEA", 2), ("CUP", 5))
    await shop.orders.place(order, policy=a_policy(return_window=2))
    parts = (await shop.orders.snapshot(order.order_id)).fulfilments
    (tea,) = [part.fulfilment_id for part in parts if "1" in part.units]
    await shop.drive(tea, "delivered")
    await shop.heard(order.order_id, "delivered", 2)
    one = {"line_id": "1", "quantity": 1}
    results = await asyncio.gather(
        shop.aftersales.cancel(
            order.order_id,
            CancelRequest.model_validate(
                {"reason": "too many", "lines": [{"line_id": "2", "quantity": 2}]}
            ),
        ),
        edit(shop, order, lines=[{"line_id": "2", "quantity": 4}]),
        shop.exchanges.exchange(
            order.order_id, ExchangeRequest.model_validate({"reason": "chipped", "lines": [one]})
        ),
        return_exceptions=True,
    )
    cancelled, edited, exchanged = results
    assert getattr(cancelled, "outcome", None) == "cancelled", cancelled
    assert isinstance(exchanged, ExchangeOutcome), exchanged
    # The edit wants four: of five one is taken away, and of three one is added.
    assert isinstance(edited, EditOutcome), edited
    assert (len(edited.taken_away), len(edited.added)) in ((1, 0), (0, 1))
    await shop.told(exchanged.exchange_order_id, "confirmed")
    await shop.warehouse.receive_return(exchanged.return_id, who="dock")
    for each in (exchanged.exchange_order_id, order.order_id):
        assert (await shop.finish(each))["outcome"] == "closed"
    lines = await lines_of(shop, order)
    delivered = sum(line.delivered for line_id, line in lines.items() if line_id != "1")
    assert delivered == (2 if edited.taken_away else 4)
    assert lines["1"].returned == 1
    await shop.settled()


async def test_cancel_and_edit_and_edit_at_once_from_three_agents(shop: Shop) -> None:
    await asyncio.gather(shop.stocked("TEA", 10), shop.stocked("CUP", 10))
    order = an_order(("TEA", 5), ("CUP", 5))
    await shop.placed(order, SHORT)
    cancel = CancelRequest.model_validate(
        {"reason": "too many", "lines": [{"line_id": "1", "quantity": 2}]}
    )
    results = await asyncio.gather(
        shop.aftersales.cancel(order.order_id, cancel),
        edit(shop, order, lines=[{"line_id": "2", "quantity": 1}]),
        edit(shop, order, add=[{"sku": "TEA", "quantity": 1, "unit_price": "9.00"}]),
        return_exceptions=True,
    )
    said_no = [each for each in results if isinstance(each, Exception)]
    assert all(isinstance(no, Refused) and no.reason for no in said_no), said_no
    assert (await shop.finish(order.order_id))["outcome"] == "closed"
    lines = await lines_of(shop, order)
    assert lines["1"].delivered == 3
    assert lines["2"].delivered == (5 if isinstance(results[1], Exception) else 1)
    await shop.settled()


async def test_a_parcel_is_made_smaller_and_sent_elsewhere_until_it_has_left(shop: Shop) -> None:
    await shop.stocked("TEA", 10)
    order = an_order(("TEA", 3))
    parcel = await shop.placed(order, SHORT)
    await shop.drive(parcel, "labelled")
    assert (await edit(shop, order, lines=[{"line_id": "1", "quantity": 2}])).version == 2
    await shop.told(order.order_id, "label voided")
    await shop.packed_again(parcel)
    await shop.task("handover", parcel)
    await edit(shop, order, shipping={"service": "express"})
    await shop.until_many(order.order_id, "label voided", 2)
    await shop.task("handover", parcel)
    await shop.warehouse.hand_over(parcel, who="anna")
    no = await refusal(shop, order, shipping={"service": "standard"})
    assert (no.reason, no.instead) == ("handed_over", ("return_items",))
    no = await refusal(shop, order, lines=[{"line_id": "1", "quantity": 1}])
    assert (no.reason, no.instead) == ("handed_over", ("return_items",))
    # A billing address counts for the documents that are written later.
    assert order.shipping.address is not None
    billing = order.shipping.address.model_copy(update={"name": "Kim Ltd"}).model_dump()
    assert (await edit(shop, order, billing=billing)).version == 4
    assert (await shop.finish(order.order_id))["outcome"] == "closed"
    assert (await shop.orders.get(order.order_id)).summary.captured_minor == 2500
    await shop.settled()


async def test_an_order_that_is_charged_is_changed_to_more_and_fewer_and_cheaper(
    shop: Shop,
) -> None:
    await asyncio.gather(shop.stocked("TEA", 10), shop.stocked("CUP", 10))
    order = an_order(("TEA", 4), ("CUP", 2))
    await shop.placed(order, a_policy(charge="at_confirmation", return_window=0.01))
    await shop.told(order.order_id, "charged")
    asked = an_edit(
        lines=[
            {"line_id": "1", "quantity": 5, "unit_price": "9.00"},
            {"line_id": "2", "quantity": 1},
        ],
        add=[{"sku": "CUP", "quantity": 1, "unit_price": "7.00", "tax_rate": "10"}],
    )
    preview = await shop.edits.preview(order.order_id, asked)
    assert (preview.obstacles, str(preview.to_authorize)) == ((), "16.70 USD")
    done = await shop.edits.edit(order.order_id, asked)
    assert done.total == preview.total
    assert done.to_pay_back == preview.to_pay_back
    assert done.to_pay_back is not None
    assert (await shop.finish(order.order_id))["outcome"] == "closed"
    assert {k: line.delivered for k, line in (await lines_of(shop, order)).items()} == {
        "1": 4,
        "2": 1,
        "3": 1,
        "4": 1,
    }
    summary = (await shop.orders.get(order.order_id)).summary
    assert summary.captured_minor == done.total.minor
    assert summary.refunded_minor == done.to_pay_back.minor
    await shop.settled()


async def test_a_repeat_is_the_same_request_and_another_content_a_conflict(shop: Shop) -> None:
    await shop.stocked("TEA", 10)
    order = an_order(("TEA", 3))
    await shop.placed(order, SHORT)
    asked = {"request_id": "r1", "note": "ring twice", "version": 1}
    first = await edit(shop, order, **asked)
    assert await edit(shop, order, **asked) == first
    with pytest.raises(Conflict):
        await edit(shop, order, request_id="r1", shipping={"service": "express"})
    assert len(await shop.edits.versions(order.order_id)) == 2
    unchanged = await edit(shop, order, note="ring twice")
    assert (unchanged.outcome, unchanged.version) == ("unchanged", 2)
    await shop.finish(order.order_id)
    await shop.settled()
