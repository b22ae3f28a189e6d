"""The warehouse, the carrier and returns of one order: steps that wait, and those who end them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Final, Literal

from activities.aftersales.returns import (
    Approved,
    ApproveReturn,
    Decided,
    DecideReturn,
    ReceivedReturn,
    ReturnPart,
)
from activities.aftersales.sending_anew import SendAnew, ToBeSent
from activities.fulfilment.contracts import Look, Recalled, Sending, Sent, Stage, Stages
from activities.fulfilment.contracts import Part as PartAsk
from activities.fulfilment.delivery import Delivered, LastScan
from activities.stock.contracts import TakenOut, TakeOut
from activities.warehouse.outside_work import WorkStopped
from domain import ids
from domain.orders.fulfilment_state import FulfilmentState
from domain.orders.handling import (
    DIGITAL,
    MADE_TO_ORDER,
    PICK_UP,
    SHIPPED,
    is_outside,
    nobody_picks,
)
from domain.orders.return_messages import ReturnRefusal, ReturnState
from tests.simulation.chance import Chance
from tests.simulation.world.memory import DECLINED, Memory, Pending, refusal
from tests.simulation.world.money import Money
from tests.simulation.world.stock import LIVE, Part, Stock

HOUR = timedelta(hours=1)
A_MOMENT = timedelta(seconds=1)

BY_CARRIER: Final = (SHIPPED, MADE_TO_ORDER)
"""These leave in parcels of carriers. Others are with the customer when they have left."""

LabelState = Literal["bought", "refused", "voided"]
Later = Callable[[timedelta, Callable[[], None]], None]
"""Has something done after so long."""


@dataclass
class Shipment:
    """The parcel with its label, and what became of it."""

    label: LabelState
    handed_over: bool = False
    ended_as: str = ""
    units: dict[str, int] = field(default_factory=dict)
    due: int = 0
    scanned_at: datetime | None = None
    handed_over_at: datetime | None = None

    @property
    def moved_at(self) -> datetime | None:
        """It was seen last, by the carrier or at the hand-over."""
        return self.scanned_at or self.handed_over_at


@dataclass
class Return:
    kind: str
    part_id: str | None
    units: dict[str, int]
    since: datetime
    state: ReturnState = "approved"
    received: dict[str, int] | None = None
    anew: bool = False
    paid_early: bool = False


class Warehouse:
    """People act by themselves, hours after they could, whatever the order's workflow does."""

    def __init__(
        self,
        memory: Memory,
        chance: Chance,
        now: Callable[[], datetime],
        later: Later,
        stock: Stock,
        slow: float,
        *,
        short: float | None = None,
        asked: float | None = None,
        posted: float | None = None,
        spoilt: float | None = None,
    ) -> None:
        self.memory = memory
        self._chance = chance
        self._now = now
        self._later = later
        self.stock = stock
        self.money: Money | None = None
        self.kept_here: Callable[[], bool] = lambda: False
        """An order hold stands: nothing of it is picked, labelled or handed over."""
        self.return_window = timedelta(days=30)
        self.return_ends = timedelta(days=44)
        self._short = 0.1 if short is None else short  # how often the picker finds less
        self._asked = 0.3 if asked is None else asked  # how often a person decides about a return
        self._posted = 0.4 if posted is None else posted  # how often a return's label is scanned
        self._spoilt = 0.25 if spoilt is None else spoilt  # how often a workshop fails
        self._slow = slow  # how long people take, in hours, about
        self.shipments: dict[str, Shipment] = {}
        self.returns: dict[str, Return] = {}
        self._to_pick: set[str] = set()
        self._late: set[str] = set()  # of these a person was told
        # What is charged for each parcel when it leaves, and how long before its end an
        # authorization is renewed.
        self._to_charge: dict[str, tuple[int, timedelta]] = {}
        self._told_unpaid: set[str] = set()
        self.to_put_back: dict[str, str] = {}  # to the fulfilment of which it was
        self.unused_labels: dict[str, int] = {}  # of opened parcels, not given back
        self._tries: dict[str, int] = {}

    # Activities -----------------------------------------------------------------------------------

    def pick_pack_ship(self, ask: Sending) -> Sent:
        assert self.money is not None
        part = self.stock.parts[ask.fulfilment_id]
        ended = self._has_ended(part)
        if ended is not None:
            return ended
        if nobody_picks(self.stock.handling) and part.state in ("picking", "picked"):
            for claim in part.lines.values():
                claim.picked = claim.reserved
            self._comes_to(part, "packed")
        to_charge = self.money.to_charge_for(part.id, ahead=ask.ahead)
        if part.state == "packed" and self.kept_here():
            raise Pending(part.id)
        if part.state == "packed":  # for the first time, or it was opened since
            paid = self.money.is_paid(
                part.id,
                to_charge,
                ahead=ask.ahead,
                lasting=ask.lasting,
                renew_before=ask.renew_before,
            )
            if not paid:
                return Sent(outcome="unpaid")
            shipment = self.shipments.get(part.id)
            if shipment is None or shipment.label == "voided":
                name = f"{part.id}{self._again(part)}"
                refused = self.stock.handling in BY_CARRIER and self._chance.happens(
                    "label refused", name, 0.02
                )
                shipment = Shipment("refused" if refused else "bought")
                self.shipments[part.id] = shipment
            if shipment.label == "refused":
                raise refusal(DECLINED, "the carrier does not go there")
            self._comes_to(part, "labelled")
            self._to_be_handed_over(part)
            self._later(HOUR, lambda: self.look_at_money(part))
        if part.state == "labelled":
            self._to_charge[part.id] = (to_charge, ask.renew_before)
            self._told_unpaid.discard(part.id)
            if is_outside(self.stock.handling) and part.work == "":
                part.work, part.attempts = "begun", part.attempts + 1
                self._soon(f"work {part.attempts} on {part.id}", lambda: self._work_ends(part))
        raise Pending(part.id)

    def _to_be_handed_over(self, part: Part) -> None:
        """By people, by the customer who collects it or does not, at once, or by a workshop."""
        handling = self.stock.handling
        if handling == DIGITAL:
            self._later(A_MOMENT, lambda: self._hand_over(part))
        elif handling == PICK_UP and self._chance.happens("nobody collects", part.id, 0.3):
            return
        elif not is_outside(handling):
            self._soon(f"hand over {part.id}{self._again(part)}", lambda: self._hand_over(part))

    def _work_ends(self, part: Part) -> None:
        """The workshop has done it, or could not."""
        if part.work != "begun" or part.state != "labelled":
            return
        if self._chance.happens("the workshop fails", f"{part.id} {part.attempts}", self._spoilt):
            part.work = "failed"
            self.memory.report_anew(part.id, {"outcome": "failed", "why": "it broke"})
            return
        self._left(part)

    def stop_work(self, ask: PartAsk) -> WorkStopped:
        part = self.stock.parts[ask.fulfilment_id]
        if part.work == "begun" and part.state == "labelled":
            if self._chance.happens("the workshop goes on", f"{part.id} {part.attempts}", 0.4):
                return WorkStopped(outcome="goes_on", why="it is engraved")
            self.stop(part)
        return WorkStopped(outcome="over")

    def work_wanted_again(self, ask: PartAsk) -> None:
        part = self.stock.parts[ask.fulfilment_id]
        if part.work == "failed" and part.state == "labelled":
            part.work = ""

    def _has_ended(self, part: Part) -> Sent | None:
        if part.recalled_from is not None:
            return Sent(outcome="recalled")
        if part.state in ("shipped", "delivered", "exception"):
            shipment = self.shipments[part.id]
            return Sent(outcome="shipped", units=shipment.units, due_minor=shipment.due)
        if part.state == "cancelled":
            return Sent.model_validate(self.memory.reports[ids.sending_id(part.id)])
        if part.work == "failed":
            return Sent(outcome="failed", why="it broke")
        replaced = self.memory.knows(f"reserve_again:{part.id}:open")
        if part.missing and not replaced:
            return Sent(outcome="short", missing=part.missing)
        return None

    def stages(self, ask: Look) -> Stages:
        stages = {}
        for part_id in ask.fulfilment_ids:
            part = self.stock.parts[part_id]
            lasted = timedelta(0) if self.kept_here() else self._now() - part.since
            stages[part_id] = Stage(state=part.state, since=part.since, lasted=lasted)
            if part.state in ask.within and lasted >= ask.within[part.state]:
                self._late.add(part_id)
        return Stages(stages=stages)

    def recall(self, ask: PartAsk) -> Recalled:
        part = self.stock.parts[ask.fulfilment_id]
        if part.recalled_from is None and part.state in LIVE and part.work != "begun":
            self.stop(part)
        shipment = self.shipments.get(part.id)
        labelled = shipment is not None and shipment.label != "refused"
        return Recalled(caught=part.recalled_from, labelled=labelled, units=part.reserved)

    def put_back(self, ask: PartAsk) -> None:
        part = self.stock.parts[ask.fulfilment_id]
        assert part.recalled_from is not None, f"{part.id} is put back, and was not stopped"

    def take_out(self, ask: TakeOut) -> TakenOut:
        part = self.stock.parts[ask.fulfilment_id]
        units = _some({k: min(n, part.reserved.get(k, 0)) for k, n in ask.units.items()})
        if not self.memory.knows(ask.effect):
            if part.state not in LIVE or not units:
                return TakenOut(outcome="gone")
            leaves = nobody_picks(self.stock.handling) and part.state not in ("open", "picking")
            if leaves or units == _some(part.reserved):
                return TakenOut(outcome="recall")
        return self.memory.once(ask.effect, lambda: self._make_smaller(part, units, ask))

    def _make_smaller(self, part: Part, units: dict[str, int], ask: TakeOut) -> TakenOut:
        refund = self.stock.cancel(part, units, ask)
        unused = self.open_up(part, units, keeps_label=ask.keeps_label)
        return TakenOut(outcome="taken", units=units, refund=refund, label_unused=unused)

    def open_up(self, part: Part, units: Mapping[str, int], *, keeps_label: bool) -> bool:
        """Units are no part of a parcel any more. True: its label is to be given back."""
        unused = not keeps_label and self._give_up_label(part)
        if part.state in ("picked", "packed", "labelled"):
            for line_id, count in units.items():
                part.lines[line_id].picked -= count
            part.opened += 1
            put_back_id = f"{part.id}:P{part.opened}"
            self.to_put_back[put_back_id] = part.id
            self._soon(f"put back {put_back_id}", lambda: self.on_the_shelf(put_back_id))
        if part.state in ("packed", "labelled"):
            part.comes_to("picked", self._now())
        return unused

    def stop(self, part: Part) -> None:
        """Nothing of it is wanted any more."""
        part.recalled_from = part.state
        part.comes_to("cancelled", self._now())
        self.memory.report_anew(part.id, {"outcome": "recalled"})

    def send_elsewhere(self, part: Part) -> bool:
        """It goes to another address or by another service. True: it had a label already."""
        if not self._give_up_label(part):
            return False
        part.relabelled += 1
        if part.state == "labelled":
            self._comes_to(part, "packed")
            self.memory.packed(ids.sending_id(part.id))
        return True

    def _give_up_label(self, part: Part) -> bool:
        shipment = self.shipments.get(part.id)
        if shipment is None or shipment.label != "bought":
            return False
        shipment.label = "voided"
        self.unused_labels[part.id] = self.unused_labels.get(part.id, 0) + 1
        return True

    def void_label(self, ask: PartAsk) -> None:
        self.unused_labels.pop(ask.fulfilment_id, None)
        shipment = self.shipments.get(ask.fulfilment_id)
        if self.stock.parts[ask.fulfilment_id].recalled_from is None:
            return
        if shipment is not None and shipment.label == "bought":
            assert not shipment.handed_over, "the label of a parcel that left is voided"
            shipment.label = "voided"

    def await_delivery(self, ask: PartAsk) -> Delivered:
        found = self.memory.report_or_wait("await_delivery", ask.fulfilment_id)
        return Delivered.model_validate(found)

    def last_scan(self, ask: PartAsk) -> LastScan:
        shipment = self.shipments.get(ask.fulfilment_id)
        return LastScan(at=None if shipment is None else shipment.scanned_at)

    def approve_return(self, ask: ApproveReturn) -> Approved:
        def approve() -> Approved:
            return_id = ids.return_id(ask.order_id, len(self.returns) + 1)
            asks = ("worth_more",) if ask.kind == "customer" and self._is_asked(return_id) else ()
            state: ReturnState = "requested" if asks else "approved"
            expected = Return(ask.kind, ask.fulfilment_id, dict(ask.units), self._now(), state)
            self.returns[return_id] = expected
            if ask.kind == "customer":
                self.stock.tallies.move("request_return", ask.units)
            if not asks:
                self._expect(return_id)
            told = {"return_id": return_id, "units": dict(ask.units), "asks": asks}
            self.memory.done.append({"effect": effect, "data": told})
            return Approved(return_id=return_id, asks=asks)

        effect = f"approve_return:{ask.request_id}"
        before: Approved | None = self.memory.settled(effect, ask.turn)
        if before is not None:
            return before
        if ask.kind == "customer":
            ends = self._window_ends()
            if (ask.asked_at or self._now()) > ends and not ask.late:
                no = ReturnRefusal(message="too late", reason="window_over")
                return self.memory.nothing(effect, ask.turn, Approved(refusal=no))
        return self.memory.once(effect, approve)

    def send_anew(self, ask: SendAnew) -> ToBeSent:
        effect, part_id = f"send_anew:{ask.request_id}", ask.request.fulfilment_id
        before: ToBeSent | None = self.memory.settled(effect, ask.turn)
        if before is None:
            back = [
                (return_id, each)
                for return_id, each in self.returns.items()
                if each.part_id == part_id and each.kind == "undeliverable"
            ]
            if not back or back[0][1].state != "approved":
                no = ReturnRefusal(message="no", reason="not_coming_back")
                return self.memory.nothing(effect, ask.turn, ToBeSent(refused=no))
            back[0][1].anew = True
            return self.memory.once(effect, lambda: ToBeSent(return_id=back[0][0]))
        return before

    def ask_back(self, units: dict[str, int]) -> str:
        """Claimed units are to come back. Nothing is owed for them any more."""
        order_id = ids.order_of(next(iter(self.stock.parts)))
        return_id = ids.return_id(order_id, len(self.returns) + 1)
        self.returns[return_id] = Return("claimed", None, dict(units), self._now())
        self._expect(return_id)
        return return_id

    def decide_return(self, ask: DecideReturn) -> Decided:
        effect = f"decide_return:{ask.request_id}"
        if self.memory.knows(effect):
            return Decided()
        expected = self.returns.get(ask.return_id)
        may = ("requested", "approved") if ask.decision == "cancel" else ("requested",)
        if expected is None or expected.kind != "customer" or expected.state not in may:
            return Decided(refusal=ReturnRefusal(message="no", reason="no_open_return"))

        def decide() -> Decided:
            if ask.decision == "approve":
                expected.state, expected.since = "approved", self._now()
                self._expect(ask.return_id)
            else:
                self.end_return(ask.return_id, "refused" if ask.decision == "refuse" else "closed")
            return Decided()

        return self.memory.once(effect, decide)

    def end_return(self, return_id: str, state: ReturnState) -> None:
        """Nothing of it comes: its units stay with the customer."""
        expected = self.returns[return_id]
        expected.state, expected.received = state, {}
        lines = self.stock.tallies.lines
        for line_id, units in expected.units.items():
            lines[line_id] = lines[line_id].receive_return(units, 0)
        self.memory.report("receive_return", return_id, {"received": {}, "refund": None})

    def receive_return(self, ask: ReturnPart) -> ReceivedReturn:
        found = self.memory.report_or_wait("receive_return", ask.return_id)
        return ReceivedReturn.model_validate(found)

    def receive_paid_return(self, ask: ReturnPart) -> ReceivedReturn:
        found = self.memory.report_or_wait("receive_paid_return", ask.return_id)
        return ReceivedReturn.model_validate(found)

    # What people do -------------------------------------------------------------------------------

    def release(self) -> None:
        """The order is confirmed: what was reserved for it may be picked."""
        for part in self.stock.parts.values():
            if part.state == "open":
                self._comes_to(part, "picking")

    def look(self) -> None:
        """Whatever may be picked by now is picked, sooner or later."""
        if nobody_picks(self.stock.handling):
            return
        for part in list(self.stock.parts.values()):
            if part.state == "picking" and part.id not in self._to_pick:
                self._to_pick.add(part.id)
                self._soon(f"pick {part.id}", partial(self._pick, part))

    def goes_on(self) -> None:
        """The last order hold has ended: stages begin anew, and labels are bought."""
        for part in self.stock.parts.values():
            if part.state in LIVE:
                part.since = self._now()
                if part.state == "packed":
                    self.memory.packed(ids.sending_id(part.id))

    def _pick(self, part: Part) -> None:
        if part.state != "picking":
            return
        if self.kept_here():
            self._once_more("pick", part, self._pick)
            return
        if self._chance.happens("refused by the warehouse", part.id, 0.05):
            self.refuse(part.id, "too heavy")
            return
        missing: dict[str, int] = {}
        if self._chance.happens("short pick", part.id, self._short):
            rng = self._chance.of(f"short {part.id}")
            wanted = _some(part.reserved)
            missing = {k: n for k in wanted if (n := rng.randint(0, wanted[k]))}
        self.found(part.id, missing)

    def refuse(self, part_id: str, why: str) -> None:
        """The location will not send it."""
        part = self.stock.parts[part_id]
        part.comes_to("cancelled", self._now())
        self.stock.give_back(part)
        self.memory.report_anew(
            part.id, {"outcome": "refused", "missing": part.missing, "why": why}
        )

    def found(self, part_id: str, missing: Mapping[str, int]) -> None:
        """The picker has found all but these."""
        part = self.stock.parts[part_id]
        assert part.state == "picking", f"{part_id} may not be picked: it is {part.state}"
        assert not self.kept_here(), f"{part_id} may not be picked: its order is held"
        wanted = _some(part.reserved)
        self.stock.not_found(part, missing)
        found = {k: n - missing.get(k, 0) for k, n in wanted.items()}
        for line_id, units in found.items():
            part.lines[line_id].picked = units
        late = part_id in self._late
        to: FulfilmentState = "picked" if any(found.values()) else "cancelled"
        self._comes_to(part, to)
        if to == "picked":
            self._soon(f"pack {part.id}", lambda: self.pack_up(part_id))
        if any(missing.values()):
            self.memory.report_anew(part.id, {"outcome": "short", "missing": _some(missing)})
        elif late:
            self.memory.report_anew(part.id, {"outcome": "goes_on", "state": "picked"})

    def on_the_shelf(self, put_back_id: str) -> None:
        """What was taken out of a parcel is put back; the rest is packed."""
        part = self.stock.parts[self.to_put_back.pop(put_back_id)]
        self._soon(f"pack {part.id}{self._again(part)}", lambda: self.pack_up(part.id))

    def _again(self, part: Part) -> str:
        often = part.opened + part.relabelled
        return f" again {often}" if often else ""

    def pack_up(self, part_id: str) -> None:
        """The parcel is closed, unless it was stopped, or something has to come out of it."""
        part = self.stock.parts[part_id]
        if part.state == "picked" and part_id not in self.to_put_back.values():
            late = part_id in self._late
            self._comes_to(part, "packed")
            if late:
                self.memory.report_anew(part.id, {"outcome": "goes_on", "state": "packed"})
            self.memory.packed(ids.sending_id(part.id))

    def _hand_over(self, part: Part) -> None:
        if part.state != "labelled":
            return
        assert self.money is not None
        # Refused at the door where it is not paid any more, or its order is held.
        paid = self.money.can_be_charged(part.id, self._to_charge[part.id][0])
        if not paid or self.kept_here():
            self._once_more("hand over", part, self._hand_over)
            return
        self._left(part)

    def _left(self, part: Part) -> None:
        shipment = self.leave(part.id)
        if self.stock.handling not in BY_CARRIER:
            self.arrive(part.id, "delivered")
            return
        if self._chance.happens("scan on the way", part.id, 0.3):
            self._soon(f"scan {part.id}", lambda: self._scan(shipment), days=6)
        self._soon(f"deliver {part.id}", lambda: self._end(part), days=4)

    def _once_more(self, what: str, part: Part, do: Callable[[Part], None]) -> None:
        self._tries[part.id] = tries = self._tries.get(part.id, 0) + 1
        self._soon(f"{what} {part.id} again {tries}", lambda: do(part))

    def leave(self, part_id: str) -> Shipment:
        """The carrier has it."""
        part, shipment = self.stock.parts[part_id], self.shipments[part_id]
        self._comes_to(part, "shipped")
        assert shipment.label == "bought"
        assert not shipment.handed_over, f"{part.id} left twice"
        shipment.handed_over, shipment.handed_over_at = True, self._now()
        older = self.stock.older_than(part.id)
        shipment.units = self.stock.leave(part)
        shipment.due = self.stock.tallies.goods_left(part.id, shipment.units, older)
        told = {"outcome": "shipped", "units": shipment.units, "due_minor": shipment.due}
        self.memory.report_anew(part.id, told)
        return shipment

    def _comes_to(self, part: Part, state: FulfilmentState) -> None:
        part.comes_to(state, self._now())
        self._late.discard(part.id)

    def look_at_money(self, part: Part) -> None:
        """What waits for its hand-over stays paid for: its order is told, once for each wait."""
        if part.state != "labelled":
            return
        assert self.money is not None
        minor, before = self._to_charge[part.id]
        ends = self.money.ends_soon(part.id, to_charge=minor, renew_before=before)
        if minor and ends and part.id not in self._told_unpaid:
            self._told_unpaid.add(part.id)
            self.memory.report_anew(part.id, {"outcome": "unpaid"})
        self._later(HOUR, lambda: self.look_at_money(part))

    def leaving(self) -> set[str]:
        """Parcels with a label that have not arrived, and that are charged for."""
        return {
            part_id
            for part_id, (minor, _) in self._to_charge.items()
            if minor and self.stock.parts[part_id].state in ("labelled", "shipped")
        }

    def _scan(self, shipment: Shipment) -> None:
        shipment.scanned_at = self._now()

    def _end(self, part: Part) -> None:
        outcome = "delivered"
        if self._chance.happens("lost by the carrier", part.id, 0.08):
            outcome = "lost"
        elif self._chance.happens("undeliverable", part.id, 0.05):
            outcome = "undeliverable"
        self.arrive(part.id, outcome)

    def arrive(self, part_id: str, outcome: str) -> None:
        """The carrier's part has ended: delivered, lost, or undeliverable."""
        part, shipment = self.stock.parts[part_id], self.shipments[part_id]
        shipment.ended_as = outcome
        part.comes_to("delivered" if outcome == "delivered" else "exception", self._now())
        if outcome == "delivered":
            self.stock.tallies.move("deliver", shipment.units)
        self.memory.report(
            "await_delivery",
            part.id,
            {"outcome": outcome, "units": shipment.units, "at": self._now()},
        )

    def _is_asked(self, return_id: str) -> bool:
        """A rule wants a person to decide."""
        return self._chance.happens("a person decides", return_id, self._asked)

    def _window_ends(self) -> datetime:
        delivered = [x.since for x in self.stock.parts.values() if x.state == "delivered"]
        return max(delivered) + self.return_window

    def _expect(self, return_id: str) -> None:
        expected = self.returns[return_id]
        if expected.kind == "customer":
            approved = expected.since
            self._later(self.return_ends, lambda: self._overdue(return_id, approved))
            if self._chance.happens("scan of a return", return_id, self._posted):
                self._soon(f"scan {return_id}", lambda: self._on_its_way(return_id), days=2)
                return
            if self._chance.happens("never comes back", return_id, 0.1):
                return
        self._soon(f"return {return_id}", lambda: self._receive(return_id), days=5)

    def _on_its_way(self, return_id: str) -> None:
        """A carrier has the parcel: it comes, or somebody counts that nothing does."""
        if self.returns[return_id].state == "approved":
            self.posted(return_id, paid=self._chance.happens("paid early", return_id, 0.6))
            self._soon(f"return {return_id}", lambda: self._receive(return_id), days=5)

    def posted(self, return_id: str, *, paid: bool) -> None:
        """A carrier has the parcel of a return, which is paid back if the rules say so."""
        expected = self.returns[return_id]
        expected.state, expected.since = "in_transit", self._now()
        tallies = self.stock.tallies
        owed = tallies.charges.on_their_way_back(expected.units) if paid else None
        if owed is None:
            return
        expected.paid_early = True
        refund = tallies.grant(return_id, owed, "return")
        told: dict[str, object] = {"received": {}, "refund": refund, "paid_early": True}
        self.memory.report("receive_return", return_id, told)

    def _overdue(self, return_id: str, approved: datetime) -> None:
        """The relay closes a return of which nothing has come."""
        expected = self.returns[return_id]
        if expected.state == "approved" and expected.since == approved:
            self.end_return(return_id, "closed")

    def _receive(self, return_id: str) -> None:
        expected = self.returns[return_id]
        if expected.state not in ("approved", "in_transit"):
            return
        received = dict(expected.units)
        if expected.state == "in_transit" and self._chance.happens("is lost", return_id, 0.1):
            received = {}
        if expected.kind == "customer" and self._chance.happens("less comes back", return_id, 0.2):
            rng = self._chance.of(f"comes back {return_id}")
            received = {line_id: rng.randint(0, n) for line_id, n in received.items()}
        self.count(return_id, received)

    def count(self, return_id: str, received: Mapping[str, int]) -> None:
        """The return parcel is there and counted."""
        expected = self.returns[return_id]
        expected.received, expected.state = dict(received), "received"
        for line_id, units in received.items():
            self.stock.take_in(line_id, "main", units)
        if expected.kind == "claimed":
            expected.state = "closed"
            return
        if expected.anew:
            expected.state = "closed"
            told = {"received": dict(received), "anew": True}
            self.memory.report("receive_return", return_id, told)
            return
        tallies = self.stock.tallies
        if expected.kind == "customer":
            for line_id, units in expected.units.items():
                line, came = tallies.lines[line_id], received.get(line_id, 0)
                tallies.lines[line_id] = line.receive_return(units, came)
        step, refund = "receive_return", None
        if expected.paid_early:
            step = "receive_paid_return"
            tallies.charges.counted_after_all(expected.units, received)
        elif expected.kind == "customer":
            refund = tallies.grant(return_id, tallies.charges.returned(received), "return")
        else:
            tallies.move("come_back", expected.units)
            refund = tallies.grant(return_id, tallies.charges.came_back(expected.units), "return")
        self.memory.report(step, return_id, {"received": dict(received), "refund": refund})

    def _soon(self, name: str, do: Callable[[], None], *, days: float = 0) -> None:
        rng = self._chance.of(f"time of {name}")
        hours = rng.expovariate(1 / self._slow) + (rng.uniform(0.2, 2) * days * 24)
        if self._chance.happens("person forgets", name, 0.05):
            hours += rng.uniform(20, 24 * 9)
        self._later(timedelta(hours=hours), do)


def _some(units: Mapping[str, int]) -> dict[str, int]:
    return {line_id: count for line_id, count in units.items() if count}
