"""Suppliers that were asked for goods of one order: they stop, or send them all the same."""

from __future__ import annotations

from collections.abc import Callable

from activities.purchasing.order_purchases import LinesAsked, OpenPurchases
from activities.purchasing.purchase_orders import PurchaseDecision
from tests.simulation.chance import Chance
from tests.simulation.world.memory import Memory, refusal


class Suppliers:
    """One purchase order for each line of the order. `send`: what does not stop comes."""

    def __init__(self, memory: Memory, chance: Chance, send: Callable[[str], None]) -> None:
        self._memory = memory
        self._chance = chance
        self._send = send

    def open_purchases(self, ask: LinesAsked) -> OpenPurchases:
        asked = {f"PO-{line_id}": line_id for line_id in ask.line_ids}
        return OpenPurchases(
            lines={k: line_id for k, line_id in asked.items() if not self._memory.knows(_stop(k))}
        )

    def cancel_purchase(self, ask: PurchaseDecision) -> None:
        effect = _stop(ask.po_id)
        if self._memory.knows(effect):
            return
        if self._chance.happens("supplier does not stop", ask.po_id, 0.3):
            self._send(ask.po_id[len("PO-") :])
            raise refusal("illegal_transition", "the supplier has packed it")
        self._memory.once(effect, lambda: None)


def _stop(po_id: str) -> str:
    return f"cancel_purchase:{po_id}"
