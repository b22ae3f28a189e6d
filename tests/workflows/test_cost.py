"""What an order costs: history events, and actions as Temporal Cloud bills them.

Counted on a real history: a start is 1; each activity as often as it was attempted; each timer,
signal, update and upsert of search attributes 1; all local activities of one workflow task together
1. Completions from outside and status reads are free.
"""

from __future__ import annotations

from collections.abc import Sequence

from temporalio.api.enums.v1 import EventType
from temporalio.api.history.v1 import HistoryEvent

from tests.builders import an_order
from tests.shop import Shop

_ONE_EACH = {
    EventType.EVENT_TYPE_WORKFLOW_EXECUTION_STARTED,
    EventType.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED,
    EventType.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ACCEPTED,
    EventType.EVENT_TYPE_TIMER_STARTED,
    EventType.EVENT_TYPE_UPSERT_WORKFLOW_SEARCH_ATTRIBUTES,
}


def billable_actions(history: Sequence[HistoryEvent]) -> int:
    """The actions that a history was billed for."""
    actions = sum(event.event_type in _ONE_EACH for event in history)
    actions += sum(
        event.activity_task_started_event_attributes.attempt
        for event in history
        if event.event_type == EventType.EVENT_TYPE_ACTIVITY_TASK_STARTED
    )
    # Markers of one workflow task follow its completion: one action for all of them.
    tasks_with_local_activities = {
        event.marker_recorded_event_attributes.workflow_task_completed_event_id
        for event in history
        if event.event_type == EventType.EVENT_TYPE_MARKER_RECORDED
        and "local_activity" in event.marker_recorded_event_attributes.marker_name
    }
    return actions + len(tasks_with_local_activities)


async def test_a_one_parcel_order_takes_48_events_and_10_actions_through_closed(
    shop: Shop,
) -> None:
    await shop.stocked("TEA", 10)
    order = an_order(("TEA", 3))
    parcel = await shop.placed(order)
    await shop.drive(parcel, "delivered")
    await shop.result(order.order_id)
    history = list((await shop.workflow(order.order_id).fetch_history()).events)
    actions, events = billable_actions(history), len(history)
    # Growth is to be noticed, and shrinking too. Two answers that meet in one workflow task save
    # its three events.
    assert actions == 10
    assert events in (45, 48)


async def test_status_reads_cost_nothing(shop: Shop) -> None:
    await shop.stocked("TEA", 10)
    order = an_order(("TEA", 3))
    await shop.placed(order)

    async def picking() -> int:
        await shop.task("pick", f"{order.order_id}:1")
        return len((await shop.workflow(order.order_id).fetch_history()).events)

    before = await picking()
    for _ in range(5):
        await shop.orders.get(order.order_id)
        await shop.orders.events(order.order_id)
        await shop.orders.place(order)
    assert await picking() == before
