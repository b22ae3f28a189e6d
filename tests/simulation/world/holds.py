"""The holds of one order that people have placed: what stands keeps its goods here."""

from __future__ import annotations

from collections.abc import Callable

from activities.orders.holds import ChangeHolds, HoldRefusal, HoldsChanged
from domain.orders.hold_messages import StandingHold
from tests.simulation.world.memory import Memory


class Holds:
    """`is_here`: whether anything of the order is left. `go_on`: the last hold has ended."""

    def __init__(
        self,
        memory: Memory,
        *,
        is_here: Callable[[], bool],
        go_on: Callable[[], None],
    ) -> None:
        self._memory = memory
        self._is_here = is_here
        self._go_on = go_on
        self._standing: dict[str, StandingHold] = {}
        self._placed = 0

    @property
    def stand(self) -> bool:
        """Nothing is handed over. With an order that has ended, its holds have ended."""
        over = self._memory.decision in ("rejected", "cancelled", "closed")
        return bool(self._standing) and not over

    def change_holds(self, ask: ChangeHolds) -> HoldsChanged:
        effect = f"change_holds:{ask.request_id}{':ends' if ask.ends else ''}"
        standing = tuple(self._standing.values()) if self.stand else ()
        if not self._memory.knows(effect):
            before: HoldsChanged | None = self._memory.settled(effect, ask.turn)
            if before is not None:
                return before
            if ask.hold is not None and not self._is_here():
                return self._memory.nothing(effect, ask.turn, _no("nothing_to_hold"))
            if ask.hold is None and not standing and not ask.ends:
                return self._memory.nothing(effect, ask.turn, _no("not_held"))
        changed: tuple[str, ...] = self._memory.once(effect, lambda: self._change(ask))
        return HoldsChanged(
            hold_ids=changed, holds=tuple(self._standing.values()) if self.stand else ()
        )

    def _change(self, ask: ChangeHolds) -> tuple[str, ...]:
        if ask.hold is not None:
            self._placed += 1
            hold_id = f"H{self._placed}"
            self._standing[hold_id] = StandingHold(
                hold_id=hold_id,
                reason=ask.hold.reason,
                note=ask.hold.note,
                owner=ask.hold.owner,
                who=ask.hold.by,
                since=self._memory.now(),
            )
            return (hold_id,)
        changed = tuple(self._standing)
        if ask.release is not None or ask.ends:
            self._standing.clear()
            if changed:
                self._go_on()
        return changed


def _no(reason: str) -> HoldsChanged:
    return HoldsChanged(refused=HoldRefusal(kind="refused", message=reason, reason=reason))
