"""Rules that hold orders as they are taken in, and the shop's own lists."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

from domain.orders.hold_rules import HoldRule, ListEntries
from store.database import Pool
from store.orders import hold_rules

ShownRule: TypeAlias = hold_rules.ShownRule
ShownList: TypeAlias = hold_rules.ShownList


class HoldRules:
    """A change concerns the orders that are taken in from then on."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def list(self) -> Sequence[ShownRule]:
        """All rules, by their names."""
        async with self._pool.acquire() as conn:
            return await hold_rules.find(conn)

    async def save(self, rules: Sequence[HoldRule], *, who: str) -> None:
        """Set these rules whole; the others stay as they are."""
        async with self._pool.acquire() as conn:
            await hold_rules.save(conn, rules, who=who)

    async def remove(self, rule: str) -> None:
        """Take a rule away. What it holds stays held. Raises NotFound."""
        async with self._pool.acquire() as conn:
            await hold_rules.remove(conn, rule)

    async def lists(self) -> Sequence[ShownList]:
        """The lists that have entries, and how many."""
        async with self._pool.acquire() as conn:
            return await hold_rules.lists(conn)

    async def put_on(self, name: str, entries: ListEntries, *, who: str) -> int:
        """Put customers or addresses on a list. Returns how many were not on it."""
        async with self._pool.acquire() as conn:
            return await hold_rules.list_add(conn, name, entries, who=who)

    async def take_off(self, name: str, entries: ListEntries) -> int:
        """Take customers or addresses off a list. Returns how many were on it."""
        async with self._pool.acquire() as conn:
            return await hold_rules.list_remove(conn, name, entries)
