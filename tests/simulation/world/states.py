"""Where an order stands, as the world in memory has it, for a run that goes on from there."""

from __future__ import annotations

from typing import Literal

from temporalio.exceptions import ApplicationError

from activities.orders.order_records import ReadState
from domain import ids
from domain.money import Money as Amount
from domain.orders.continuation import (
    Decision,
    FulfilmentStanding,
    OpenAttention,
    OpenReturn,
    OrderState,
    Prepaid,
)
from domain.orders.refund_rules import Granted
from store.orders.states import begun
from tests.simulation.world.money import Money
from tests.simulation.world.records import OrderRecords
from tests.simulation.world.stock import Part, Stock
from tests.simulation.world.warehouse import Return, Warehouse

Stage = Literal["planned", "await_delivery", "recalled", "ended"]


class States:
    """Reads what all rooms of the world remember of one order, in one moment."""

    def __init__(
        self, stock: Stock, warehouse: Warehouse, money: Money, records: OrderRecords
    ) -> None:
        self._memory = stock.memory
        self._stock = stock
        self._warehouse = warehouse
        self._money = money
        self._records = records

    def read_state(self, ask: ReadState) -> OrderState:
        order, stock, money = self._stock.order, self._stock, self._money
        if order is None or order.order_id != ask.order_id:
            raise ApplicationError("no such order", type="not_found", non_retryable=True)
        lines = dict(stock.tallies.lines)
        parts = sorted(stock.parts.values(), key=lambda part: (len(part.id), part.id))
        for part in parts:
            for line_id, units in self._open(part).items():
                lines[line_id] = lines[line_id].allocate(units)
        delivered = [
            self._memory.reports[ids.wait_id("await_delivery", part.id)]["at"]
            for part in parts
            if part.state == "delivered"
        ]
        rounds = [each.round for each in stock.backorders.values()]
        waiting = [each.since for each in stock.backorders.values() if each.quantity and each.since]
        return OrderState(
            terms=stock.terms(),
            decision=self._decision,
            lines=lines,
            fulfilments=tuple(self._fulfilment(part) for part in parts),
            last_delivery=max(delivered, default=None),
            round=max(max(rounds, default=1), 1 + stock.filled),
            waits_since=min(waiting, default=None),
            authorized=any(each.room for each in money.authorizations)
            and f"void_payment {order.order_id}" not in self._records.by_hand,
            is_undone=self._decision == "received" and money.undone,
            prepaid=self._prepaid(ids.prepaid_id(order.order_id)),
            attempt=len(money.refusals) + (0 if money.last_refused else 1),
            attempts=money.attempts,
            owed=tuple(
                Granted(refund_id=x, amount=Amount(minor=each.amount, currency=order.currency))
                for x, each in stock.tallies.granted.items()
                if each.unissued
            ),
            returns=tuple(
                OpenReturn(
                    return_id=x, units=each.units, since=each.since, paid_early=each.paid_early
                )
                for x, each in self._warehouse.returns.items()
                if each.kind == "customer" and each.received is None
            ),
            holds=len(self._records.holds),
            is_held=any(self._records.holds.values()),
            attention=tuple(
                OpenAttention(
                    step=each.step, since=each.since, reason=each.reason, allowed=each.allowed
                )
                for each in self._records.attention.values()
            ),
            answered=tuple(self._records.answered.values()),
            begun=begun(order.order_id, self._memory.done),
        )

    @property
    def _decision(self) -> Decision:
        return self._memory.decision or "received"

    def _prepaid(self, part: str) -> Prepaid:
        if part not in self._stock.tallies.due:
            return "not_begun"
        if self._money.nothing_charged:
            return "refused"
        return "begun" if self._money.left_to_pay(part) else "charged"

    def _open(self, part: Part) -> dict[str, int]:
        """Units that were not found, or that the location refused, and nobody has replaced yet."""
        done = self._memory.knows(f"reserve_again:{part.id}:open")
        return {} if done else part.missing

    def _fulfilment(self, part: Part) -> FulfilmentStanding:
        stage, back = self._stage(part), self._comes_back(part)
        on_its_way = stage in ("planned", "recalled")
        claimed = {line_id: units for line_id, units in part.reserved.items() if units}
        units = claimed if on_its_way else part.picked
        for line_id, missing in self._open(part).items():
            units[line_id] = units.get(line_id, 0) + missing
        shipment = self._warehouse.shipments.get(part.id)
        moved = part.since if shipment is None else shipment.moved_at or part.since
        # Held, it waits for nobody: as if it had just come to this state.
        planned = self._memory.now() if self._warehouse.kept_here() else part.since
        since = {"planned": planned, "await_delivery": moved if back is None else back[1].since}
        outcome = "" if shipment is None else shipment.ended_as
        due = self._stock.tallies.due
        return FulfilmentStanding(
            fulfilment_id=part.id,
            location=part.location,
            state=part.state,
            handling=self._stock.handling,
            units=units,
            stage=stage,
            since=since.get(stage),
            return_id="" if back is None else back[0],
            outcome="recalled" if part.recalled_from is not None else outcome,
            due_minor=self._money.left_to_pay(part.id) if part.id in due else 0,
            label_unused=part.id in self._warehouse.unused_labels
            and f"void_label {part.id}" not in self._records.by_hand,
            has_lacked=self._memory.knows(f"reserve_again:{part.id}:open"),
        )

    def _stage(self, part: Part) -> Stage:
        """What the order still has to do about it."""
        if part.recalled_from is not None:
            return "recalled" if any(part.reserved.values()) or self._open(part) else "ended"
        if part.state == "cancelled":  # refused, not found, or fallen back to backorder
            return "planned" if self._open(part) else "ended"
        if part.state == "shipped":
            return "await_delivery"
        if part.state == "exception":
            back = self._comes_back(part)
            lost = self._warehouse.shipments[part.id].ended_as == "lost"
            replaced = self._memory.knows(f"reserve_again:{part.id}:shipped")
            arrived = back is not None and back[1].received is not None
            again = lost or (back is not None and back[1].anew)
            return "ended" if (replaced if again else arrived) else "await_delivery"
        return "ended" if part.state == "delivered" else "planned"

    def _comes_back(self, part: Part) -> tuple[str, Return] | None:
        """The return of a parcel that could not be delivered."""
        found = self._warehouse.returns.items()
        return next((pair for pair in found if pair[1].part_id == part.id), None)
