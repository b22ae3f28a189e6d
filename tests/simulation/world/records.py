"""The order's row, its list of what needs a person, and its holds."""

from __future__ import annotations

from collections.abc import Callable

from activities.orders.order_records import (
    Attention,
    CloseOrder,
    Ended,
    Hold,
    KeepAnswer,
    Late,
    Notice,
)
from domain.ids import WHO
from domain.orders.continuation import AnsweredRequest
from store.orders.events import attention_effect
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
        self.answered: dict[str, AnsweredRequest] = {}

    def close_order(self, ask: CloseOrder) -> Ended:
        if self.memory.decision in ("", "confirmed"):
            self.memory.decision = ask.decision
            self.memory.reason = ask.reason or self._why_cancelled()
        return Ended(reason=self.memory.reason)

    def reopen_order(self, ask: Late) -> None:
        def reopen() -> None:
            self.memory.reopened = ask.opening

        if self.memory.decision == "closed":
            self.memory.once(f"reopen:{ask.opening}", reopen)

    def close_again(self, ask: Late) -> None:
        if self.memory.reopened == ask.opening:
            self.memory.reopened = ""

    def _why_cancelled(self) -> str:
        """The reason of the latest cancellation, of somebody else before our own."""
        asked = [why for who, why in self.memory.cancelled if who != WHO]
        return next(
            (x for x in reversed(asked or [why for _, why in self.memory.cancelled])),
            "nothing could be sent",
        )

    def keep_answer(self, ask: KeepAnswer) -> None:
        self.answered[ask.answered.request_id] = ask.answered

    def tell(self, ask: Notice) -> None:
        self.memory.once(ask.effect, lambda: self.told.append(ask.what))

    def note_attention(self, ask: Attention) -> None:
        if ask.resolution is None:
            self._asked(ask)
        raised, resolved = (
            attention_effect(ask.step, ask.since, "raised"),
            attention_effect(ask.step, ask.since, "resolved"),
        )
        effect = raised if ask.resolution is None else resolved
        if self.memory.knows(effect) or self.memory.knows(resolved):
            return  # an attempt that comes late
        self.memory.once(effect, lambda: None)
        open_one = self.attention.get(ask.step)
        if ask.resolution is None:
            since = ask.since if open_one is None else max(ask.since, open_one.since)
            self.attention[ask.step] = ask.model_copy(update={"since": since})
        else:
            if open_one is not None and open_one.since == ask.since:
                del self.attention[ask.step]
            if ask.resolution.startswith("done"):
                self.by_hand.add(ask.step)

    def note_hold(self, ask: Hold) -> None:
        if not ask.released:
            self.holds.setdefault(ask.number, True)
        else:
            assert ask.number in self.holds, "released before it was held"
            self.holds[ask.number] = False
