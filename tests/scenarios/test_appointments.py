"""Services: given to the customer at a time that is agreed, and charged when they are."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from domain import ids
from domain.errors import IllegalTransition, Refused
from domain.orders.messages import CancelRequest
from domain.orders.policy import Policy
from domain.stock.items import Item
from store.fulfilment.appointments import Appointment
from tests.support.builders import a_policy, an_order
from tests.support.shop import Shop

FITTING = "FITTING"
AT = datetime(2099, 12, 4, 22, 30, tzinfo=UTC)


async def ordered(shop: Shop, policy: Policy | None = None) -> str:
    """A parcel of tea and a fitting, which is ready for its appointment. Returns that part."""
    await shop.catalogue.set_items([Item(sku=FITTING, handling="service")])
    await shop.stocked(FITTING, 5)
    await shop.stocked("TEA", 1)
    order = an_order(("TEA", 1), (FITTING, 1))
    await shop.placed(order, policy or a_policy(return_window=0.01))
    await shop.told(order.order_id, "ready for its appointment")
    parts = (await shop.orders.get(order.order_id)).fulfilments
    return next(part.fulfilment_id for part in parts if part.handling == "service")


async def only(shop: Shop) -> Appointment:
    (one,) = await shop.appointments.to_come()
    return one


async def past(shop: Shop, part: str) -> None:
    """Have the time of an appointment be over."""
    await shop.pool.execute(
        "update appointment set begins_at = moment() - interval '1 hour' where fulfilment_id = $1",
        part,
    )


async def test_a_service_is_agreed_on_moved_missed_and_given_and_then_charged(shop: Shop) -> None:
    part = await ordered(shop)
    order_id = ids.order_of(part)
    assert (await only(shop)).begins_at is None
    tasks = [task.part_id for task in await shop.warehouse.tasks(order_id=order_id)]
    assert tasks == [ids.fulfilment_id(order_id, 1 if part.endswith(":2") else 2)]
    for at in (AT, AT, AT + timedelta(hours=2)):
        await shop.appointments.make(part, at, who="anna")
    promised = next(
        one for one in (await shop.orders.get(order_id)).fulfilments if one.fulfilment_id == part
    ).promised_on
    assert promised == (AT + timedelta(hours=2)).date()
    with pytest.raises(IllegalTransition) as early:
        await shop.appointments.missed(part, who="anna")
    assert early.value.reason == "not_missed"
    await past(shop, part)
    for _ in range(2):
        await shop.appointments.missed(part, who="anna", note="nobody opened")
    assert ((await only(shop)).begins_at, (await only(shop)).missed) == (None, 1)
    await shop.appointments.make(part, AT, who="anna")
    await shop.appointments.done(part, who="ben")
    await shop.appointments.done(part, who="ben")
    await shop.told(order_id, "charged")
    story = await shop.story(order_id)
    agreed = [what for what in story if what.startswith("appointment")]
    assert agreed == [
        *("appointment made", "appointment moved"),
        *("appointment missed", "appointment made"),
    ]
    assert story.index("charged") > story.index("shipped")
    assert await shop.appointments.to_come() == []
    with pytest.raises(IllegalTransition) as over:
        await shop.appointments.make(part, AT + timedelta(days=1), who="anna")
    assert over.value.reason == "service_is_over"
    await shop.finish(order_id)
    assert (await shop.level(FITTING)).on_hand == 4
    await shop.settled()


async def test_a_service_is_cancelled_until_it_is_near_and_then_is_not(shop: Shop) -> None:
    policy = a_policy(return_window=0.01, appointment_firm=timedelta(days=2))
    part = await ordered(shop, policy)
    order_id = ids.order_of(part)
    await shop.appointments.make(part, datetime.now(UTC) + timedelta(days=1), who="anna")
    answer = await shop.aftersales.cancel(order_id, CancelRequest(reason="moved house"))
    assert answer.outcome == "partly_cancelled"  # the tea
    assert [each.reason for each in answer.refused] == ["appointment_firm"]
    await shop.appointments.make(part, AT, who="anna")
    answer = await shop.aftersales.cancel(order_id, CancelRequest(reason="moved house"))
    assert answer.outcome == "cancelled"
    assert (await shop.result(order_id))["outcome"] == "cancelled"
    assert (await shop.level(FITTING)).available == 5
    await shop.settled()


async def test_only_a_service_has_an_appointment_and_only_in_time_to_come(shop: Shop) -> None:
    part = await ordered(shop)
    order_id = ids.order_of(part)
    tea = next(task.part_id for task in await shop.warehouse.tasks(order_id=order_id))
    refusals = [
        (tea, AT, "not_a_service"),
        (part, datetime(2020, 1, 1, tzinfo=UTC), "in_the_past"),
    ]
    for which, at, reason in refusals:
        with pytest.raises(Refused) as refused:
            await shop.appointments.make(which, at, who="anna")
        assert refused.value.reason == reason
