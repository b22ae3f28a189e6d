"""The order's book: the counts of each line's units, and their worth.

The book is the workflow's own copy of the counts that its steps write to the database. Decisions
are made on it alone, so that a replay decides the same.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

from temporalio import workflow

from workflows.state.charges import Charges, Owed
from workflows.state.fulfilment import Fulfilment

with workflow.unsafe.imports_passed_through():
    from domain import ids
    from domain.fulfilment.fulfilments import Planned
    from domain.money import Money
    from domain.orders.amounts import NOTHING, Worth
    from domain.orders.continuation import BookState
    from domain.orders.quantities import LineId, LineQuantities, LineUnits
    from domain.orders.terms import Terms
    from domain.payments.cover import REST, Need


@dataclass(frozen=True)
class Due:
    """The amounts to charge and to invoice for a fulfilment that goes out.

    `after_refund`: something was paid back before, which can move a minor unit between charges.
    """

    units: LineUnits
    worth: Worth
    invoiced_units: LineUnits
    invoiced: Worth
    after_refund: bool = False


class OrderBook:
    """Unit counts by line, the order's fulfilments, and the amounts that follow from them."""

    def __init__(self, order_id: str, state: BookState | None = None) -> None:
        state = state or BookState()
        self.order_id = order_id
        self._terms: Terms | None = None
        self.lines = dict(state.lines)
        self.charges = Charges(self.lines, state)
        self.fulfilments = {
            fulfilment.id: Fulfilment.restored(fulfilment) for fulfilment in state.fulfilments
        }
        self.authorized = state.authorized
        self.reauthorized = state.reauthorized  # a second authorization may exist
        self.charged_ahead = state.charged_ahead  # all that could be sent then, before it was
        self.last_delivery = state.last_delivery
        self.round = state.round  # of waiting for what is backordered
        self.waits_until = state.waits_until
        # New fulfilments get their numbers one reservation at a time.
        self.numbering = asyncio.Lock()
        self.given_up = state.given_up
        # Units that are paid for and not sent, and those of them that are sent in place of lost
        # ones: invoiced already.
        self._prepaid = dict(state.prepaid)
        self._resent = dict(state.resent)

    def learn(self, terms: Terms) -> None:
        """Learn the order's terms. Before that there is nothing to count or to decide on."""
        self._terms = terms
        for line in terms.lines:
            self.lines.setdefault(line.line_id, LineQuantities(ordered=line.quantity))
            self._prepaid.setdefault(line.line_id, 0)
            self._resent.setdefault(line.line_id, 0)
        self.charges.learn(terms)

    @property
    def known(self) -> bool:
        """The order's terms are known."""
        return self._terms is not None

    @property
    def terms(self) -> Terms:
        """The order's terms. They must be known."""
        assert self._terms is not None, "the order's terms are not known yet"
        return self._terms

    def state(self) -> BookState:
        """The book for the next run."""
        return BookState(
            lines=self.lines,
            money=self.charges.lines,
            prepaid=self._prepaid,
            resent=self._resent,
            fulfilments=tuple(fulfilment.state() for fulfilment in self.fulfilments.values()),
            authorized=self.authorized,
            reauthorized=self.reauthorized,
            charged_ahead=self.charged_ahead,
            refunded=self.charges.refunded,
            invoiced=self.charges.invoiced,
            goodwill=self.charges.goodwill,
            last_delivery=self.last_delivery,
            round=self.round,
            waits_until=self.waits_until,
            given_up=self.given_up,
        )

    @property
    def next_number(self) -> int:
        return len(self.fulfilments) + 1

    def next_fulfilment_id(self) -> str:
        return ids.fulfilment_id(self.order_id, self.next_number)

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

    def not_waited_for(self, units: LineUnits) -> Owed:
        """Backordered units that will not be sent. Returns as `cancelled` does."""
        self._each("unbackorder", units)
        return self.cancelled(units, allocated=False)

    def cancelled(self, units: LineUnits, *, allocated: bool) -> Owed:
        """These units will not be sent. Returns the amount owed for those that are paid for."""
        if allocated:
            self._each("unallocate", units)
        self._each("cancel", units)
        overpaid, credited = {}, {}
        for line_id in units:
            line = self.lines[line_id]
            to_come = line.open + line.backordered + line.allocated
            excess = self._prepaid[line_id] - to_come
            if excess > 0:
                self._prepaid[line_id] -= excess
                overpaid[line_id] = excess
                credited[line_id] = max(0, self._resent[line_id] - to_come)
                self._resent[line_id] -= credited[line_id]
        return self.charges.refund(overpaid, credited)

    def not_found(self, fulfilment: Fulfilment, missing: LineUnits) -> None:
        """A short pick: the units are open again and no part of this fulfilment."""
        self._each("unallocate", missing)
        left = {
            line_id: units - missing.get(line_id, 0) for line_id, units in fulfilment.units.items()
        }
        fulfilment.units = {line_id: units for line_id, units in left.items() if units}

    def charge_all(self) -> tuple[Due, Callable[[], None]]:
        """Charge all units that can be shipped, before they are shipped.

        Returns the charge, and a function that takes it back as long as nothing else has happened.
        """
        before = dict(self.lines), dict(self.charges.lines), dict(self._prepaid)

        def take_back() -> None:
            self.lines.update(before[0])
            self.charges.lines.update(before[1])
            self._prepaid.update(before[2])
            self.charged_ahead = False

        self.charged_ahead = True
        units = self._uncharged
        for line_id, more in units.items():
            self._prepaid[line_id] += more
        return Due(units, self.charges.charge(units), {}, NOTHING), take_back

    @property
    def left_to_charge(self) -> int:
        """The amount still to charge for all units that can be sent, in minor units."""
        return self._due(self._uncharged)

    @property
    def _uncharged(self) -> dict[LineId, int]:
        """Units that can be sent and are not charged."""
        units = {}
        for line_id, line in self.lines.items():
            more = line.ordered - line.cancelled - (line.charged - line.refunded)
            units[line_id] = min(more, line.ordered - line.charged)
        return units

    def shipped(self, fulfilment: Fulfilment) -> Due:
        """A fulfilment is handed over: its uncharged amount is due, and so is its invoice."""
        self._each("ship", fulfilment.units)
        due, invoice = {}, {}
        for line_id, units in fulfilment.units.items():
            prepaid = self._share(self._prepaid, fulfilment, line_id)
            resent = self._share(self._resent, fulfilment, line_id)
            self._prepaid[line_id] -= prepaid
            self._resent[line_id] -= resent
            due[line_id], invoice[line_id] = units - prepaid, units - resent
        fulfilment.stage = "await_delivery"
        due, invoice = _some(due), _some(invoice)
        after = self.charges.paid_back
        return Due(due, self.charges.charge(due), invoice, self.charges.invoice(invoice), after)

    def delivered(self, fulfilment: Fulfilment, at: datetime) -> None:
        """The customer has it."""
        self._each("deliver", fulfilment.units)
        self.last_delivery = max(at, self.last_delivery or at)

    def lost(self, replaced: LineUnits, given_up: LineUnits) -> Owed:
        """The carrier lost units: some are sent again, paid already; returns the others' refund."""
        self._each("replace", replaced)
        for line_id, units in replaced.items():
            self._prepaid[line_id] += units
            self._resent[line_id] += units
        self._each("lose", given_up)
        return self._refund(given_up)

    def came_back(self, fulfilment: Fulfilment) -> Owed:
        """Undeliverable and back at the warehouse. Returns the amount owed for it."""
        self._each("come_back", fulfilment.units)
        return self._refund(fulfilment.units)

    def return_requested(self, units: LineUnits) -> None:
        self._each("request_return", units)

    def return_received(self, requested: LineUnits, received: LineUnits) -> Owed:
        """A return parcel was counted. Returns the amount owed for the units that came back.

        Among those, the units that were paid back before are counted last.
        """
        units, unconceded = {}, {}
        for line_id, count in requested.items():
            line, came = self.lines[line_id], received.get(line_id, 0)
            paid_back = max(0, came - (line.delivered - line.returned - line.conceded))
            self.charges.release_shipping(line_id, paid_back)
            self.lines[line_id] = line.receive_return(count, came).unconcede(paid_back)
            units[line_id], unconceded[line_id] = came - paid_back, paid_back
        owed = self.charges.refund(units, units)  # also of lines of which shipping alone is owed
        return replace(owed, units=_some(units), unconceded=_some(unconceded))

    @property
    def deliverable_worth(self) -> int:
        """The worth of all units that are not cancelled, in minor units."""
        return self.charges.worth_of({k: n.ordered - n.cancelled for k, n in self.lines.items()})

    def needs(self, first: Fulfilment | None = None) -> list[Need]:
        """What is to be charged for each fulfilment, and for units still to come.

        As if they were charged in this sequence, `first` before the others: the sum is
        `left_to_charge`.
        """
        going = [
            fulfilment
            for fulfilment in self.fulfilments.values()
            if not fulfilment.recalled and fulfilment.stage not in ("await_delivery", "ended")
        ]
        upto = dict.fromkeys(self.lines, 0)
        found = []
        for fulfilment in sorted(going, key=lambda each: each is not first):
            due = self._unpaid(fulfilment)
            before = self._due({line_id: upto[line_id] for line_id in due})
            upto |= {line_id: upto[line_id] + units for line_id, units in due.items()}
            amount = self._due({line_id: upto[line_id] for line_id in due}) - before
            found.append(Need(fulfilment.id, amount, self._most(due)))
        rest = {line_id: units - upto[line_id] for line_id, units in self._uncharged.items()}
        amount = self.left_to_charge - sum(need.amount for need in found)
        found.append(Need(REST, amount, self._most(_some(rest))))
        return [need for need in found if need.amount]

    def need_of(self, fulfilment: Fulfilment) -> Need:
        """What is to be charged for a fulfilment: if it is the next one, and at most."""
        due = self._unpaid(fulfilment)
        return Need(fulfilment.id, self._due(due), self._most(due))

    def _unpaid(self, fulfilment: Fulfilment) -> dict[str, int]:
        """Its units that are not paid for already."""
        units = fulfilment.units
        return _some({k: n - self._share(self._prepaid, fulfilment, k) for k, n in units.items()})

    def _due(self, units: LineUnits) -> int:
        return sum(self.charges.due(line_id, count).total for line_id, count in units.items())

    def _most(self, units: LineUnits) -> int:
        total = 0
        for line_id, count in units.items():
            line, worth = self.lines[line_id], self.charges.worth[line_id]
            whole = count == line.ordered - line.cancelled
            total += (worth.first(count) if whole else worth.most(count)).total
        return total

    def _share(self, units: LineUnits, fulfilment: Fulfilment, line_id: str) -> int:
        """The number of these units of a line that are in this fulfilment.

        The oldest fulfilment takes its units first. So a later fulfilment never changes an earlier
        one's share, which is charged with its own authorization.
        """
        left = units[line_id]
        for other in self.fulfilments.values():
            share = min(left, other.units.get(line_id, 0))
            if other is fulfilment:
                return share
            if not other.recalled and other.stage not in ("await_delivery", "ended"):
                left -= share
        return 0

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
        return "delivered, and the return window is over"

    @property
    def all_returned(self) -> bool:
        return all(line.returned == line.delivered for line in self.lines.values())

    def _add(self, planned: Planned) -> Fulfilment:
        fulfilment = Fulfilment(planned)
        self.fulfilments[fulfilment.id] = fulfilment
        return fulfilment

    def _refund(self, units: LineUnits) -> Owed:
        """Pay back units that went out."""
        return self.charges.refund(_some(units), units)

    def _each(self, move: str, units: LineUnits) -> None:
        for line_id, quantity in units.items():
            self.lines[line_id] = getattr(self.lines[line_id], move)(quantity)


def _some(units: LineUnits) -> dict[str, int]:
    return {line_id: count for line_id, count in units.items() if count}
