"""One fulfilment of an order, as the order's workflow sees it."""

from __future__ import annotations

import asyncio
from datetime import datetime
from typing import Self

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from domain.fulfilment.fulfilments import Planned
    from domain.orders.continuation import FulfilmentProgress, Stage


class Fulfilment:
    """One fulfilment on its way: its units, what is awaited, and whether it was recalled."""

    def __init__(self, planned: Planned) -> None:
        self.id = planned.fulfilment_id
        self.location = planned.location
        self.units = dict(planned.units)
        self.stage: Stage = "planned"
        self.since: datetime | None = None  # as long as it waits for the outside
        self.recalled = False
        self.replacing = False  # lost, and others are being reserved in its place
        self.recalling = asyncio.Lock()  # a request and an operator may both want to stop it
        self.outcome = ""
        self.return_id = ""  # under which it comes back undeliverable
        self.task: asyncio.Task[None] | None = None

    @classmethod
    def restored(cls, state: FulfilmentProgress) -> Self:
        """The fulfilment as an earlier run left it."""
        fulfilment = cls(
            Planned(fulfilment_id=state.id, location=state.location, units=state.units)
        )
        fulfilment.stage = state.stage
        fulfilment.since = state.since
        fulfilment.recalled = state.recalled
        fulfilment.return_id = state.return_id
        fulfilment.outcome = state.outcome
        return fulfilment

    def state(self) -> FulfilmentProgress:
        """The fulfilment for the next run."""
        return FulfilmentProgress(
            id=self.id,
            location=self.location,
            units=self.units,
            stage=self.stage,
            since=self.since,
            recalled=self.recalled,
            return_id=self.return_id,
            outcome=self.outcome,
        )

    @property
    def stoppable(self) -> bool:
        """Not handed over yet, as far as is known here."""
        return self.stage in ("planned", "under_way") and not self.recalled

    @property
    def ended(self) -> bool:
        return self.stage == "ended"
