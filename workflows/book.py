"""What an order's workflow knows: where each unit stands, and what it is worth.

The book is the workflow's own copy of the counts that its steps write to the database. Decisions
are made on it alone, so that a replay decides the same.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import datetime
from typing import Self

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from domain import ids
    from domain.amounts import Worth, value_lines, worth_of
    from domain.continuation import BookState, ParcelState, Stage
    from domain.fulfilments import Planned
    from domain.money import Money
    from domain.order import Order
    from domain.quantities import LineQuantities


class Parcel:
    """One fulfilment on its way: its units, the step it is in, and whether it was recalled."""

    def __init__(self, planned: Planned) -> None:
        self.id = planned.fulfilment_id
        self.location = planned.location
        self.units = dict(planned.units)
        self.stage: Stage = "planned"
        self.recalled = False
        # Recalled while its label may be being bought: that call ends by itself, and its outcome is
        # awaited, so that no label is left behind.
        self.buying = False
        self.replacing = False  # lost, and others are being reserved in its place
        self.recalling = asyncio.Lock()  # a request and an operator may both want to stop it
        self.outcome = ""
        self.return_id = ""  # under which it comes back undeliverable
        self.begun: list[str] = []  # the saga steps that may have to be undone
        self.task: asyncio.Task[None] | None = None

    @classmethod
    def restored(cls, state: ParcelState) -> Self:
        """The parcel as an earlier run left it."""
        parcel = cls(Planned(fulfilment_id=state.id, location=state.location, units=state.units))
        parcel.stage = state.stage
        parcel.begun = list(state.begun)
        parcel.recalled = state.recalled
        parcel.return_id = state.return_id
        parcel.outcome = state.outcome
        return parcel

    def state(self) -> ParcelState:
        """The parcel for the next run."""
        return ParcelState(
            id=self.id,
            location=self.location,
            units=self.units,
            stage=self.stage,
            begun=tuple(dict.fromkeys(self.begun)),
            recalled=self.recalled,
            return_id=self.return_id,
            outcome=self.outcome,
        )

    @property
    def stoppable(self) -> bool:
        """Not handed over yet, as far as is known here."""
        return self.stage in ("planned", "pick", "pack", "ship") and not self.recalled

    @property
    def ended(self) -> bool:
        return self.stage == "ended"


class OrderBook:
    """Unit counts by line, the order's parcels, and the amounts that follow from them."""

    def __init__(self, order: Order, state: BookState | None = None) -> None:
        state = state or BookState()
        self.order = order
        self.worth = value_lines(order)
        self.lines = {line.line_id: LineQuantities(ordered=line.quantity) for line in order.lines}
        self.lines |= state.lines
        self.parcels = {parcel.id: Parcel.restored(parcel) for parcel in state.parcels}
        self.authorized = state.authorized
        self.last_delivery = state.last_delivery
        self.round = state.round  # of waiting for what is backordered
        self.waits_until = state.waits_until
        self.given_up = state.given_up
        # Units sent in place of lost ones: paid for already.
        self._prepaid = dict.fromkeys(self.lines, 0) | state.prepaid

    def state(self) -> BookState:
        """The book for the next run."""
        return BookState(
            lines=self.lines,
            prepaid=self._prepaid,
            parcels=tuple(parcel.state() for parcel in self.parcels.values()),
            authorized=self.authorized,
            last_delivery=self.last_delivery,
            round=self.round,
            waits_until=self.waits_until,
            given_up=self.given_up,
        )

    @property
    def next_number(self) -> int:
        return len(self.parcels) + 1

    def next_fulfilment_id(self) -> str:
        return ids.fulfilment_id(self.order.order_id, self.next_number)

    def money(self, minor: int) -> Money:
        return Money(minor=minor, currency=self.order.currency)

    def allocated(self, planned: Planned) -> Parcel:
        """Stock is reserved for a new fulfilment."""
        self._each("allocate", planned.units)
        return self._add(planned)

    def reassigned(self, planned: Planned) -> Parcel:
        """Units of a recalled fulfilment go on in a new one."""
        return self._add(planned)

    def backordered(self, units: Mapping[str, int]) -> None:
        """There are none of these: they are waited for."""
        self._each("backorder", units)

    def filled(self, planned: Planned) -> Parcel:
        """What was waited for has come, and is allocated."""
        self._each("unbackorder", planned.units)
        return self.allocated(planned)

    def not_waited_for(self, units: Mapping[str, int]) -> tuple[dict[str, int], Worth]:
        """Backordered units that will not be sent. Returns as `cancelled` does."""
        self._each("unbackorder", units)
        return self.cancelled(units, allocated=False)

    def cancelled(
        self, units: Mapping[str, int], *, allocated: bool
    ) -> tuple[dict[str, int], Worth]:
        """These units will not be sent.

        Returns those that are paid for already, because they were to make good for lost ones, and
        what is owed for them.
        """
        if allocated:
            self._each("unallocate", units)
        self._each("cancel", units)
        overpaid = {}
        for line_id in units:
            line = self.lines[line_id]
            excess = self._prepaid[line_id] - (line.open + line.backordered + line.allocated)
            if excess > 0:
                self._prepaid[line_id] -= excess
                overpaid[line_id] = excess
        return overpaid, self.refund(overpaid)

    def not_found(self, parcel: Parcel, missing: Mapping[str, int]) -> None:
        """A short pick: the units are open again and no part of this parcel."""
        self._each("unallocate", missing)
        left = {line_id: units - missing.get(line_id, 0) for line_id, units in parcel.units.items()}
        parcel.units = {line_id: units for line_id, units in left.items() if units}

    def shipped(self, parcel: Parcel) -> tuple[dict[str, int], Worth]:
        """The parcel is handed over. Returns the units to charge for, and what they are worth."""
        self._each("ship", parcel.units)
        due = {}
        for line_id, units in parcel.units.items():
            prepaid = min(units, self._prepaid[line_id])
            self._prepaid[line_id] -= prepaid
            if units > prepaid:
                due[line_id] = units - prepaid
        worth = worth_of(self.worth, self._count("charged"), due)
        self._each("charge", due)
        return due, worth

    def delivered(self, parcel: Parcel, at: datetime) -> None:
        """The customer has it."""
        self._each("deliver", parcel.units)
        self.last_delivery = max(at, self.last_delivery or at)

    def lost(self, replaced: Mapping[str, int], given_up: Mapping[str, int]) -> Worth:
        """The carrier lost units: some are sent again, paid already; returns the others' refund."""
        self._each("replace", replaced)
        for line_id, units in replaced.items():
            self._prepaid[line_id] += units
        self._each("lose", given_up)
        return self.refund(given_up)

    def came_back(self, parcel: Parcel) -> Worth:
        """Undeliverable and back at the warehouse. Returns what is owed for it."""
        self._each("come_back", parcel.units)
        return self.refund(parcel.units)

    def refund(self, units: Mapping[str, int]) -> Worth:
        """Units that the customer is paid back for. Returns what they are worth."""
        worth = worth_of(self.worth, self._count("refunded"), units)
        self._each("refund", units)
        return worth

    def return_requested(self, units: Mapping[str, int]) -> None:
        self._each("request_return", units)

    def return_received(self, requested: Mapping[str, int], received: Mapping[str, int]) -> Worth:
        """A return parcel was counted. Returns what is owed for what came."""
        for line_id, units in requested.items():
            self.lines[line_id] = self.lines[line_id].receive_return(
                units, received.get(line_id, 0)
            )
        return self.refund({k: n for k, n in received.items() if n})

    @property
    def charged_worth(self) -> int:
        """What has been, or is being, charged. In minor units."""
        return worth_of(self.worth, {}, self._count("charged")).total

    @property
    def deliverable_worth(self) -> int:
        """What all units that are not cancelled are worth. In minor units."""
        wanted = {k: line.ordered - line.cancelled for k, line in self.lines.items()}
        return worth_of(self.worth, {}, wanted).total

    @property
    def waiting(self) -> dict[str, int]:
        """Line id → units that are backordered."""
        return {k: line.backordered for k, line in self.lines.items() if line.backordered}

    @property
    def nothing_shipped(self) -> bool:
        return all(line.shipped == 0 for line in self.lines.values())

    @property
    def all_returned(self) -> bool:
        return all(line.returned == line.delivered for line in self.lines.values())

    def _add(self, planned: Planned) -> Parcel:
        parcel = Parcel(planned)
        self.parcels[parcel.id] = parcel
        return parcel

    def _count(self, name: str) -> dict[str, int]:
        return {line_id: getattr(line, name) for line_id, line in self.lines.items()}

    def _each(self, move: str, units: Mapping[str, int]) -> None:
        for line_id, quantity in units.items():
            self.lines[line_id] = getattr(self.lines[line_id], move)(quantity)
