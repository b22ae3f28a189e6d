"""Leads the life of an order to a step that few lives come to, so that its mishaps are met there.

A life that is led has people, goods and a policy such that the step is probable. All else is as
chance has it. What people do for it has names of its own: a life goes on as before without it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Final, Literal, Protocol

from tests.simulation.chance import Chance
from tests.simulation.driver import MISHAPS, Direction
from tests.simulation.world.memory import Memory
from tests.simulation.world.stock import Part, Stock
from workflows.order_steps import STEPS

UNDOS: Final = STEPS.undos
EXCHANGED: Final = ("agree_exchange", "await_exchange")
"""An exchange is two orders: they are lived on PostgreSQL, some of them, and not in memory."""
ORDER_STEPS: Final = (
    *(each.name for each in STEPS if each.name not in EXCHANGED),
    *UNDOS,
    "note_attention",
)
"""Every activity of an order."""

COMMON: Final = ("pick_pack_ship", "await_delivery", "note_attention", "read_state")
"""So often part of a life that no life has to be led there."""
ONCE_AT_MOST: Final = ("void_label", "fill_backorder", "note_hold")
"""A life comes to these once or not at all, also where it is led there: more lives are."""
PLANNED: Final = (
    "change_holds",
    "make_claim",
    "decide_claim",
)
"""Some lives come to these by plans of their own: the mishaps come there with the plan."""
AFTER_THE_CLOSE: Final = ("reopen_order", "close_again")
"""A life comes to these by what somebody asks for when it is closed."""
LED_TO: Final = (
    *(each for each in ORDER_STEPS if each not in (*COMMON, *PLANNED, *AFTER_THE_CLOSE)),
    *ONCE_AT_MOST,
)

LED: Final = "led to"

AT_MOST: Final = 3
"""So often is the same thing done for it."""

SPARED: Final = 6
"""One life of so many goes where chance leads it."""


class Led(Protocol):
    """What is looked at, to see whether it is time to act."""

    memory: Memory
    stock: Stock


@dataclass(frozen=True)
class Lead:
    """What makes a step probable. `when` → `act`: what somebody does then, after about `hours`."""

    policy: Mapping[str, Any] = field(default_factory=dict)
    when: Callable[[Led], bool] = lambda _: False
    act: str = ""
    hours: float = 0.1
    slow: float | None = None
    lasting: timedelta | None = None
    stocked: Literal["as it comes", "badly", "not", "well"] = "well"
    short: float | None = None
    """How probable it is that the picker finds less."""
    asked: float | None = None
    """How probable it is that a person decides about a return."""
    posted: float | None = None
    """How probable it is that a carrier has a return's parcel before it is counted."""
    bought: bool = False
    """Suppliers are asked for what lacks."""
    workshop: bool = False
    """A workshop works on the goods."""
    spoilt: float | None = None
    """How probable it is that the workshop fails."""
    ahead: bool = False
    """All of it is ordered before its first day of sale."""


def _in(*states: str) -> Callable[[Led], bool]:
    """One of its fulfilments is there, and the order is confirmed."""

    def when(life: Led) -> bool:
        return life.memory.decision == "confirmed" and any(
            part.state in states and any(part.reserved.values())
            for part in life.stock.parts.values()
        )

    return when


def _delivered(life: Led) -> bool:
    return any(part.state == "delivered" for part in life.stock.parts.values())


def _several(part: Part) -> bool:
    several = sum(part.reserved.values()) > 1
    return several and part.state in ("picking", "picked", "packed", "labelled")


def _waited_for(life: Led) -> bool:
    return any(each.quantity for each in life.stock.backorders.values())


def _at_once(life: Led) -> bool:
    return life.memory.decision == ""


def days(count: float) -> timedelta:
    return timedelta(days=count)


_BACKORDERS: Final = {
    "backorder": True,
    "partly_available": "ship_available",
    "backorder_within": days(20),
    "replace_missing": True,
}
_RETURNS: Final = {"return_window": days(14), "return_within": days(30)}

LEADS: Final[Mapping[str, Lead]] = {
    "keep_answer": Lead({"backorder": False}, _at_once, "cancel, named", hours=0, stocked="not"),
    "recall": Lead(when=_in("picking", "picked"), act="cancel", slow=3),
    "release_stock": Lead(when=_in("picking"), act="cancel some", slow=3),
    "put_back": Lead(when=_in("picked", "packed"), act="cancel one", slow=2),
    "void_label": Lead({"hand_over_within": days(2)}, _in("labelled"), "cancel", slow=20),
    "take_out": Lead(
        when=lambda life: (
            life.memory.decision == "confirmed"
            and any(_several(part) for part in life.stock.parts.values())
        ),
        act="cancel one",
        slow=3,
    ),
    "void_payment": Lead({"charge": "at_shipment"}, _in("picking", "picked"), "cancel some"),
    "approve_return": Lead(_RETURNS, _delivered, "return some"),
    "decide_return": Lead(_RETURNS, _delivered, "return some", asked=0.9),
    "receive_return": Lead(_RETURNS, _delivered, "return some"),
    "receive_paid_return": Lead(_RETURNS, _delivered, "return some", asked=0, posted=0.95),
    "grant_refund": Lead(_RETURNS, _delivered, "pay back a cent"),
    "refund_payment": Lead(
        {**_RETURNS, "charge": "at_confirmation"}, _delivered, "pay back a cent"
    ),
    "await_stock": Lead(_BACKORDERS, _waited_for, "goods that lack arrive", 30, stocked="badly"),
    "fill_backorder": Lead(_BACKORDERS, _waited_for, "goods that lack arrive", 30, stocked="badly"),
    "join_backorders": Lead(_BACKORDERS, _in("open", "picking"), "count falls short", slow=20),
    **dict.fromkeys(
        ("open_purchases", "cancel_purchase"),
        Lead(_BACKORDERS, _waited_for, "cancel some", stocked="badly", bought=True),
    ),
    "stop_work": Lead(when=_in("labelled"), act="cancel", slow=20, workshop=True, spoilt=0),
    "work_wanted_again": Lead(workshop=True, spoilt=0.8),
    "before_giving_up": Lead(
        {**_BACKORDERS, "backorder_within": days(1)}, ahead=True, stocked="badly"
    ),
    "wait_longer": Lead({**_BACKORDERS, "backorder_within": days(1)}, ahead=True),
    "apply_edit": Lead(when=_in("open", "picking", "picked", "packed"), act="wish"),
    "reserve_again": Lead({"replace_missing": True}, short=0.9),
    "note_hold": Lead({"charge": "manual"}),
    "charge_payment": Lead({"charge": "at_confirmation"}),
    "authorize_payment": Lead({"charge": "at_shipment"}, slow=20, lasting=days(2)),
    "last_scan": Lead({"scan_within": days(0.5)}),
    "stages": Lead({"pack_within": days(0.2)}, slow=20),
    **dict.fromkeys(AFTER_THE_CLOSE, Lead({"return_window": days(0.1)})),
    "tell": Lead(when=_in("picking", "picked", "packed", "shipped"), act="nonsense"),
}
"""Steps that are not here are part of most lives."""

ON_THE_WAY: Final[Mapping[str, str]] = {
    "await_stock": "fill_backorder",
    "recall": "put_back",
    "receive_return": "approve_return",
    "void_label": "put_back",
    "take_out": "void_label",
    "release_stock": "reassign",
}
"""Lives that are led to a step have mishaps also at this one, to which few lives come."""


def direction(chance: Chance, steps: Sequence[str], number: int) -> Direction | None:
    """Where the n-th life is led to, and which mishap comes first there."""
    turn, place = divmod(number, len(steps))
    step = steps[place]
    if chance.only is not None:  # as it was kept, whatever has become of the numbers
        kept = [each for each in steps if f"{LED} {each}" in chance.only]
        return Direction(kept[0], 0) if kept and chance.happens(LED, kept[0], 1) else None
    if turn % SPARED == SPARED - 1 or not chance.happens(LED, step, 1):
        return None
    # One mishap further each time.
    return Direction(step, (turn - turn // SPARED) % len(MISHAPS))


def late_direction(chance: Chance) -> Direction | None:
    """A life that is led nowhere else may be led to what comes after its end."""
    rng = chance.of("led after the close")
    step, first = rng.choice(AFTER_THE_CLOSE), rng.randrange(len(MISHAPS))
    if rng.random() < 0.7 and chance.happens(LED, step, 1):
        return Direction(step, first)
    return None


def planned_direction(chance: Chance, step: str) -> Direction:
    """Leads mishaps also to a step that people of this life have planned."""
    return Direction(step, chance.of(f"mishaps of {step}").randrange(len(MISHAPS)))


class Leader:
    """Sees to it that somebody acts when the time has come."""

    def __init__(
        self,
        lead: Lead,
        life: Led,
        chance: Chance,
        later: Callable[[timedelta, Callable[[], None]], None],
        act: Callable[[str, str], None],
    ) -> None:
        self._lead = lead
        self._life = life
        self._chance = chance
        self._later = later
        self._act = act
        self._done = 0
        self._under_way = False

    def look(self) -> None:
        """Called whenever something may have changed."""
        if self._done >= AT_MOST or self._under_way or not self._lead.when(self._life):
            return
        self._done += 1
        name, act = f"led-{self._done}", self._lead.act
        if self._chance.happens(f"{act}, as the life is led", name, 0.9):
            self._under_way = True
            hours = self._lead.hours and self._chance.of(name).expovariate(1 / self._lead.hours)
            self._later(timedelta(hours=hours), lambda: self._go(act, name))

    def _go(self, act: str, name: str) -> None:
        self._under_way = False
        self._act(act, name)
