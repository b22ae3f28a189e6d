"""How long the warehouse may take for each stage of a fulfilment, before a person is told."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final

from temporalio import workflow

from workflows.engine.steps import UNHURRIED, Steps, step_name
from workflows.state.fulfilment import Fulfilment

with workflow.unsafe.imports_passed_through():
    from activities.fulfilment.contracts import Look, Part
    from activities.fulfilment.fulfilments import Fulfilments
    from activities.warehouse.outside_work import OutsideWork
    from domain.orders.fulfilment_state import FulfilmentState
    from domain.orders.handling import PICK_UP, Handling, is_outside
    from domain.orders.policy import Policy
    from domain.words import span

NEXT: Final[Mapping[FulfilmentState, str]] = {
    "picking": "picked",
    "picked": "packed",
    "packed": "handed over",
    "labelled": "handed over",
}
"""What is to become of a fulfilment in each state that the warehouse sees to."""


class StageLimits:
    """One wait spans all stages. When its time is over, the row says which stage it is in.

    Goods that nobody collects are given up; for everything else that is late a person is asked.

    The wait begins with the soonest limit of all. What is not overdue then is waited for as long as
    is left of it.
    """

    def __init__(
        self, steps: Steps, policy: Policy, fulfilment_id: str, handling: Handling
    ) -> None:
        self._steps = steps
        self._fulfilment_id = fulfilment_id
        self._limits: dict[FulfilmentState, timedelta] = {
            "picking": policy.pick_within,
            "picked": policy.pack_within,
            "packed": policy.hand_over_within,
            "labelled": policy.hand_over_within,
        }
        self._is_collected = handling == PICK_UP
        if self._is_collected:
            self._limits["labelled"] = policy.collect_within
        elif is_outside(handling):
            self._limits["labelled"] = policy.work_within
        self.given_up = ""  # why it is sent no more, without anybody being asked
        self._soonest = self._patience = min(self._limits.values())

    def within(self) -> timedelta:
        """How long to wait before the next look."""
        return self._patience

    def take_up(self, state: FulfilmentState, since: datetime) -> None:
        """An earlier run has waited since then, in this state. `within` counts from then, too."""
        limit = self._limits.get(state, self._soonest)
        self._patience = min(limit, workflow.now() - since + max(self._soonest, UNHURRIED))

    def begin_anew(self, state: FulfilmentState | None) -> None:
        """The fulfilment has just come to this state."""
        self._patience = self._limits.get(state or "picking", self._soonest)

    async def overdue(self) -> str | None:
        """Why a person must see to it; None where it is not late in its stage."""
        part_id = self._fulfilment_id
        look = Look(fulfilment_ids=(part_id,), within=self._limits)
        found = await self._steps.record(
            Fulfilments.stages, look, part_id, f"Look what stage {part_id} is in"
        )
        stage = found.stages[part_id]
        limit = self._limits.get(stage.state)
        if limit is None:  # it has left, or it was stopped: that is on its way to here
            self._patience = self._soonest
            return None
        if stage.lasted >= limit:
            self._patience = limit
            if self._is_collected and stage.state == "labelled":
                self.given_up = f"not collected within {span(limit)}"
                return None
            return f"{part_id} is not {NEXT[stage.state]} within {span(limit)}"
        # A later stage may have less time than is left of this one.
        self._patience = min(limit - stage.lasted, max(self._soonest, UNHURRIED))
        return None


async def tried_again(steps: Steps, fulfilment: Fulfilment, why: str) -> bool:
    """Ask a person about a workshop that could not do its work, and have it tried again.

    False: it is given up, or was stopped meanwhile.
    """
    part_id = fulfilment.id
    step = step_name(Fulfilments.pick_pack_ship, part_id)
    answer = await steps.attention.answered(
        step, f"the workshop: {why}", ("retry", "cancel"), lambda: fulfilment.recalled
    )
    if answer is None or answer.action == "cancel":
        return False
    again = Part(fulfilment_id=part_id)
    await steps.record(OutsideWork.work_wanted_again, again, part_id, "Try it again")
    return True
