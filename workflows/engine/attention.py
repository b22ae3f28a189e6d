"""Steps that need a person: shown, listed, and answered by an operator."""

from __future__ import annotations

from collections.abc import Callable

from temporalio import workflow
from temporalio.common import SearchAttributeKey

from workflows.engine import timeouts
from workflows.engine.refusals import refuse
from workflows.engine.summaries import in_a_line

with workflow.unsafe.imports_passed_through():
    from activities.orders.order_records import Attention, OrderRecords
    from domain.errors import IllegalTransition, NotFound
    from domain.orders.continuation import Action, Parked
    from domain.orders.messages import AttentionAnswer

NO_ANSWER = "nothing is to be decided; it ends by itself"

ORDER_ATTENTION = SearchAttributeKey.for_bool("OrderAttention")


class ParkedSteps:
    """The steps of one order that need a person, by their names."""

    def __init__(
        self, order_id: str, changed: Callable[[], None], raised: int, parked: tuple[Parked, ...]
    ) -> None:
        self._order_id = order_id
        self._changed = changed
        self.raised = raised
        self.steps = {each.step: each for each in parked}

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

    def check_answer(self, answer: AttentionAnswer) -> None:
        """Raises ApplicationError when the answer does not fit the parked step."""
        parked = self.steps.get(answer.step)
        if parked is None:
            known = "; ".join(self.steps) or "nothing"
            raise refuse(NotFound(f"{answer.step!r} needs no attention here; what does: {known}"))
        if answer.action not in parked.allowed:
            way = f"it takes {', '.join(parked.allowed)}" if parked.allowed else NO_ANSWER
            raise refuse(IllegalTransition(f"{answer.step!r} takes no {answer.action}: {way}"))

    def answer(self, answer: AttentionAnswer) -> None:
        """An operator's decision about a parked step."""
        self.check_answer(answer)
        self.steps[answer.step].answer = answer

    async def _raise(self, step: str, reason: str, allowed: tuple[Action, ...]) -> Parked:
        self.raised += 1
        parked = Parked(
            step=step, number=self.raised, since=workflow.now(), reason=reason, allowed=allowed
        )
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
                number=parked.number,
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
