"""Changes of one order: what the real activity writes in one transaction, decided by its rules."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass
from decimal import Decimal

from domain import ids
from domain.errors import OrderloomError, Refused
from domain.money import Money as Amount
from domain.orders.amounts import LineMoney, LineWorth, Worth, value_lines
from domain.orders.charges import Charges
from domain.orders.edit_lines import EditedLines, as_units
from domain.orders.edit_messages import EditOutcome, PersonChange
from domain.orders.edited import Edited, LineStanding, Present, check_total, total_of
from domain.orders.edits import edited
from domain.orders.order import Order
from domain.orders.price_match import owed_for_lower_price
from domain.orders.quantities import LineQuantities, LineUnits
from domain.orders.refund_rules import Granted
from domain.stock.edit_answers import Applied, ApplyEdit, EditAnswer, Refusal
from domain.stock.taking_away import Part, Taken, check_emptied, choose, moving
from tests.simulation.world.memory import Memory
from tests.simulation.world.money import Money
from tests.simulation.world.stock import LIVE, Stock
from tests.simulation.world.warehouse import Warehouse


@dataclass
class _Planned:
    """An edit that can be applied: units by location and line, and what is waited for."""

    done: Edited
    lines: EditedLines
    taken: Taken
    claimed: dict[str, dict[str, int]]
    waits: dict[str, int]


class Edits:
    """What the customer wishes for himself is written elsewhere, and is nothing here."""

    def __init__(self, memory: Memory, stock: Stock, warehouse: Warehouse, money: Money) -> None:
        self._memory = memory
        self._stock = stock
        self._warehouse = warehouse
        self._money = money

    def apply_edit(self, ask: ApplyEdit) -> EditAnswer:
        settled: EditAnswer | None = self._memory.settled(ask.effect, ask.turn)
        if settled is not None:
            return settled
        try:
            answer = self._look(ask)
        except OrderloomError as no:
            refused = Refusal(kind=no.kind, message=str(no), reason=no.reason, instead=no.instead)
            answer = EditAnswer(refused=refused)
        if self._memory.knows(ask.effect):
            return answer
        return self._memory.nothing(ask.effect, ask.turn, answer)

    # Look -----------------------------------------------------------------------------------------

    def _look(self, ask: ApplyEdit) -> EditAnswer:
        stock, decision = self._stock, self._memory.decision
        if decision != "confirmed":
            raise Refused("no", reason=f"order_{decision}" if decision else "not_confirmed")
        if ask.request.version not in (None, self._memory.version):
            raise Refused("no", reason="changed_meanwhile")
        present = self._present()
        done = edited(present, ask.request, PersonChange())
        done.check()
        check_total(present, done, ask.request)
        if not done.changes:
            outcome = self._outcome(ask, done, present.order)
            return EditAnswer(applied=Applied(outcome=outcome, terms=stock.terms()))
        parts = self._parts(ask, done.taken)
        taken = choose(done.taken, self._waiting, parts)
        check_emptied(taken, parts, ask.fulfilments)
        if stock.bought and any(k not in ask.called_back for k in taken.waited_for):
            return EditAnswer(to_call_back=taken.waited_for)
        self._check_lower(done, {x.line_id: x.unit_price for x in present.order.lines})
        lines = EditedLines(present, done, stock.skus)
        stock.skus.update(lines.skus)
        claimed, short = stock.take(done.added)
        waits, missing = stock.wait_or_lack(short, stock.policy.backorder)
        planned = _Planned(done, lines, taken, claimed, waits)
        if missing:
            stock.untake(claimed)
            raise Refused("no", reason="not_available", instead=("edit_order",))
        if total_of(done.order).minor > total_of(present.order).minor:
            proposal = lines.proposal(taken.parts)
            ahead = stock.policy.charge != "at_shipment"
            if not self._money.holds(proposal, ahead=ahead, spare=stock.policy.renew_before):
                stock.untake(claimed)
                return EditAnswer(to_authorize=proposal)
        return self._memory.once(ask.effect, lambda: self._apply(ask, planned))

    def _check_lower(self, done: Edited, prices: dict[str, Decimal]) -> None:
        """Raises Refused where a line costs no more already: of what is refused, nothing stays."""
        if done.is_money and done.keeps:
            tallies = deepcopy(self._stock.tallies)
            for line_id, price in done.lowered.items():
                owed_for_lower_price(
                    tallies.charges, tallies.currency, line_id, prices[line_id], price
                )

    def _present(self) -> Present:
        stock, tallies = self._stock, self._stock.tallies
        assert stock.order is not None  # it is confirmed
        lines = {
            k: LineStanding(ordered=n.ordered, cancelled=n.cancelled, shipped=n.shipped)
            for k, n in tallies.lines.items()
        }
        money = tallies.charges.money.values()
        whole = ids.prepaid_id(stock.order.order_id)
        charging = whole in tallies.due and not self._money.nothing_charged
        return Present(
            stock.order,
            self._memory.version,
            lines,
            charged=any(each.charged or each.invoiced for each in money),
            charging=charging and self._money.left_to_pay(whole) > 0,
            unpaid=any(self._money.left_to_pay(part) > 0 for part in tallies.due),
            sent=all(n.ordered == n.cancelled + n.shipped for n in tallies.lines.values()),
        )

    @property
    def _waiting(self) -> dict[str, int]:
        return {k: n.backordered for k, n in self._stock.tallies.lines.items() if n.backordered}

    def _parts(self, ask: ApplyEdit, wanted: LineUnits) -> dict[str, Part]:
        """The fulfilments that have not left. Raises Refused where the workflow is behind."""
        parts = {
            part.id: Part(
                state=part.state,
                handling=self._stock.handling,
                location=part.location,
                claimed={k: n for k, n in part.reserved.items() if n},
            )
            for part in self._stock.parts.values()
            if part.state in LIVE
        }
        for k in wanted:
            heard = {x: ask.fulfilments.get(x, {}).get(k, 0) for x in parts}
            waits = self._waiting.get(k, 0) == ask.waiting.get(k, 0)
            if heard != {x: each.claimed.get(k, 0) for x, each in parts.items()} or not waits:
                raise moving(k)
        return parts

    # Write ----------------------------------------------------------------------------------------

    def _apply(self, ask: ApplyEdit, planned: _Planned) -> EditAnswer:
        stock, done, taken = self._stock, planned.done, planned.taken
        before = stock.order
        assert before is not None
        stock.give_up(taken.waited_for)
        emptied, unused = [], []
        for part_id, units in taken.parts.items():
            part = stock.parts[part_id]
            everything = units == {k: n for k, n in part.reserved.items() if n}
            stock.give_away(part, units)
            keeps_label = stock.policy.keeps_label and not everything
            if self._warehouse.open_up(part, units, keeps_label=keeps_label):
                unused.append(part_id)
            if everything:
                self._warehouse.stop(part)
                emptied.append(part_id)
        if done.is_money and not done.keeps:
            self._make_anew(planned)
        self._add(planned)
        stock.order, self._memory.version = done.order, self._memory.version + 1
        if done.is_elsewhere:
            live = [part for part in stock.parts.values() if part.state in LIVE]
            unused += [part.id for part in live if self._warehouse.send_elsewhere(part)]
        planned_parts = stock.claim(planned.claimed)
        stock.wait(planned.waits, ask.round)
        stock.serve()
        refunds = self._owe(ask, done, {x.line_id: x.unit_price for x in before.lines})
        self._memory.done.append({"effect": ask.effect, "data": {}})
        return EditAnswer(
            applied=Applied(
                outcome=self._outcome(ask, done, before, planned.waits, refunds),
                terms=stock.terms(),
                fulfilments=planned_parts,
                backordered=planned.waits,
                waited_for=taken.waited_for,
                taken=taken.parts,
                emptied=tuple(emptied),
                labels_unused=tuple(unused),
                refunds=refunds,
            )
        )

    def _make_anew(self, planned: _Planned) -> None:
        """All lines are worth something else, and what was taken away was never ordered."""
        tallies, done = self._stock.tallies, planned.done
        worth = value_lines(done.order)
        money: dict[str, LineMoney] = {}
        for row in planned.lines.rows({}):
            before = tallies.lines.get(row.line_id)
            if before is None:
                continue
            more = row.ordered - before.ordered
            line = before.order_less(row.given_back)
            if more > 0:
                line = line.order_more(more)
            tallies.lines[row.line_id] = line
            kept = tallies.charges.money[row.line_id]
            sendable = None if kept.sendable is None else kept.sendable + more
            money[row.line_id] = kept.model_copy(update={"sendable": sendable})
        for line_id, line in tallies.lines.items():
            gone = LineWorth(line_id=line_id, quantity=line.ordered, whole=Worth())
            worth.setdefault(line_id, gone)
        self._stock.sold = dict(worth)
        old = tallies.charges
        tallies.charges = Charges(
            tallies.lines,
            worth,
            money,
            refunded=old.refunded,
            invoiced=old.invoiced,
            goodwill=old.goodwill,
        )

    def _add(self, planned: _Planned) -> None:
        """New lines."""
        tallies, worth = self._stock.tallies, value_lines(planned.done.order)
        for line_id in planned.done.new:
            tallies.lines[line_id] = LineQuantities(ordered=worth[line_id].quantity)
            tallies.charges.worth[line_id] = self._stock.sold[line_id] = worth[line_id]
            tallies.charges.money[line_id] = LineMoney()

    def _owe(self, ask: ApplyEdit, done: Edited, prices: dict[str, Decimal]) -> tuple[Granted, ...]:
        if not (done.is_money and done.keeps):
            return ()
        tallies = self._stock.tallies
        refund_id = f"{ask.order_id}:{ask.effect}"
        owed = tallies.charges.cancelled(dict.fromkeys(done.taken, 0))
        granted = [tallies.grant(refund_id, owed, "cancelled")]
        for line_id, price in done.lowered.items():
            owed = owed_for_lower_price(
                tallies.charges, tallies.currency, line_id, prices[line_id], price
            )
            granted.append(tallies.grant(f"{refund_id}:{line_id}", owed, "price_match"))
        return tuple(each for each in granted if each is not None)

    def _outcome(
        self,
        ask: ApplyEdit,
        done: Edited,
        before: Order,
        waits: LineUnits | None = None,
        refunds: tuple[Granted, ...] = (),
    ) -> EditOutcome:
        total = total_of(done.order)
        back = sum(each.amount.minor for each in refunds)
        return EditOutcome(
            request_id=ask.request_id,
            outcome="edited" if done.changes else "unchanged",
            version=self._memory.version,
            changes=done.changes,
            total_before=total_of(before),
            total=total,
            to_pay_back=Amount(minor=back, currency=total.currency),
            added=as_units(done.added),
            taken_away=as_units(done.taken),
            backordered=as_units(waits or {}),
        )
