"""The warehouse: does what the API lists as its tasks, and reports it."""

from __future__ import annotations

import asyncio
from typing import Any, Final

from orderloom_client.api.warehouse import (
    hand_over_fulfilment,
    list_warehouse_tasks,
    pack_fulfilment,
    pick_fulfilment,
    receive_return,
    report_put_back,
)
from orderloom_client.models import HandOver, Packed, Pick, PutBack, ReturnParcel

from .door import Door, Refused
from .plan import Plan, draw, fewer

_LOOKS_EVERY_S: Final = 0.5
_AT_ONCE: Final = 6
_WHO: Final = {"by": "anna"}


class Warehouse:
    """Its hands, until they are cancelled."""

    def __init__(self, door: Door, plan: Plan) -> None:
        self._door = door
        self._plan = plan
        self._few_at_once = asyncio.Semaphore(_AT_ONCE)
        self._refused: set[tuple[str, str]] = set()

    async def run(self) -> None:
        """Look for tasks and do them, again and again."""
        while True:
            tasks = await self._door.all(list_warehouse_tasks)
            await asyncio.gather(*(self._do(task) for task in tasks))
            await asyncio.sleep(_LOOKS_EVERY_S)

    async def _do(self, task: Any) -> None:
        kind, part_id = task.task.value, task.part_id
        if self._plan.holds(kind, task.order_id):
            return
        # A parcel may be opened and packed again, so a task's time is part of its key.
        key = f"{kind} {part_id} {task.since.isoformat()}"
        units = {line.line_id: line.quantity for line in task.lines}
        act = {
            "pick": self._pick,
            "put-back": self._put_back,
            "pack": self._pack,
            "handover": self._hand_over,
            "receive-return": self._receive_return,
        }.get(kind)
        if act is None:
            return
        async with self._few_at_once:
            try:
                await act(part_id, units, f"{key} {sum(units.values())}")
            except Refused:  # cancelled a moment ago
                if (kind, part_id) not in self._refused:
                    self._refused.add((kind, part_id))
                    self._plan.counts["refused"] += 1

    async def _pick(self, part_id: str, units: dict[str, int], key: str) -> None:
        short = self._plan.happens("short_pick", part_id)
        counted = fewer(units, part_id) if short else units
        await self._door.ask(
            pick_fulfilment,
            fulfilment_id=part_id,
            body=Pick.from_dict({"counted": counted, **_WHO}),
            idempotency_key=key,
        )
        self._plan.counts.update(picked=1, short_picks=int(short))

    async def _put_back(self, part_id: str, _: dict[str, int], key: str) -> None:
        await self._door.ask(
            report_put_back,
            put_back_id=part_id,
            body=PutBack.from_dict(_WHO),
            idempotency_key=key,
        )
        self._plan.counts["put_back"] += 1

    async def _pack(self, part_id: str, _: dict[str, int], key: str) -> None:
        await self._door.ask(
            pack_fulfilment,
            fulfilment_id=part_id,
            body=Packed.from_dict(_WHO),
            idempotency_key=key,
        )
        self._plan.counts["packed"] += 1

    async def _hand_over(self, part_id: str, _: dict[str, int], key: str) -> None:
        await self._door.ask(
            hand_over_fulfilment,
            fulfilment_id=part_id,
            body=HandOver.from_dict(_WHO),
            idempotency_key=key,
        )
        self._plan.counts["handed_over"] += 1

    async def _receive_return(self, part_id: str, units: dict[str, int], key: str) -> None:
        """Some do not come back, and some cannot be sold again."""
        came = fewer(units, part_id) if self._plan.happens("return_missing", part_id) else units
        spoilt = ""
        if self._plan.happens("return_scrap", part_id):
            spoilt = sorted(units)[int(draw(part_id, "which is spoilt") * len(units))]
        counted = {
            line_id: {"scrapped" if line_id == spoilt else "restocked": number}
            for line_id, number in came.items()
        }
        await self._door.ask(
            receive_return,
            return_id=part_id,
            body=ReturnParcel.from_dict({"counted": counted, **_WHO}),
            idempotency_key=key,
        )
        self._plan.counts.update(
            returns_received=1,
            units_missing=sum(units.values()) - sum(came.values()),
            units_scrapped=came.get(spoilt, 0),
        )
