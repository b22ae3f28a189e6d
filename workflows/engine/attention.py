"""Steps that need a person: shown, listed, and answered by an operator."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable
from dataclasses import dataclass
from datetime import datetime

from temporalio import workflow
from temporalio.common import SearchAttributeKey

from workflows.engine import timeouts
from workflows.engine.refusals import refuse
from workflows.engine.summaries import in_a_line

with workflow.unsafe.imports_passed_through():
    from activities.orders.order_records import Attention, OrderRecords
    from domain.errors import IllegalTransition, NotFound
    from domain.orders.continuation import Action, OpenAttention
    from domain.orders.messages import AttentionAnswer

NO_ANSWER = "nothing is to be decided; it ends by itself"

ORDER_ATTENTION = SearchAttributeKey.for_bool("OrderAttention")


TAKEN_UP = "the order was taken up again; the step is tried anew where it is still needed"


@dataclass
class Parked:
    """A step that needs a person. Without `allowed` answers it ends by itself."""

    step: str
    since: datetime
    reason: str
    allowed: tuple[Action, ...]
    answer: AttentionAnswer | None = None


class ParkedSteps:
    """The steps of one order that need a person, by their names."""

    def __init__(self, order_id: str, changed: Callable[[], None]) -> None:
        self._order_id = order_id
        self._changed = changed
        self.steps: dict[str, Parked] = {}

    async def take_up(self, attention: Iterable[OpenAttention], waits: Container[str]) -> None:
        """Go on with what an earlier run has asked for, where it ends by itself: of these `waits`.

        What waited for an answer waits no more: the run that asked is gone.
        """
        for each in attention:
            self.steps[each.step] = Parked(each.step, each.since, each.reason, each.allowed)
        for parked in list(self.steps.values()):
            if parked.allowed:
                await self.over(parked.step, TAKEN_UP)
            elif parked.step not in waits:
                await self.over(parked.step, "it happened after all")
        if self.steps:
            workflow.upsert_search_attributes([ORDER_ATTENTION.value_set(True)])

    async def all_over(self, resolution: str) -> None:
        """Nothing needs a person any more."""
        for step in list(self.steps):
            await self.over(step, resolution)

    async def ask(self, step: str, reason: str) -> None:
        """Ask for attention without stopping. Asking twice is once."""
        if step not in self.steps:
            await self._raise(step, reason, allowed=())

    async def answered(
        self, step: str, reason: str, allowed: tuple[Action, ...], unless: Callable[[], bool]
    ) -> AttentionAnswer | None:
        """Ask, and wait for an operator's answer. None where `unless` comes true before."""
        parked = self.steps.get(step)
        # One answer serves all who wait at the same step.
        if parked is None or not parked.allowed:
            parked = await self._raise(step, reason, allowed)
        await workflow.wait_condition(lambda: parked.answer is not None or unless())
        answer = parked.answer
        if answer is None:
            await self.over(step, "no longer needed")
        else:
            await self.over(step, f"{answer.action}: {answer.note}", who=answer.by)
        return answer

    async def over(self, step: str, resolution: str, *, who: str = "orderloom") -> None:
        """The step does not need a person any more, if it did."""
        parked = self.steps.pop(step, None)
        if parked is None:
            return
        self._changed()
        if not self.steps:
            workflow.upsert_search_attributes([ORDER_ATTENTION.value_set(False)])
        await self._note(parked, resolution, who)

    @property
    def unanswered(self) -> list[Parked]:
        """What still needs a person. An answer takes a moment until it is on record."""
        return [parked for parked in self.steps.values() if parked.answer is None]

    def check_answer(self, answer: AttentionAnswer) -> None:
        """Raises ApplicationError when the answer does not fit the parked step."""
        parked = self.steps.get(answer.step)
        if parked is None:
            known = "; ".join(each.step for each in self.unanswered) or "nothing"
            raise refuse(NotFound(f"{answer.step!r} needs no attention here; what does: {known}"))
        if (before := parked.answer) is not None:
            what = f"has just been answered with {before.action} by {before.by}"
            raise refuse(IllegalTransition(f"{answer.step!r} {what}"))
        if answer.action not in parked.allowed:
            way = f"it takes {', '.join(parked.allowed)}" if parked.allowed else NO_ANSWER
            raise refuse(IllegalTransition(f"{answer.step!r} takes no {answer.action}: {way}"))

    def answer(self, answer: AttentionAnswer) -> None:
        """An operator's decision about a parked step."""
        self.check_answer(answer)
        self.steps[answer.step].answer = answer

    async def _raise(self, step: str, reason: str, allowed: tuple[Action, ...]) -> Parked:
        parked = Parked(step, workflow.now(), reason, allowed)
        self.steps[step] = parked
        self._changed()
        workflow.upsert_search_attributes([ORDER_ATTENTION.value_set(True)])
        await self._note(parked, None)
        return parked

    async def _note(self, parked: Parked, resolution: str | None, who: str = "orderloom") -> None:
        # Without an end to its retries: the list of what needs a person must not miss one.
        await workflow.execute_activity_method(
            OrderRecords.note_attention,
            Attention(
                order_id=self._order_id,
                step=parked.step,
                since=parked.since,
                reason=parked.reason,
                allowed=parked.allowed,
                resolution=resolution,
                who=who,
            ),
            start_to_close_timeout=timeouts.DATABASE_STEP,
            retry_policy=timeouts.DATABASE_RETRY,
            summary=_headline(parked, resolution),
        )


def _headline(parked: Parked, resolution: str | None) -> str:
    """The step and the reason, or what resolved it, in the timeline."""
    what, why = ("Resolved", resolution) if resolution else ("Needs attention", parked.reason)
    return in_a_line(f"{what}: {parked.step}: {why}")
