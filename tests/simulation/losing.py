"""Where an order stands when Temporal loses its run; and lives in which it does so there."""

from __future__ import annotations

from collections.abc import Callable, Collection
from datetime import timedelta
from typing import Final

from tests.simulation.chance import Chance
from tests.simulation.driver import LOST, Life

PHASES: Final = (
    *("received", "held", "picking", "packed", "on its way", "return window"),
    *("a charge due", "a return under way", "a refund owed", "being cancelled"),
)
"""An order can be in several at once: its parcels are not all in the same place."""

REOPENED: Final = "reopened"
"""The phase in which something that came late for a closed order is done."""

LED: Final = 0.3
"""So many lives are led to the mishap in one of the phases."""
BY_STEP: Final = {
    "held": "note_hold",
    "a return under way": "approve_return",
    "a refund owed": "refund_payment",
    "being cancelled": "recall",
}
"""Lives come to these phases seldom: they are led there as to this step."""
BY_PHASE: Final = {
    "authorize_payment": "a charge due",
    "reassign": "being cancelled",
}
"""Lives that are led to these steps lose a run in this phase. What was reassigned there carries on;
where all is charged at shipment, a charge is due now and then.
"""
LOOKS: Final = (1, 1, 1, 2, 4, 9)
"""It comes when somebody has found the order in that phase so often."""
SECONDS: Final = (0.0, 0.0, 0.01, 0.3, 900.0)
SHORT: Final = ("a charge due", "being cancelled")
"""An order is there for moments only."""


def phase_of(chance: Chance) -> str:
    """The phase that a life is led to; empty for none."""
    rng = chance.of("is lost")
    return rng.choice(PHASES) if rng.random() < LED else ""


def phase_after_the_close(chance: Chance) -> str:
    """The phase of a life that is led to what comes after its end."""
    return REOPENED if chance.of("is lost after the close").random() < 0.5 else ""


class Losing:
    """Has the run lost while the order is in one phase, and counts in which it is lost."""

    def __init__(
        self, chance: Chance, life: Life, phases: Callable[[], Collection[str]], phase: str
    ) -> None:
        self._chance = chance
        self._life = life
        self._phases = phases
        self._phase = phase
        rng = chance.of("is lost then")
        short = phase in SHORT
        self._looks = 1 if short else rng.choice(LOOKS)
        self._after = timedelta(seconds=rng.choice(SECONDS[:-1] if short else SECONDS))

    def look(self) -> None:
        """Called whenever something may have changed."""
        if not self._phase or self._phase not in self._phases():
            return
        self._looks -= 1
        if self._looks > 0:
            return
        phase, self._phase = self._phase, ""
        if self._chance.happens(LOST, f"while {phase}", 0.9):
            self._life.later(self._after, self._life.lose)

    def lost(self) -> None:
        """It is lost now."""
        for phase in self._phases():
            self._chance.seen[f"lost while {phase}"] += 1
