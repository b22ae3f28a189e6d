"""Changes of one order that move no goods and no money. All others are lived on PostgreSQL."""

from __future__ import annotations

from domain.money import Money
from domain.orders.edit_messages import EditOutcome
from domain.stock.edit_answers import Applied, ApplyEdit, EditAnswer, Refusal
from tests.simulation.world.memory import Memory
from tests.simulation.world.stock import Stock


class Edits:
    """What the customer wishes is written anew each time."""

    def __init__(self, memory: Memory, stock: Stock) -> None:
        self._memory = memory
        self._stock = stock
        self._version = 1

    def apply_edit(self, ask: ApplyEdit) -> EditAnswer:
        decision = self._memory.decision
        if decision != "confirmed" and not self._memory.knows(ask.effect):
            reason = f"order_{decision}" if decision else "not_confirmed"
            return EditAnswer(refused=Refusal(kind="refused", message=reason, reason=reason))
        return self._memory.once(ask.effect, lambda: self._apply(ask))

    def _apply(self, ask: ApplyEdit) -> EditAnswer:
        order = self._stock.order
        assert order is not None  # it is confirmed
        self._version += 1
        total = Money(minor=order.total_minor, currency=order.currency)
        outcome = EditOutcome(
            request_id=ask.request_id,
            outcome="edited",
            version=self._version,
            total_before=total,
            total=total,
        )
        return EditAnswer(applied=Applied(outcome=outcome, terms=self._stock.terms()))
