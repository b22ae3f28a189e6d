"""The claims of one order: decided by the same rules as in rows, paid and sent by the world."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

from activities.payments.contracts import Refusal
from activities.stock.claim_contracts import ClaimAnswer, DecideClaim, MakeClaim
from domain import ids
from domain.aftersales.claims import Facts, Payment, check_still_there, pays, ruling, units_of
from domain.errors import OrderloomError, Refused
from domain.fulfilment.fulfilments import Planned
from domain.orders.claim_messages import ClaimDecision, ClaimKind, ClaimOutcome
from domain.orders.claim_rules import ClaimRules
from domain.orders.messages import RefundTo, Units
from tests.simulation.world.memory import Memory
from tests.simulation.world.stock import Stock


@dataclass
class Claimed:
    """A claim; without a decision it is open."""

    kind: ClaimKind
    units: dict[str, int]
    decision: ClaimDecision | None = None


class Claims:
    """`disputed`: the customer's bank asks about the payment. `expect`: units are to come back."""

    def __init__(
        self,
        memory: Memory,
        stock: Stock,
        disputed: Callable[[], bool],
        expect: Callable[[dict[str, int]], str],
    ) -> None:
        self._expect = expect
        self._memory = memory
        self._stock = stock
        self._disputed = disputed
        self.made: dict[str, Claimed] = {}

    @property
    def open(self) -> list[str]:
        """The ids of claims that wait for a person."""
        return [claim_id for claim_id, each in self.made.items() if each.decision is None]

    @property
    def sent_again(self) -> Counter[str]:
        """Units by line that went out for claimed ones."""
        units = Counter[str]()
        for each in self.made.values():
            if each.decision == "reship":
                units.update(each.units)
        return units

    def make_claim(self, ask: MakeClaim) -> ClaimAnswer:
        return self._once(f"claim:{ask.request_id}", ask.turn, lambda: self._make(ask))

    def decide_claim(self, ask: DecideClaim) -> ClaimAnswer:
        return self._once(f"decide_claim:{ask.request_id}", ask.turn, lambda: self._decided(ask))

    def _once(self, effect: str, turn: str, act: Callable[[], ClaimAnswer]) -> ClaimAnswer:
        before: ClaimAnswer | None = self._memory.settled(effect, turn)
        if before is not None:
            return before
        try:
            return self._memory.once(effect, act)
        except OrderloomError as error:
            return self._memory.nothing(effect, turn, ClaimAnswer(refused=Refusal.of(error)))

    def _make(self, ask: MakeClaim) -> ClaimAnswer:
        request, facts = ask.request, self._facts()
        units = dict(units_of(request, facts))
        worth = facts.charges.at_most(units) if units else 0
        decision, why = ruling(request, worth, facts, ask.rules)
        if decision and self._disputed():
            decision, why = None, "a bank asks about it"
        taken: dict[str, dict[str, int]] = {}
        if decision == "reship":
            try:
                taken = self._take(units)
            except Refused as no:
                decision, why = None, str(no)
        claim_id = ids.claim_id(ask.order_id, len(self.made) + 1)
        claim = self.made[claim_id] = Claimed(request.kind, units)
        if decision is None:
            return ClaimAnswer(outcome=self._outcome(ask.request_id, claim_id, claim, why))
        return self._decide(
            claim_id, decision, why, ask.request_id, ask.rules, "original", Payment(), taken
        )

    def _decided(self, ask: DecideClaim) -> ClaimAnswer:
        request = ask.request
        claim = self.made.get(request.claim_id)
        if claim is None or claim.decision is not None:
            raise Refused("there is none, or it is decided", reason="claim_decided")
        if request.send_back and not claim.units:
            raise Refused("no units are claimed", reason="nothing_left")
        taken = self._take(claim.units) if request.decision == "reship" else {}
        how = Payment(request.amount, request.percent)
        return self._decide(
            request.claim_id,
            *(request.decision, request.note, ask.request_id, ask.rules, request.to, how, taken),
            ask_back=request.send_back,
        )

    def _decide(
        self,
        claim_id: str,
        decision: ClaimDecision,
        note: str,
        request_id: str,
        rules: ClaimRules,
        to: RefundTo,
        how: Payment,
        taken: dict[str, dict[str, int]],
        *,
        ask_back: bool = False,
    ) -> ClaimAnswer:
        claim, tallies = self.made[claim_id], self._stock.tallies
        refund, again = None, tuple[Planned, ...]()
        if decision == "reship":
            tallies.move("send_again", claim.units)
            tallies.charges.sent_again(claim.units)
            again = self._stock.claim(taken)
        elif decision != "refused":
            if self._disputed():
                raise Refused("a bank asks about it", reason="payment_disputed")
            owed, kind = pays(claim.kind, claim.units, how, self._facts(), rules)
            refund = tallies.grant(claim_id, owed, kind, to=to)
        return_id = self._expect(claim.units) if ask_back else None
        claim.decision = decision
        outcome = self._outcome(request_id, claim_id, claim, note).model_copy(
            update={
                "refund_id": None if refund is None else refund.refund_id,
                "amount": None if refund is None else refund.amount,
                "return_id": return_id,
                "fulfilments": tuple(planned.fulfilment_id for planned in again),
            }
        )
        return ClaimAnswer(outcome=outcome, refund=refund, sent_again=again)

    def _take(self, units: dict[str, int]) -> dict[str, dict[str, int]]:
        """Claim all of these units on the shelves. Raises Refused, and claims none."""
        if self._memory.decision == "closed":
            raise Refused("it is closed", reason="order_closed")
        if not units:
            raise Refused("no units are claimed", reason="nothing_left")
        check_still_there(units, self._stock.tallies.charges)
        return self._stock.take_all(units)

    def _facts(self) -> Facts:
        claimed = Counter[str]()
        for each in self.made.values():
            if each.decision in (None, "part_refund"):
                claimed.update(each.units)
        tallies = self._stock.tallies
        return Facts(tallies.charges, tallies.currency, claimed, claims_before=len(self.made))

    def _outcome(
        self, request_id: str, claim_id: str, claim: Claimed, message: str
    ) -> ClaimOutcome:
        return ClaimOutcome(
            request_id=request_id,
            claim_id=claim_id,
            outcome="open" if claim.decision is None else "decided",
            decision=claim.decision,
            lines=tuple(Units(line_id=k, quantity=n) for k, n in claim.units.items()),
            message=message,
        )
