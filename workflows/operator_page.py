"""The page that operators read about an order in the Temporal UI. Nothing personal.

It says what the order waits for, since when and until when, whose turn it is, and which command
goes on from there. The UI shows tables without space between their columns, so there is none.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Final

from temporalio import workflow

from workflows.chapters.holds import OpenHold
from workflows.engine.attention import Parked
from workflows.engine.steps import OpenStep
from workflows.state.fulfilment import Fulfilment
from workflows.state.order_book import OrderBook

with workflow.unsafe.imports_passed_through():
    from domain.orders.attention import MEANING, answering, how_it_ends
    from domain.orders.continuation import Stage
    from domain.orders.policy import Policy
    from domain.orders.quantities import LineUnits
    from domain.words import few, span

_COUNTS = (
    "open",
    "backordered",
    "allocated",
    "shipped",
    "cancelled",
    "lost",
    "delivered",
)

_STAGES: Final[Mapping[Stage, str]] = {
    "planned": "reserved",
    "under_way": "with the warehouse",
    "await_delivery": "handed over to the carrier",
    "recalled": "stopped; it is sent anew",
    "to_charge": "not charged yet",
    "ended": "not sent",
}


@dataclass(frozen=True)
class Facts:
    """What the page tells. `why`: the reason of the order's end. `window_ends`: that of returns."""

    phase: str
    why: str
    policy: Policy
    book: OrderBook
    open: list[OpenStep]
    parked: list[Parked]
    hold: OpenHold | None
    window_ends: datetime | None

    @cached_property
    def skus(self) -> dict[str, str]:
        """The SKU of each line."""
        return {line.line_id: line.sku for line in self.book.terms.lines}


def page(facts: Facts) -> str:
    """Markdown: what the order is, what needs a person, what it waits for, where its units are."""
    book, order_id = facts.book, facts.book.order_id
    total = f" · {book.money(book.terms.total_minor)}" if book.known else ""
    held = ", held" if facts.hold is not None else ""
    parts = [f"**{order_id}** · {facts.phase}{held}{total}"]
    if facts.why:
        parts.append(f"Reason: {facts.why}")
    parts += [_attention(order_id, parked) for parked in facts.parked]
    parts += _list("It waits until", _waits(facts))
    parts += _limits(facts)
    parts += _list("Under way", _under_way(facts))
    parts += _list("Parcels", _parcels(facts))
    if book.known:
        parts += _list("Lines", (_line(facts, line_id) for line_id in book.lines))
    parts.append(_more(facts))
    return "\n\n".join(parts)


# What needs a person ------------------------------------------------------------------------------


def _attention(order_id: str, parked: Parked) -> str:
    told = f"⚠ **Needs attention** since {_time(parked.since)}: {parked.reason} (`{parked.step}`)."
    if not parked.allowed:
        how, command = how_it_ends(parked.step)
        return f"{told} Nothing is to be decided: {how}{command and f': `{command}`'}."
    ways = (
        f"- `{answering(order_id, parked.step, answer)}`: {MEANING[answer]}"
        for answer in parked.allowed
    )
    return "\n".join([f"{told} Decide with one of these:", "", *ways])


# What it waits for --------------------------------------------------------------------------------


def _waits(facts: Facts) -> Iterator[str]:
    if facts.hold is not None:
        yield _until_paid(facts, facts.hold)
    asked = {parked.step for parked in facts.parked if parked.allowed}
    for step in facts.open:
        if step.waits and step.name not in asked:
            tell = _WAITS.get(step.do)
            yield tell(facts, step) if tell else f"{step.summary}, since {_time(step.since)}"
    if facts.phase == "return window" and facts.window_ends is not None:
        yield f"the return window is over, on {_time(facts.window_ends)}; then it closes by itself"


def _until_paid(facts: Facts, hold: OpenHold) -> str:
    order_id = facts.book.order_id
    if hold.until is None:
        return (
            f"somebody here says that it is to be charged, since {_time(hold.since)}:"
            f" `orderloom charge {order_id} --note '…'`"
        )
    then = "it is rejected" if facts.phase == "received" else "what has not left is cancelled"
    return (
        f"the customer has paid ({hold.note}), since {_time(hold.since)}:"
        f" `orderloom pay {order_id} TOKEN`. If that is not done by {_time(hold.until)}, {then}"
    )


def _until_handed_over(facts: Facts, step: OpenStep) -> str:
    fulfilment = facts.book.fulfilments[step.part_id]
    return (
        f"the warehouse at {fulfilment.location} has picked, packed and handed over"
        f" `{fulfilment.id}` ({_goods(facts, fulfilment.units)}), since"
        f" {_time(fulfilment.since or step.since)}; which of these comes next:"
        f" `orderloom warehouse tasks`"
    )


def _until_delivered(facts: Facts, step: OpenStep) -> str:
    fulfilment = facts.book.fulfilments[step.part_id]
    return (
        f"the carrier has delivered `{fulfilment.id}` ({_goods(facts, fulfilment.units)}), since"
        f" {_time(fulfilment.since or step.since)}; tracking number, and what the carrier says:"
        f" `orderloom show {facts.book.order_id}`"
    )


def _until_in_stock(facts: Facts, step: OpenStep) -> str:
    goods = _goods(facts, facts.book.waiting)
    told = f"stock comes for {goods}, since {_time(step.since)}; what is on order:"
    told += " `orderloom purchase-orders list`"
    until = facts.book.waits_until
    return told if until is None else f"{told}; what has not come by {_time(until)} is cancelled"


def _until_back(facts: Facts, step: OpenStep) -> str:
    return (
        f"the parcel of return `{step.part_id}` has come and is counted, since"
        f" {_time(step.since)}: `orderloom warehouse receive-return {step.part_id}`"
    )


_WAITS: dict[str, Callable[[Facts, OpenStep], str]] = {
    "pick_pack_ship": _until_handed_over,
    "await_delivery": _until_delivered,
    "await_stock": _until_in_stock,
    "receive_return": _until_back,
}
"""By activity, how a wait for the outside is told."""


def _limits(facts: Facts) -> list[str]:
    """How long the outside may take before a person is told."""
    policy, late = facts.policy, {parked.step for parked in facts.parked}
    waits = {step.do for step in facts.open if step.waits and step.name not in late}
    limits = []
    if "pick_pack_ship" in waits:
        limits.append(f"picking takes longer than {span(policy.pick_within)}")
        limits.append(f"packing longer than {span(policy.pack_within)}")
        limits.append(f"the hand-over longer than {span(policy.hand_over_within)}")
    if "await_delivery" in waits:
        limits.append(f"there is no scan for {span(policy.scan_within)}")
    if "receive_return" in waits:
        limits.append(f"a return has not come within {span(policy.return_ends_within)}")
    return [f"It will need attention if {', or '.join(limits)}."] if limits else []


def _under_way(facts: Facts) -> Iterator[str]:
    """Steps that nobody is asked about: they end at once, or are tried again for some time."""
    asked = {parked.step for parked in facts.parked}
    patience = span(facts.policy.give_up_after)
    for step in facts.open:
        if not step.waits and step.name not in asked:
            yield (
                f"{step.summary} (`{step.name}`), since {_time(step.since)}; where it fails, it is"
                f" tried again, and needs attention after {patience}"
            )


# What there is ------------------------------------------------------------------------------------


def _parcels(facts: Facts) -> Iterator[str]:
    """Those that nothing else on the page tells of."""
    waits = {step.part_id for step in facts.open if step.waits}
    for fulfilment in facts.book.fulfilments.values():
        if fulfilment.id not in waits:
            goods = _goods(facts, fulfilment.units)
            contents = f" ({goods})" if goods else ""
            place, state = fulfilment.location, _state(facts, fulfilment)
            yield f"`{fulfilment.id}` from {place}{contents}: {state}"


def _state(facts: Facts, fulfilment: Fulfilment) -> str:
    if fulfilment.outcome:
        return fulfilment.outcome
    if fulfilment.stage == "under_way" and facts.hold is not None:
        return "not handed over before it is paid"
    return _STAGES[fulfilment.stage]


def _line(facts: Facts, line_id: str) -> str:
    line = facts.book.lines[line_id]
    counts = {name: getattr(line, name) for name in _COUNTS}
    counts["shipped"] -= line.delivered + line.lost  # those still on their way
    standing = ", ".join(f"{units} {name}" for name, units in counts.items() if units)
    if line.returned:
        standing += f" ({line.returned} of them came back)"
    return f"line {line_id}, {facts.skus[line_id]}: {line.ordered} ordered; {standing}"


def _more(facts: Facts) -> str:
    order_id = facts.book.order_id
    told = f"All of it: `orderloom show {order_id}`. What happened, who did it, and why:"
    told += f" `orderloom events {order_id}`."
    to_stop = facts.book.waiting or any(f.stoppable for f in facts.book.fulfilments.values())
    if to_stop:
        told += f" To stop what has not left: `orderloom cancel {order_id} --reason '…'`."
    return told


def _goods(facts: Facts, units: LineUnits) -> str:
    return few((f"{n} × {facts.skus[line_id]}" for line_id, n in units.items()), "SKU")


def _list(title: str, items: Iterable[str]) -> list[str]:
    told = [f"- {item}" for item in items]
    return ["\n".join([f"**{title}**", "", *told])] if told else []


def _time(moment: datetime) -> str:
    # Its own format would take five times as long, and a page has many.
    return f"{moment.isoformat(' ', 'seconds')[:19]} UTC"
