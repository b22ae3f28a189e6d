"""A purchase order as the store and its supplier have it."""

from __future__ import annotations

from activities.purchasing.purchase_orders import (
    Chase,
    Ended,
    Purchase,
    PurchaseAttention,
    PurchaseDecision,
    Reported,
    Sent,
)
from domain.purchasing.purchase_orders import ENDED, PurchaseState, further
from tests.simulation.chance import Chance
from tests.simulation.world.memory import DECLINED, Memory, refusal

WAITS = ("await_acknowledgement", "await_goods")


class Buying:
    """One purchase order of one SKU. Facts are told by people; the workflow drives it on."""

    def __init__(
        self, memory: Memory, chance: Chance, po_id: str, ordered: int, state: PurchaseState
    ) -> None:
        self.memory = memory
        self.po_id = po_id
        self._chance = chance
        self.ordered = ordered
        self.state: PurchaseState = state
        self.received = 0
        self.cancelled = 0
        self.refused = False
        self.attention: str | None = None
        self.chased = 0
        self.at_supplier = state == "sent"
        self.sent_by_us = 0
        self._said_no = 0
        self.no_account = 0.1
        """How probable it is, each time, that the supplier does not know us."""

    @property
    def outstanding(self) -> int:
        return max(0, self.ordered - self.received - self.cancelled)

    @property
    def open(self) -> bool:
        """Something of it may come still."""
        return self.state not in ENDED and self.outstanding > 0

    # Activities -----------------------------------------------------------------------------------

    def approve_purchase(self, ask: PurchaseDecision) -> None:
        del ask
        if self.state == "proposed" and self._chance.happens("discontinued", "", 0.1):
            raise refusal("refused", "it is discontinued: cancel it")
        self.state = further(self.state, "approved")

    def send_purchase(self, ask: Purchase) -> Sent:
        del ask
        if self.state != "approved" or not self.outstanding:
            return Sent(refused="refused" if self.refused and not self.outstanding else None)
        if self._chance.happens(
            "supplier has no such account", f"{self._said_no}", self.no_account
        ):
            self._said_no += 1
            raise refusal(DECLINED, "there is no such account")
        if self._chance.happens("supplier refuses", "", 0.08):
            self.give_up(refused=True)
            return Sent(refused="sold out")
        if not self.at_supplier:
            self.sent_by_us += 1
        self.at_supplier = True
        self.state = further(self.state, "sent")
        return Sent()

    def await_acknowledgement(self, ask: Purchase) -> Reported:
        found = self.memory.report_or_wait("await_acknowledgement", ask.po_id)
        return Reported.model_validate(found)

    def await_goods(self, ask: Purchase) -> Reported:
        return Reported.model_validate(self.memory.report_or_wait("await_goods", ask.po_id))

    def chase_supplier(self, ask: Chase) -> None:
        if self.outstanding and not (ask.unanswered and self.state != "sent"):
            self.chased = max(self.chased, ask.number)

    def cancel_purchase(self, ask: PurchaseDecision) -> None:
        del ask
        if self.memory.knows("cancel"):
            return
        if not self.open:
            raise refusal("illegal_transition", "nothing of it is outstanding")
        asked = f"{self._said_no}"
        if self.at_supplier and self._chance.happens("supplier does not stop", asked, 0.3):
            self._said_no += 1
            raise refusal("illegal_transition", "the supplier has packed it")
        self.memory.once("cancel", self.give_up)

    def close_purchase(self, ask: Purchase) -> Ended:
        del ask
        if self.state not in ENDED:
            if self.outstanding:
                raise refusal("illegal_transition", "goods are outstanding; it is not over")
            self.state = "closed" if self.received else "cancelled"
            self.attention = None
        return Ended(state=self.state)

    def note_purchase(self, ask: PurchaseAttention) -> None:
        def note() -> None:
            self.attention = ask.reason

        self.memory.once(f"attention:{ask.number}", note)

    # What the supplier and the dock report --------------------------------------------------------

    def acknowledge(self, will_not_come: int) -> None:
        """The supplier answers. It may send less than was ordered."""
        if self.open:
            self.state = further(self.state, "acknowledged")
            self.cancelled += min(will_not_come, self.outstanding)
            self._report()

    def receive(self, units: int) -> None:
        """Goods come in at the dock, also before the supplier has answered."""
        if self.open and self.at_supplier:
            self.received += units
            self._report()

    def give_up(self, *, refused: bool = False) -> None:
        """What is outstanding will not come."""
        self.refused = self.refused or refused
        self.cancelled += self.outstanding
        self._report()

    def _report(self) -> None:
        if not self.outstanding:
            for step in WAITS:
                self.memory.report(step, self.po_id, {"outcome": "settled"})
        else:
            self.memory.report(WAITS[0], self.po_id, {"outcome": "acknowledged"})
