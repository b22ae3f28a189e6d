"""The order's row, its list of what needs a person, and its holds."""

from __future__ import annotations

from collections.abc import Callable

from activities.orders.order_records import Attention, CloseOrder, Hold, KeepAnswers, Notice
from tests.simulation.world.memory import Memory


class OrderRecords:
    """`asked`: is told when a person is to decide about a step."""

    def __init__(self, memory: Memory, asked: Callable[[Attention], None]) -> None:
        self.memory = memory
        self._asked = asked
        self.attention: dict[str, Attention] = {}
        self.by_hand: set[str] = set()
        """Steps that a person did by hand."""
        self.holds: dict[int, bool] = {}
        self.told: list[str] = []

    def close_order(self, ask: CloseOrder) -> None:
        def close() -> None:
            self.memory.decision = ask.decision

        self.memory.once("close_order", close)

    def keep_answers(self, ask: KeepAnswers) -> None:
        """Nobody here asks after the order's end."""

    def tell(self, ask: Notice) -> None:
        self.memory.once(ask.effect, lambda: self.told.append(ask.what))

    def note_attention(self, ask: Attention) -> None:
        if ask.resolution is None:
            self._asked(ask)
        effect = f"attention:{ask.number}:{'raised' if ask.resolution is None else 'resolved'}"
        if self.memory.knows(effect) or self.memory.knows(f"attention:{ask.number}:resolved"):
            return  # an attempt that comes late
        self.memory.once(effect, lambda: None)
        if ask.resolution is None:
            self.attention[ask.step] = ask
        else:
            self.attention.pop(ask.step, None)
            if ask.resolution.startswith("done"):
                self.by_hand.add(ask.step)

    def note_hold(self, ask: Hold) -> None:
        if not ask.released:
            self.holds.setdefault(ask.number, True)
        else:
            assert ask.number in self.holds, "released before it was held"
            self.holds[ask.number] = False
