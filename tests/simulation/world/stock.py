"""Shelves, claims and backorders of one order: what the real activities keep in PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from temporalio.exceptions import ApplicationError

from activities.stock.backorders import AwaitStock, FillBackorder, FirstDays, WaitLonger
from activities.stock.contracts import Reassign, Released, ReleaseStock, ReserveAgain, TakeOut
from domain import ids
from domain.errors import Refused
from domain.fulfilment.fulfilments import Planned
from domain.orders.amounts import LineWorth, value_lines
from domain.orders.charges import Owed
from domain.orders.fulfilment_state import FulfilmentState
from domain.orders.handling import MADE_TO_ORDER, SHIPPED, Handling
from domain.orders.order import Order
from domain.orders.policy import Policy
from domain.orders.refund_rules import Granted
from domain.orders.terms import LineTerms, TenderTerms, Terms
from domain.stock.reservations import Reserved, ReservedOrder, ReserveStock
from tests.simulation.world.memory import Memory
from tests.simulation.world.tallies import Tallies
from tests.support.builders import terms_of

LIVE: tuple[FulfilmentState, ...] = ("open", "picking", "picked", "packed", "labelled")


@dataclass
class Shelf:
    on_hand: int = 0
    allocated: int = 0


@dataclass
class Claim:
    """Units of a line in a fulfilment. `reserved`: those that are claimed on the shelf still."""

    quantity: int
    reserved: int
    picked: int = 0


@dataclass
class Part:
    """One location's part of the order."""

    id: str
    location: str
    lines: dict[str, Claim]
    state: FulfilmentState
    since: datetime
    """It is in its state."""
    recalled_from: FulfilmentState | None = None
    opened: int = 0
    """So often units that had been picked were taken out of it."""
    relabelled: int = 0
    """So often it was to go elsewhere, with another label."""
    work: Literal["", "begun", "failed"] = ""
    """What a workshop does with it."""
    attempts: int = 0
    missing: dict[str, int] = field(default_factory=dict)
    """Units that were not found, or that the location refused to send."""

    @property
    def reserved(self) -> dict[str, int]:
        return {line_id: claim.reserved for line_id, claim in self.lines.items()}

    @property
    def picked(self) -> dict[str, int]:
        return {line_id: claim.picked for line_id, claim in self.lines.items() if claim.picked}

    def comes_to(self, state: FulfilmentState, now: datetime) -> None:
        self.state, self.since = state, now


@dataclass
class Backorder:
    """Units of a line that are waited for. `soft`: those that came, by location."""

    quantity: int = 0
    round: int = 0
    since: datetime | None = None
    soft: dict[str, int] = field(default_factory=dict)


class Stock:
    """Stock as far as one order sees it. Nobody else takes any: what is free stays free for it."""

    def __init__(
        self, memory: Memory, shelves: Mapping[tuple[str, str], int], backorderable: Iterable[str]
    ) -> None:
        self.memory = memory
        self.began_with = dict(shelves)
        self.shelves = {place: Shelf(units) for place, units in shelves.items()}
        self.backorderable = set(backorderable)
        self.on_sale: dict[str, datetime] = {}
        """SKU → when its first day of sale begins, of those that have one."""
        self.parts: dict[str, Part] = {}
        self.backorders: dict[str, Backorder] = {}
        self.tallies = Tallies()
        self.order: Order | None = None
        """As it is by now: others may have changed it."""
        self.skus: dict[str, str] = {}
        """Of all lines, also of those that were taken away."""
        self.sold: dict[str, LineWorth] = {}
        """What each of them was sold for."""
        self.policy = Policy()
        self.handling: Handling = SHIPPED
        """Of all its lines."""
        self.filled = 0
        """The last round that a fill has ended."""
        self.arrived = 0
        self.corrected = 0
        self.shipped = 0
        self.came_back = 0

    def on_record(self, order: Order, policy: Policy) -> None:
        """The order is on record."""
        self.order, self.policy = order, policy
        self.skus = {line.line_id: line.sku for line in order.lines}
        self.sold = value_lines(order)
        self.tallies.on_record(order)

    @property
    def bought(self) -> bool:
        """Suppliers are asked for the goods of all its lines."""
        return self.handling == MADE_TO_ORDER

    def terms(self) -> Terms:
        """What was agreed."""
        assert self.order is not None
        lines = tuple(
            LineTerms(
                sku=self.skus[line_id],
                handling=self.handling,
                **{**dict(worth), "quantity": self.tallies.lines[line_id].ordered},
            )
            for line_id, worth in self.sold.items()
        )
        return terms_of(self.order).model_copy(update={"lines": lines})

    def tenders(self) -> tuple[TenderTerms, ...]:
        """Who pays for the order."""
        return self.terms().tenders

    # Activities -----------------------------------------------------------------------------------

    def reserve_stock(self, ask: ReserveStock) -> ReservedOrder:
        order, policy = self.order, self.policy
        if order is None or order.order_id != ask.order_id:
            raise ApplicationError("no such order", type="not_found", non_retryable=True)

        def reserve() -> Reserved:
            wanted = {line.line_id: line.quantity for line in order.lines}
            taken, short = self.take(wanted)
            waits, missing = self.wait_or_lack(short, policy.backorder)
            whole = policy.partly_available == "all_or_nothing"
            if missing and (whole or not (taken or waits)):
                self.memory.decision = "rejected"
                self.tallies.move("cancel", wanted)
                self.untake(taken)
                return Reserved(missing=missing)
            self.tallies.move("cancel", missing)
            self.tallies.charges.limit()
            return Reserved(
                fulfilments=self._claim(taken, "open"),
                backordered=self.wait(waits, 1),
                missing=missing,
            )

        reserved = self.memory.once("reserve_stock", reserve)
        return ReservedOrder(terms=self.terms(), **dict(reserved))

    def release_stock(self, ask: ReleaseStock) -> Released:
        def release() -> Released:
            waits = dict(ask.backordered)
            claims: dict[str, dict[str, int]] = {part_id: {} for part_id in ask.units}
            lines = {line_id for units in ask.units.values() for line_id in units} | waits.keys()
            for part_id, units in ask.units.items():
                part = self.parts[part_id]
                for line_id, count in units.items():
                    # The claim may have fallen back to backorder.
                    held = min(count, part.lines[line_id].reserved)
                    self._unclaim(part, line_id, held)
                    claims[part_id][line_id] = held
                    self.tallies.move("unallocate", {line_id: held})
                    self.tallies.move("cancel", {line_id: held})
                    if count > held:
                        waits[line_id] = waits.get(line_id, 0) + count - held
                part.comes_to("cancelled", self.memory.now())
            self._wait_no_more(waits)
            if ask.decision is not None:
                self.memory.decision, self.memory.reason = ask.decision, ask.why
            told = {"units": claims, "backordered": waits}
            self.memory.done.append({"effect": ask.effect, "data": told})
            if ask.what == "cancelled":
                self.memory.cancelled.append((ask.who, ask.why))
            self.serve()
            owed = self.tallies.charges.cancelled(dict.fromkeys(lines, 0))
            return Released(refund=self.tallies.grant(ask.refund_id, owed, "cancelled"))

        if ask.decision is not None and self.memory.decision == "confirmed":
            return Released(confirmed=True)
        return self.memory.once(ask.effect, release)

    def cancel(self, part: Part, units: Mapping[str, int], ask: TakeOut) -> Granted | None:
        """These units of a part are cancelled. Returns what is owed back for them."""
        self.give_away(part, units)
        told = {"units": {part.id: dict(units)}, "backordered": {}}
        self.memory.done.append({"effect": ask.effect, "data": told})
        self.memory.cancelled.append((ask.who, ask.why))
        self.serve()
        owed = self.tallies.charges.cancelled(dict.fromkeys(units, 0))
        return self.tallies.grant(ask.refund_id, owed, "cancelled")

    def give_away(self, part: Part, units: Mapping[str, int]) -> None:
        """These units of a part are claimed no more, and cancelled."""
        for line_id, count in units.items():
            self._unclaim(part, line_id, count)
        self.tallies.move("unallocate", units)
        self.tallies.move("cancel", units)

    def give_up(self, units: Mapping[str, int]) -> None:
        """These units are waited for no more, and cancelled."""
        self._wait_no_more(units)
        self.serve()

    def _wait_no_more(self, units: Mapping[str, int]) -> None:
        for line_id, count in units.items():
            backorder = self.backorders[line_id]
            assert backorder.quantity >= count, "more is given up than is waited for"
            backorder.quantity -= count
            backorder.soft.clear()
            self.tallies.move("unbackorder", {line_id: count})
            self.tallies.move("cancel", {line_id: count})

    def reserve_again(self, ask: ReserveAgain) -> Reserved:
        def reserve() -> Reserved:
            taken: dict[str, dict[str, int]] = {}
            short = dict(ask.units)
            if ask.replace:
                taken, short = self.take(ask.units, avoid=ask.avoid)
            waits, missing = self.wait_or_lack(short, ask.replace and ask.backorder)
            owed, refund_id, kind = self._gone(ask, missing)
            return Reserved(
                fulfilments=self._claim(taken, "picking"),
                backordered=self.wait(waits, ask.round),
                missing=missing,
                refund=self.tallies.grant(refund_id, owed, kind),
            )

        return self.memory.once(ask.effect, reserve)

    def _gone(self, ask: ReserveAgain, missing: Mapping[str, int]) -> tuple[Owed, str, str]:
        """What is owed for units that are not sent again: the refund's id and kind with it."""
        if ask.source == "open":
            self.tallies.move("cancel", missing)
            owed = self.tallies.charges.cancelled(missing)
            return owed, f"{ask.fulfilment_id}:not_found", "cancelled"
        again = {line_id: n - missing.get(line_id, 0) for line_id, n in ask.units.items()}
        self.tallies.move("replace", again)
        self.tallies.move("lose", missing)
        owed = self.tallies.charges.lost(again, missing)
        return owed, f"{ask.fulfilment_id}:lost", "lost"

    def reassign(self, ask: Reassign) -> Planned:
        def reassign() -> Planned:
            old = self.parts[ask.fulfilment_id]
            lines = {}
            for line_id, units in ask.units.items():
                assert old.lines[line_id].reserved >= units, "carries on with more than is claimed"
                old.lines[line_id].reserved -= units
                lines[line_id] = Claim(units, units)
            to = self._next_id()
            self.parts[to] = Part(to, old.location, lines, "picking", self.memory.now())
            return self._planned(to, old.location, ask.units)

        return self.memory.once(ask.effect, reassign)

    def await_stock(self, ask: AwaitStock) -> dict[str, int]:
        found: dict[str, int] = self.memory.report_or_wait(
            "await_stock", ids.backorder_id(ask.order_id, ask.round)
        )
        return found

    def join_backorders(self, ask: AwaitStock) -> None:
        for backorder in self.backorders.values():
            backorder.round = max(backorder.round, ask.round)
        if any(sum(each.soft.values()) for each in self.backorders.values()):
            self._report(ask.round)

    def before_giving_up(self, ask: AwaitStock) -> FirstDays:
        del ask  # the order is this one
        self.serve()
        waiting = {k: self.sku(k) for k, each in self.backorders.items() if each.quantity}
        return FirstDays(
            lines={k: self.on_sale[sku] for k, sku in waiting.items() if sku in self.on_sale}
        )

    def wait_longer(self, ask: WaitLonger) -> None:
        for line_id, since in ask.since.items():
            self.backorders[line_id].since = since

    def fill_backorder(self, ask: FillBackorder) -> Reserved:
        def fill() -> Reserved:
            taken: dict[str, dict[str, int]] = {}
            for line_id, backorder in self.backorders.items():
                left = ask.units.get(line_id, 0) if backorder.round else 0
                for location, came in list(backorder.soft.items()):
                    units = min(came, left)
                    if units:
                        left -= units
                        backorder.soft[location] -= units
                        backorder.quantity -= units
                        self.tallies.move("unbackorder", {line_id: units})
                        self.shelves[location, self.sku(line_id)].allocated += units
                        taken.setdefault(location, {})[line_id] = units
                if backorder.round:
                    backorder.round = ask.round + 1
            self.filled = max(self.filled, ask.round)
            return Reserved(
                fulfilments=self._claim(taken, "picking"),
                backordered={k: b.quantity for k, b in self.backorders.items() if b.quantity},
            )

        part = ids.backorder_id(ask.order_id, ask.round)
        return self.memory.once(f"fill_backorder:{part}", fill)

    # What others do -------------------------------------------------------------------------------

    def arrive(self, sku: str, location: str, units: int) -> None:
        """Goods come in at the dock."""
        self.shelves.setdefault((location, sku), Shelf()).on_hand += units
        self.arrived += units
        self.serve()

    def fall_back(self, part: Part, gone: int) -> None:
        """A count finds `gone` units fewer than are claimed for a fulfilment nobody has picked."""
        assert part.state in ("open", "picking")
        units = {line_id: n for line_id, n in part.reserved.items() if n}
        for line_id, count in units.items():
            self._unclaim(part, line_id, count)
            self.tallies.move("unallocate", {line_id: count})
            self.tallies.move("backorder", {line_id: count})
            self._add_backorder(line_id, count).round = 0
            backorder = self.backorders[line_id]
            lost = min(gone, count)
            gone -= lost
            self.shelves[part.location, self.sku(line_id)].on_hand -= lost
            self.corrected += lost
            if count > lost:
                soft = backorder.soft
                soft[part.location] = soft.get(part.location, 0) + count - lost
        part.comes_to("cancelled", self.memory.now())
        self.memory.report_anew(part.id, {"outcome": "backordered", "missing": units})

    def stopped(self, part_id: str) -> bool:
        """It was recalled, refused, or given back."""
        part = self.parts.get(part_id)
        return part is not None and part.state == "cancelled"

    def serve(self) -> None:
        """What is free is kept for the lines that wait, in their sequence."""
        for line_id, backorder in self.backorders.items():
            lacks = backorder.quantity - sum(backorder.soft.values())
            for location, sku in list(self.shelves):
                units = min(lacks, self._free(location, sku)) if sku == self.sku(line_id) else 0
                if units > 0:
                    lacks -= units
                    backorder.soft[location] = backorder.soft.get(location, 0) + units
                    if backorder.round:
                        self._report(backorder.round)

    def leave(self, part: Part) -> dict[str, int]:
        """The goods leave the shelf for good. Returns the units."""
        units = {line_id: claim.reserved for line_id, claim in part.lines.items() if claim.reserved}
        for line_id, count in units.items():
            if self._ahead(self.sku(line_id)):
                self.memory.broken.append(f"{part.id} leaves before its first day of sale")
            self._unclaim(part, line_id, count)
            self.shelves[part.location, self.sku(line_id)].on_hand -= count
            self.shipped += count
        self.tallies.move("ship", units)
        return units

    @property
    def to_leave(self) -> dict[str, dict[str, int]]:
        """The units of the fulfilments that are still to leave, oldest first."""
        ids_ = sorted(self.parts, key=lambda each: (len(each), each))
        return {each: self.parts[each].reserved for each in ids_ if self.parts[each].state in LIVE}

    def older_than(self, part_id: str) -> list[dict[str, int]]:
        """The units of the older fulfilments that are still to leave."""
        place = len(part_id), part_id
        return [units for each, units in self.to_leave.items() if (len(each), each) < place]

    def not_found(self, part: Part, missing: Mapping[str, int]) -> None:
        """The picker does not find units that the books have."""
        for line_id, count in missing.items():
            self._unclaim(part, line_id, count)
            self.tallies.move("unallocate", {line_id: count})
            self.shelves[part.location, self.sku(line_id)].on_hand -= count
            self.corrected += count
        part.missing = {line_id: count for line_id, count in missing.items() if count}

    def give_back(self, part: Part) -> None:
        """The location will not send it: the claims end, the goods stay."""
        part.missing = {line_id: n for line_id, n in part.reserved.items() if n}
        for line_id, claim in part.lines.items():
            self.tallies.move("unallocate", {line_id: claim.reserved})
            self._unclaim(part, line_id, claim.reserved)
        self.serve()

    def take_in(self, line_id: str, location: str, units: int) -> None:
        """Goods that were sent are back."""
        self.shelves.setdefault((location, self.sku(line_id)), Shelf()).on_hand += units
        self.came_back += units
        self.serve()

    def take_all(self, wanted: Mapping[str, int]) -> dict[str, dict[str, int]]:
        """All of these units, by location and line. Raises Refused where one is not there."""
        taken, short = self.take(wanted)
        if short:
            self.untake(taken)
            raise Refused(f"not in stock: {short}", reason="not_in_stock")
        return taken

    def untake(self, taken: Mapping[str, Mapping[str, int]]) -> None:
        """Units that were claimed on shelves, and for no fulfilment yet, are free again."""
        for location, units in taken.items():
            for line_id, count in units.items():
                self.shelves[location, self.sku(line_id)].allocated -= count

    def claim(self, taken: Mapping[str, Mapping[str, int]]) -> tuple[Planned, ...]:
        """Fulfilments to be picked, of units that are claimed on the shelves."""
        return self._claim(taken, "picking")

    def sku(self, line_id: str) -> str:
        return self.skus[line_id]

    # ----------------------------------------------------------------------------------------------

    def _ahead(self, sku: str) -> bool:
        """Its first day of sale has not begun."""
        return sku in self.on_sale and self.memory.now() < self.on_sale[sku]

    def _free(self, location: str, sku: str) -> int:
        if self._ahead(sku):
            return 0
        shelf = self.shelves[location, sku]
        kept = sum(
            backorder.soft.get(location, 0)
            for line_id, backorder in self.backorders.items()
            if self.sku(line_id) == sku
        )
        return shelf.on_hand - shelf.allocated - kept

    def take(
        self, wanted: Mapping[str, int], avoid: str | None = None
    ) -> tuple[dict[str, dict[str, int]], dict[str, int]]:
        """Units by location and line, claimed at once; and what there is not."""
        taken: dict[str, dict[str, int]] = {}
        short: dict[str, int] = {}
        for line_id, count in wanted.items():
            left = count
            for location, sku in self.shelves:
                if sku == self.sku(line_id) and location != avoid:
                    units = max(0, min(left, self._free(location, sku)))
                    if units:
                        left -= units
                        self.shelves[location, sku].allocated += units
                        taken.setdefault(location, {})[line_id] = units
            if left:
                short[line_id] = left
        return taken, short

    def _claim(
        self, taken: Mapping[str, Mapping[str, int]], state: FulfilmentState
    ) -> tuple[Planned, ...]:
        """New fulfilments, one for each location. Their units are on the shelf still."""
        planned = []
        for location, units in taken.items():
            part_id = self._next_id()
            claims = {line_id: Claim(count, count) for line_id, count in units.items()}
            self.tallies.move("allocate", units)
            self.parts[part_id] = Part(part_id, location, claims, state, self.memory.now())
            planned.append(self._planned(part_id, location, units))
        return tuple(planned)

    def _planned(self, part_id: str, location: str, units: Mapping[str, int]) -> Planned:
        return Planned(
            fulfilment_id=part_id, location=location, units=dict(units), handling=self.handling
        )

    def wait_or_lack(
        self, short: Mapping[str, int], backorder: bool
    ) -> tuple[dict[str, int], dict[str, int]]:
        waits = {
            k: n
            for k, n in short.items()
            if backorder and (self.sku(k) in self.backorderable or self._ahead(self.sku(k)))
        }
        return waits, {k: n for k, n in short.items() if k not in waits}

    def wait(self, units: Mapping[str, int], round: int) -> dict[str, int]:
        for line_id, count in units.items():
            self._add_backorder(line_id, count).round = round
        self.tallies.move("backorder", units)
        return dict(units)

    def _add_backorder(self, line_id: str, units: int) -> Backorder:
        backorder = self.backorders.setdefault(line_id, Backorder())
        if backorder.quantity == 0:
            backorder.since = self.memory.now()
        backorder.quantity += units
        return backorder

    def _next_id(self) -> str:
        """Fulfilments are numbered from 1, and none is ever deleted."""
        assert self.order is not None
        return ids.fulfilment_id(self.order.order_id, len(self.parts) + 1)

    def _unclaim(self, part: Part, line_id: str, count: int) -> None:
        claim, shelf = part.lines[line_id], self.shelves[part.location, self.sku(line_id)]
        assert 0 <= count <= claim.reserved, "more is released than is claimed"
        claim.reserved -= count
        shelf.allocated -= count

    def _report(self, round: int) -> None:
        assert self.order is not None
        self.memory.report("await_stock", ids.backorder_id(self.order.order_id, round), {})
