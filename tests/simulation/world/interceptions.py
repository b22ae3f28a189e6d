"""The carrier of one order, asked to stop parcels: it does so, or refuses."""

from __future__ import annotations

from activities.fulfilment.interceptions import Intercept, InterceptAnswer, InterceptRefusal
from domain.money import Money
from tests.simulation.chance import Chance
from tests.simulation.world.memory import Memory
from tests.simulation.world.stock import Stock

FEE = Money(minor=750, currency="EUR")


class Interceptions:
    """`accepted`: the parcels that were stopped, each as often as it was."""

    def __init__(self, memory: Memory, chance: Chance, stock: Stock) -> None:
        self._memory = memory
        self._chance = chance
        self._stock = stock
        self.accepted: list[str] = []

    def intercept_parcel(self, ask: Intercept) -> InterceptAnswer:
        effect, part_id = f"intercept:{ask.request_id}", ask.request.fulfilment_id
        before: InterceptAnswer | None = self._memory.settled(effect, ask.turn)
        if before is not None:
            return before

        if ask.given_up:  # the carrier has never heard of it
            return self._memory.nothing(effect, ask.turn, _no("refused", "no_answer"))

        def no(kind: str, reason: str) -> InterceptAnswer:
            return self._memory.nothing(effect, ask.turn, _no(kind, reason))

        part = self._stock.parts.get(part_id)
        if part is None or part.state in ("open", "picking", "picked", "packed"):
            return no("not_found", "")
        if part.state != "shipped":
            return no("refused", "not_on_its_way")
        if ask.request.way == "redirect":  # nobody has kept an address for it
            return no("refused", "not_kept")
        return self._memory.once(effect, lambda: self._asked(part_id, ask.request_id))

    def _asked(self, part_id: str, request_id: str) -> InterceptAnswer:
        if self._chance.happens("not stopped", request_id, 0.3):
            return _no("refused", "carrier_refused")
        self.accepted.append(part_id)
        return InterceptAnswer(fee=FEE)


def _no(kind: str, reason: str) -> InterceptAnswer:
    return InterceptAnswer(refused=InterceptRefusal(kind=kind, message="no", reason=reason))
