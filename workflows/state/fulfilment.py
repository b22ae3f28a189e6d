"""One fulfilment of an order, as the order's workflow sees it."""

from __future__ import annotations

import asyncio
from datetime import datetime
from typing import Self

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from domain.fulfilment.fulfilments import Planned
    from domain.orders.continuation import FulfilmentStanding, Stage
    from domain.orders.fulfilment_state import FulfilmentState


class Fulfilment:
    """One fulfilment on its way: its units, what is awaited, and whether it was recalled."""

    def __init__(self, planned: Planned) -> None:
        self.id = planned.fulfilment_id
        self.location = planned.location
        self.handling = planned.handling
        self.units = dict(planned.units)
        self.stage: Stage = "planned"
        self.state: FulfilmentState | None = None  # of its row, as an earlier run left it
        self.since: datetime | None = None  # as long as it waits for the outside
        self.recalled = False
        self.replacing = False  # its units are about to be in another one, or waited for
        # Requests and an operator may want to stop it, or to make it smaller, at the same time.
        self.changing = asyncio.Lock()
        self.undoing = asyncio.Lock()
        self.kept_by = ""  # the reason's code, where it was not given back when last asked for
        self.has_lacked = False  # that units of it are missing was seen to
        self.label_unused = False  # a label of its opened parcel is to be given back still
        self.outcome = ""
        self.return_id = ""  # under which it comes back undeliverable
        self.due_minor = 0  # to be charged, as an earlier run left it
        self.awaits_exchange = False  # what is due is paid by what comes back
        self.task: asyncio.Task[None] | None = None

    @classmethod
    def taken_up(cls, state: FulfilmentStanding) -> Self:
        """The fulfilment as its rows have it."""
        fulfilment = cls(
            Planned(
                fulfilment_id=state.fulfilment_id,
                location=state.location,
                units=state.units,
                handling=state.handling,
            )
        )
        # Charging nothing costs no step, and its label is given back meanwhile.
        ended_unpaid = state.stage == "ended" and (state.due_minor > 0 or state.label_unused)
        fulfilment.label_unused = state.label_unused
        fulfilment.has_lacked = state.has_lacked
        fulfilment.stage = "to_charge" if ended_unpaid else state.stage
        fulfilment.state, fulfilment.since = state.state, state.since
        fulfilment.return_id = state.return_id
        fulfilment.outcome = state.outcome
        fulfilment.due_minor = state.due_minor
        fulfilment.awaits_exchange = state.awaits_exchange
        fulfilment.replacing = state.stage == "recalled"
        return fulfilment

    @property
    def stoppable(self) -> bool:
        """Not handed over yet, as far as is known here."""
        return self.stage in ("planned", "under_way") and not self.recalled

    @property
    def ended(self) -> bool:
        return self.stage == "ended"
