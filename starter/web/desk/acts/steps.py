"""A step of an order that waits for a person, and what they have decided."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from domain.orders.messages import AttentionAnswer
from starter.service.attention import TaskKey
from starter.service.service import Service
from starter.web.desk.acts.acting import Act, Asking, Field, Option, Seen, reason
from starter.web.desk.reasons import step_told, told
from starter.web.screens.forms import NotAsked
from starter.web.screens.once import once_asked
from starter.web.screens.visits import Visit


def _fields(asking: Asking) -> Sequence[Field]:
    asked = [task for task in asking.detail.attention if task.allowed]
    actions = dict.fromkeys(action for task in asked for action in task.allowed)
    words = asking.visit.words
    steps = [
        Option(task.step, f"{step_told(words, task.step)}: {told(words, task.reason)}")
        for task in asked
    ]
    return (
        Field("choice", "step", "which_step", options=steps),
        Field("choice", "action", "to_do", options=asking.options("action_", *actions)),
        reason("note"),
    )


@dataclass(frozen=True)
class _Decision:
    """What somebody has decided, by this form."""

    answer: AttentionAnswer
    form: Visit


def _read(asking: Asking) -> _Decision:
    said = {name: asking.field(name) for name in ("step", "action", "note")}
    answer = AttentionAnswer.model_validate({**said, "by": asking.visit.person.who})
    return _Decision(answer, asking.visit)


async def _preview(asking: Asking, decision: _Decision) -> Seen:
    words, order_id, answer = asking.visit.words, asking.order_id, decision.answer
    task = next((one for one in asking.detail.attention if one.step == answer.step), None)
    if task is None or answer.action not in task.allowed:
        raise NotAsked("why_no_task")
    found = await asking.here.needs_attention.task(TaskKey("order", order_id, task.step))
    rows = [
        (words("which_step"), step_told(words, task.step)),
        (words("why"), told(words, task.reason)),
        (words("to_do"), words(f"action_{answer.action}")),
        (words("what_follows"), words(f"follows_{answer.action}")),
    ]
    if found.amount_minor is not None and found.currency is not None:
        rows.insert(2, (words("at_stake"), words.money(found.amount_minor, found.currency)))
    return Seen(rows)


async def _do(here: Service, order_id: str, decision: _Decision) -> str:
    async def decide(request_id: str) -> str:
        await here.resolve(order_id, decision.answer, request_id=request_id)
        return "resolved"

    return await once_asked(decision.form, decide)


RESOLVE = Act("resolve", _fields, _read, _do, _preview, is_kept_here=True)
