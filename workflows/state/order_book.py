"""The order's book: the counts of each line's units, and its fulfilments.

The book is the workflow's own copy of the counts that its steps write to the database. Decisions
are made on it alone, so that a replay decides the same. Amounts are no part of it: what is charged
and paid back is decided in the transactions of facts, from rows.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import datetime

from temporalio import workflow

from workflows.state.fulfilment import Fulfilment

with workflow.unsafe.imports_passed_through():
    from domain.fulfilment.fulfilments import Planned
    from domain.money import Money
    from domain.orders.amounts import LineWorth, worth_of
    from domain.orders.continuation import OrderState
    from domain.orders.handling import Handling
    from domain.orders.quantities import LineId, LineQuantities, LineUnits
    from domain.orders.terms import Terms


class OrderBook:
    """Unit counts by line, and the order's fulfilments."""

    def __init__(self, order_id: str) -> None:
        self.order_id = order_id
        self._terms: Terms | None = None
        self.lines: dict[LineId, LineQuantities] = {}
        self.worth: dict[LineId, LineWorth] = {}
        self.handlings: dict[LineId, Handling] = {}
        self.fulfilments: dict[str, Fulfilment] = {}
        self.authorized = False
        self.authorizations_asked = 0  # in this run: what was asked for may be authorized
        self.last_delivery: datetime | None = None
        self.round = 1  # of waiting for what is backordered
        self.waits_until: datetime | None = None
        # While units are allocated, nobody knows how many wait.
        self.allocating = asyncio.Lock()
        # While units are claimed or asked back, nobody knows how many the customer keeps.
        self.taking_back = asyncio.Lock()
        self.being_edited = False  # rows may have changed of which the book has not heard yet

    def take_up(self, state: OrderState) -> None:
        """Go on with the counts that rows have."""
        self.lines = dict(state.lines)
        self.learn(state.terms)
        self.fulfilments = {
            each.fulfilment_id: Fulfilment.taken_up(each) for each in state.fulfilments
        }
        self.authorized = state.authorized
        self.last_delivery = state.last_delivery
        self.round = state.round

    def learn(self, terms: Terms) -> None:
        """Learn the order's terms. Before that there is nothing to count or to decide on."""
        self._terms = terms
        for line in terms.lines:
            self.lines.setdefault(line.line_id, LineQuantities(ordered=line.quantity))
            self.worth[line.line_id] = line
            self.handlings[line.line_id] = line.handling

    @property
    def known(self) -> bool:
        """The order's terms are known."""
        return self._terms is not None

    @property
    def terms(self) -> Terms:
        """The order's terms. They must be known."""
        assert self._terms is not None, "the order's terms are not known yet"
        return self._terms

    def may_be_authorized(self) -> None:
        """An amount is being authorized: from now on something may have to be released."""
        self.authorized = True
        self.authorizations_asked += 1

    def stays_authorized(self, anything: bool, known: int) -> None:
        """A charge says whether anything stays authorized, of the authorizations `known` to it.

        It knows nothing of one that was asked for after the charge was.
        """
        if known == self.authorizations_asked:
            self.authorized = anything

    def money(self, minor: int) -> Money:
        return Money(minor=minor, currency=self.terms.currency)

    def allocated(self, planned: Planned) -> Fulfilment:
        """Stock is reserved for a new fulfilment."""
        self._each("allocate", planned.units)
        return self._add(planned)

    def reassigned(self, planned: Planned) -> Fulfilment:
        """Units of a recalled fulfilment go on in a new one."""
        return self._add(planned)

    def backordered(self, units: LineUnits) -> None:
        """There are none of these: they are waited for."""
        self._each("backorder", units)

    def filled(self, planned: Planned) -> Fulfilment:
        """Backordered units have arrived, and are allocated."""
        self._each("unbackorder", planned.units)
        return self.allocated(planned)

    def not_waited_for(self, units: LineUnits) -> None:
        """Backordered units that will not be sent."""
        self._each("unbackorder", units)
        self.cancelled(units, allocated=False)

    def cancelled(self, units: LineUnits, *, allocated: bool) -> None:
        """These units will not be sent."""
        if allocated:
            self._each("unallocate", units)
        self._each("cancel", units)

    def taken_away(self, waited_for: LineUnits, taken: Mapping[str, LineUnits]) -> None:
        """Units are given back: they are no part of anything any more."""
        self.not_waited_for(waited_for)
        for fulfilment_id, units in taken.items():
            self.cancelled(units, allocated=True)
            self._leave_out(self.fulfilments[fulfilment_id], units)

    def edited(self, terms: Terms) -> None:
        """Go by other terms. What was taken away of a line that stays was never ordered."""
        for line in terms.lines:
            known = self.lines.get(line.line_id)
            more = line.quantity - known.ordered if known else 0
            if known and more > 0:
                self.lines[line.line_id] = known.order_more(more)
            elif known and more < 0:
                self.lines[line.line_id] = known.order_less(-more)
        self.learn(terms)

    def not_found(self, fulfilment: Fulfilment, missing: LineUnits) -> None:
        """A short pick: the units are open again and no part of this fulfilment."""
        self._each("unallocate", missing)
        self._leave_out(fulfilment, missing)

    def shipped(self, fulfilment: Fulfilment) -> None:
        """A fulfilment is handed over."""
        self._each("ship", fulfilment.units)
        fulfilment.stage = "await_delivery"

    def delivered(self, fulfilment: Fulfilment, at: datetime) -> None:
        """The customer has it."""
        self._each("deliver", fulfilment.units)
        self.last_delivery = max(at, self.last_delivery or at)

    def lost(self, replaced: LineUnits, given_up: LineUnits) -> None:
        """The carrier lost units: some are sent again, and the others are paid back."""
        self._each("replace", replaced)
        self._each("lose", given_up)

    def came_back(self, fulfilment: Fulfilment) -> None:
        """Undeliverable and back at the warehouse."""
        self._each("come_back", fulfilment.units)

    def sent_again(self, units: LineUnits) -> None:
        """Others are sent for units that the customer has, and has claimed."""
        self._each("send_again", units)

    def return_requested(self, units: LineUnits) -> None:
        self._each("request_return", units)

    def return_received(self, requested: LineUnits, received: LineUnits) -> None:
        """A return parcel was counted."""
        for line_id, count in requested.items():
            line = self.lines[line_id]
            self.lines[line_id] = line.receive_return(count, received.get(line_id, 0))

    @property
    def deliverable_worth(self) -> int:
        """The worth of all units that are not cancelled, in minor units."""
        return self._worth_of({k: n.ordered - n.cancelled for k, n in self.lines.items()})

    @property
    def waiting(self) -> dict[LineId, int]:
        """Units that are backordered."""
        return {k: line.backordered for k, line in self.lines.items() if line.backordered}

    @property
    def nothing_shipped(self) -> bool:
        return all(line.shipped == 0 for line in self.lines.values())

    @property
    def all_fulfilments_ended(self) -> bool:
        """None is on its way or to come."""
        return all(fulfilment.ended for fulfilment in self.fulfilments.values())

    @property
    def why_closed(self) -> str:
        """The reason of an order's end after something of it was sent."""
        if self.last_delivery is None:
            return "nothing was delivered; what was paid for it is paid back"
        if self.all_returned:
            return "everything came back, and is paid back"
        if any(line.lost for line in self.lines.values()):
            return "delivered but for what was lost, and the return window is over"
        return "delivered, and the return window is over"

    @property
    def all_returned(self) -> bool:
        return all(line.returned == line.delivered for line in self.lines.values())

    def _leave_out(self, fulfilment: Fulfilment, units: LineUnits) -> None:
        left = {line_id: n - units.get(line_id, 0) for line_id, n in fulfilment.units.items()}
        fulfilment.units = {line_id: n for line_id, n in left.items() if n}

    def _add(self, planned: Planned) -> Fulfilment:
        fulfilment = Fulfilment(planned)
        self.fulfilments[fulfilment.id] = fulfilment
        return fulfilment

    def _worth_of(self, units: LineUnits) -> int:
        return worth_of(self.worth, units).total

    def _each(self, move: str, units: LineUnits) -> None:
        for line_id, quantity in units.items():
            self.lines[line_id] = getattr(self.lines[line_id], move)(quantity)
