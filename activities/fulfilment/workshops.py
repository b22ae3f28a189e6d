"""Workshops: programs of others that work on goods before they leave, and hand them over."""

from __future__ import annotations

from typing import Protocol

from domain.orders.handling import Handling


class Workshops(Protocol):
    """Has a workshop begin with a fulfilment that has its label. Safe to repeat."""

    async def begin(self, fulfilment_id: str, handling: Handling) -> None: ...
