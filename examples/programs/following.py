"""Follows the stream of events, so that nobody has to ask again and again how an order is."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any, Final

import httpx
from orderloom_client.api.events import read_events

from .door import Door

ENDED: Final = ("rejected", "cancelled", "closed")

Event = dict[str, Any]
_PAUSE_S: Final = 0.5


class Following:
    """Each order as its newest event shows it. `listeners` are told of each event."""

    def __init__(self, door: Door) -> None:
        self._door = door
        self._position = 0
        self._changed = asyncio.Condition()
        self.orders: dict[str, dict[str, Any]] = {}
        self.listeners: list[Callable[[Event], None]] = []

    async def begin(self) -> int:
        """Note where the day begins: the position of the newest event."""
        self._position = (await self._door.ask(read_events)).position
        return self._position

    async def run(self) -> None:
        """Read until cancelled. After a break it goes on behind the last event that it has."""
        client = self._door.client.get_async_httpx_client()
        while True:
            headers = {"Accept": "text/event-stream", "Last-Event-ID": str(self._position)}
            try:
                async with client.stream("GET", "/v1/events", headers=headers) as stream:
                    async for line in stream.aiter_lines():
                        await self._take(line)
            except httpx.TransportError:
                pass
            await asyncio.sleep(_PAUSE_S)

    async def _take(self, line: str) -> None:
        name, _, value = line.partition(": ")
        if name == "id":
            self._position = int(value)
        if name != "data":
            return
        event = json.loads(value)
        async with self._changed:
            self.orders[event["subject"]] = event["data"]["order"]
            self._changed.notify_all()
        for listener in self.listeners:
            listener(event)

    async def until(self, holds: Callable[[], bool], within_s: float, what: str) -> None:
        """Wait for something that the events tell. Raises TimeoutError that says `what`."""
        try:
            async with asyncio.timeout(within_s), self._changed:
                await self._changed.wait_for(holds)
        except TimeoutError:
            raise TimeoutError(f"{what} within {within_s:.0f} s") from None

    def has_ended(self, order_id: str) -> bool:
        """Whether nothing more happens to an order."""
        order = self.orders.get(order_id)
        return order is not None and order["state"] in ENDED
