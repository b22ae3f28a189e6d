"""A step of an order that waits for a person, and what they have decided."""

from __future__ import annotations

from collections.abc import Sequence

from domain.orders.messages import AttentionAnswer
from starter.service.service import Service
from starter.web.desk.acts.acting import Act, Asking, Field, Option, reason


def _fields(asking: Asking) -> Sequence[Field]:
    asked = [task for task in asking.detail.attention if task.allowed]
    actions = dict.fromkeys(action for task in asked for action in task.allowed)
    steps = [Option(task.step, f"{task.step}: {task.reason}") for task in asked]
    return (
        Field("choice", "step", "which_step", options=steps),
        Field("choice", "action", "to_do", options=asking.options("action_", *actions)),
        reason("note"),
    )


def _read(asking: Asking) -> AttentionAnswer:
    said = {name: asking.field(name) for name in ("step", "action", "note")}
    return AttentionAnswer.model_validate({**said, "by": asking.visit.person.who})


async def _do(here: Service, order_id: str, answer: AttentionAnswer) -> str:
    await here.resolve(order_id, answer)
    return "resolved"


RESOLVE = Act("resolve", _fields, _read, _do)
