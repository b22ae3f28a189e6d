"""What an order costs at Temporal: actions as Temporal Cloud bills them, counted on real histories.

A start is 1, and an update 1; each activity as often as it was attempted; each timer, signal,
query and upsert of search attributes 1; all local activities of one workflow task together 1.
Completions from outside are free. Queries leave no event: whoever sends them has to say how many.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from temporalio.api.enums.v1 import EventType
from temporalio.api.history.v1 import HistoryEvent

PRICES_FROM: Final = "https://docs.temporal.io/cloud/pricing, read on 2026-11-22"

# Pay as you go: up to so many actions in a month, US dollars for a million of them. The last price
# counts for what is above, too, where Temporal asks to be called.
ACTION_TIERS: Final = (
    (5e6, 50.0),
    (10e6, 45.0),
    (20e6, 40.0),
    (50e6, 35.0),
    (100e6, 30.0),
    (200e6, 25.0),
)
ACTIVE_USD_PER_GBH: Final = 0.042
RETAINED_USD_PER_GBH: Final = 0.00105

# An order is open for some days until delivery and for the return window, which is 30 days as
# shipped, and then kept for a month.
OPEN_DAYS: Final = 33
RETAINED_DAYS: Final = 30

_ONE_EACH: Final = {
    EventType.EVENT_TYPE_WORKFLOW_EXECUTION_STARTED,
    EventType.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED,
    EventType.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ACCEPTED,
    EventType.EVENT_TYPE_TIMER_STARTED,
    EventType.EVENT_TYPE_UPSERT_WORKFLOW_SEARCH_ATTRIBUTES,
}


def billable_actions(history: Sequence[HistoryEvent], *, queries: int = 0) -> int:
    """The actions that a workflow with this history, and so many queries, is billed for."""
    actions = queries + sum(event.event_type in _ONE_EACH for event in history)
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


def history_bytes(history: Sequence[HistoryEvent]) -> int:
    """The size of a history as the server keeps it, about."""
    return sum(event.ByteSize() for event in history)


def actions_usd(actions: float) -> float:
    """What so many actions in one month cost, without what a plan includes."""
    cost, below = 0.0, 0.0
    for upto, price in ACTION_TIERS:
        cost += max(0.0, min(actions, upto) - below) * price / 1e6
        below = upto
    return cost + max(0.0, actions - below) * ACTION_TIERS[-1][1] / 1e6


def storage_usd(history_size: float, orders: float) -> float:
    """What keeping the histories of so many orders costs, from their start to their deletion.

    `history_size` is in bytes, and taken to be there from the start: it mostly is by delivery.
    """
    gigabytes = history_size * orders / 1e9
    active = gigabytes * OPEN_DAYS * 24 * ACTIVE_USD_PER_GBH
    retained = gigabytes * RETAINED_DAYS * 24 * RETAINED_USD_PER_GBH
    return active + retained
