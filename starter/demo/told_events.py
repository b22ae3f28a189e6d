"""Whether a subscriber was told of everything: once, and in the sequence of each order."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Final

from rich.console import Console

from domain.notifications.event_types import TOLD
from starter.cli.terminal.output import make_table
from starter.demo.over_http import HttpDay, Told
from store.views.reads import EventRow

_SHOWN_MAX: Final = 20
_ANY_END: Final = frozenset({TOLD["cancelled"], TOLD["units cancelled"]})
"""The order's end by a cancellation reads in its story as the cancellation of some units does."""


def faults_in(day: HttpDay, stories: Mapping[str, Sequence[EventRow]]) -> Iterator[str]:
    """What is wrong in what was told, compared with the orders' stories."""
    yield from day.wrong
    for one, times in Counter(event.id for event in day.taken).items():
        if times > 1:
            yield f"event {one} was taken {times} times"
    told: dict[str, list[Told]] = defaultdict(list)
    for event in day.taken:
        told[event.subject].append(event)
    for order_id, story in stories.items():
        fault = _fault(told[order_id], [_types(line.what) for line in story])
        if fault:
            yield f"{order_id}: {fault}"


def tell_of(day: HttpDay, stories: Mapping[str, Sequence[EventRow]], console: Console) -> bool:
    """Print what went over HTTP. Returns whether the subscriber was told of everything."""
    rows: list[list[object]] = []
    for channel, counts in day.shops.items():
        rows += [[f"messages of the shop of {channel}", counts["sent"]]]
        rows += [["… that it sent twice, under one id", counts["repeated"]]]
        rows += [["… orders that were told paid before they were told new", counts["mixed"]]]
        rows += [["… refunds that it paid", counts["paid_back"]]]
    rows += [
        ["refunds by people, of what their orders never could get", day.settled],
        ["deliveries to the subscriber", day.came],
        ["… that it failed at: each tenth event, the first time", day.failed],
        ["… of an event that it had taken before", day.repeated],
        ["events that it has taken, each once", len(day.taken)],
    ]
    console.print()
    console.print("Over HTTP", style="bold")
    console.print(make_table(["what", ">number"], rows))
    faults = list(faults_in(day, stories))
    for fault in faults[:_SHOWN_MAX]:
        console.print(fault, markup=False)
    if faults:
        console.print(f"events: {len(faults)} faults")
    else:
        console.print("events: each was delivered once, in the sequence of its order")
    return not faults


def _types(what: str) -> Collection[str]:
    """The type of the event that a line of a story is; none: it is none."""
    word = what.split(":", maxsplit=1)[0]
    if word == "cancelled":
        return _ANY_END
    return (TOLD[word],) if word in TOLD else ()


def _fault(told: Sequence[Told], story: Sequence[Collection[str]]) -> str:
    expected = [types for types in story if types]
    if len(told) != len(expected):
        return f"{len(told)} of {len(expected)} events"
    if [one.sequence for one in told] != sorted(one.sequence for one in told):
        return "out of sequence"
    pairs = zip(told, expected, strict=True)
    return next(
        (f"{one.type} and not {types}" for one, types in pairs if one.type not in types), ""
    )
