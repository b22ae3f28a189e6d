"""The time that each step of each order took, from the orders' stories."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from statistics import median
from typing import Final

from store.views.reads import EventRow

# Event → the step that it ends.
_STEPS: Final = {
    "stock reserved": "reserve",
    "confirmed": "authorize",
    "picked": "pick",
    "short pick": "pick",
    "packed": "pack",
    "label bought": "buy label",
    "shipped": "hand over",
    "charged": "charge",
    "delivered": "deliver",
    "lost": "deliver",
    "undeliverable": "deliver",
    "return received": "return parcel",
    "refunded": "refund",
}
# Money moves beside the parcel: no step of the parcel waits for it.
_BESIDES: Final = ("charged", "refunded")


@dataclass(frozen=True)
class Wait:
    """One step of one order. `part`: the order, its fulfilment or its return."""

    step: str
    part: str
    seconds: float


@dataclass(frozen=True)
class StepTimes:
    """All waits of one step."""

    step: str
    count: int
    median_s: float
    longest: Wait


def step_times(stories: Mapping[str, Iterable[EventRow]]) -> list[StepTimes]:
    """The steps of these orders (order id → story), slowest first by their median."""
    by_step: dict[str, list[Wait]] = {}
    for order_id, story in stories.items():
        for wait in waits(order_id, story):
            by_step.setdefault(wait.step, []).append(wait)
    times = [
        StepTimes(
            step=step,
            count=len(found),
            median_s=median(wait.seconds for wait in found),
            longest=max(found, key=lambda wait: wait.seconds),
        )
        for step, found in by_step.items()
    ]
    return sorted(times, key=lambda step: -step.median_s)


def waits(order_id: str, story: Iterable[EventRow]) -> Iterator[Wait]:
    """The steps of one order, each from the event after which it could begin.

    The return window is left out, because its length is set.
    """
    since: dict[str, datetime] = {}  # By part: the time when its next step could begin.
    for event in story:
        part = _part_of(order_id, event)
        if event.what in _STEPS and part in since:
            yield Wait(_STEPS[event.what], part, (event.at - since[part]).total_seconds())
        if event.what not in _BESIDES:
            since[part] = event.at
        if event.what == "confirmed":  # The warehouse is asked only now.
            since = dict.fromkeys(since, event.at)
        if event.what == "lost":
            since[f"{part}:lost"] = event.at  # The refund has this name.
        for planned in event.data.get("fulfilments", ()):
            since[planned["fulfilment_id"]] = event.at


def _part_of(order_id: str, event: EventRow) -> str:
    """The fulfilment, return or order that an event belongs to."""
    payment_key = event.data.get("payment_key")
    if payment_key is not None and event.what in _BESIDES:
        return str(payment_key).rsplit(":", 1)[0]
    return str(event.data.get("fulfilment_id") or event.data.get("return_id") or order_id)
