"""Customer service: does what the API lists for people."""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from typing import Any, Final

from orderloom_client.api.operations import list_attention
from orderloom_client.api.orders import resolve_step
from orderloom_client.models import AttentionAnswer

from .door import Door, Refused

_LOOKS_EVERY_S: Final = 2.0
_TO_PAY_BACK: Final = "pay_back_elsewhere"


class ServiceDesk:
    """Its people, until they are cancelled. `paid_back`: what they have paid back in shops."""

    def __init__(self, door: Door, known: Collection[str]) -> None:
        self._door = door
        self._known = known
        self.paid_back = 0

    async def run(self) -> None:
        """Look at the list, and deal with what is on it, again and again."""
        while True:
            for task in await self._door.all(list_attention):
                if task.subject in self._known and task.name.startswith(_TO_PAY_BACK):
                    await self._pay_back(task)
            await asyncio.sleep(_LOOKS_EVERY_S)

    async def _pay_back(self, task: Any) -> None:
        """A customer had paid in the shop for what never can be sent."""
        answer = {"step": task.name, "action": "done", "note": "paid back in the shop"}
        try:
            await self._door.ask(
                resolve_step,
                order_id=task.subject,
                body=AttentionAnswer.from_dict({**answer, "by": "service"}),
                if_match="*",
                idempotency_key=f"resolve {task.subject} {task.name}",
            )
        except Refused:  # somebody was faster
            return
        self.paid_back += 1
