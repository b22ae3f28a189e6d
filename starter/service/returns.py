"""Reads returns, and keeps the rules by which they are approved."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Final

from domain.aftersales.return_rules import ReturnRule
from domain.errors import NotFound
from domain.money import Money
from domain.orders.return_messages import ReturnState
from store.aftersales import return_rules
from store.aftersales import returns as settling
from store.database import Pool
from store.views import returns
from store.warehouse import return_money

OF_A_RETURN: Final = "return_"
"""What is asked of a person about a return begins with this, where no step waits for it."""


class Returns:
    """What comes back, or shall: the newest first; and the rules of returns.

    Requests and decisions go to the order: see `Aftersales`.
    """

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def list(
        self,
        *,
        state: ReturnState | None = None,
        order_id: str | None = None,
        channels: Collection[str] | None = None,
        sellers: Collection[str] | None = None,
        after: tuple[datetime, str] | None = None,
        at_most: int = 1000,
    ) -> Sequence[returns.Return]:
        """Returns that match every filter that is given, those that changed last first.

        `channels`, `sellers`: of orders of one of these alone. `after`: a page behind the return
        that changed then and has this id.
        """
        async with self._pool.acquire() as conn:
            return await returns.find(
                conn,
                state=state,
                order_id=order_id,
                channels=channels,
                sellers=sellers,
                after=after,
                at_most=at_most,
            )

    async def get(self, return_id: str) -> returns.Return:
        """One return. Raises NotFound."""
        async with self._pool.acquire() as conn:
            return await returns.get(conn, return_id)

    async def expected_refund(self, return_id: str) -> Money:
        """What a return that is under way will pay back if all of it comes, as new.

        Raises NotFound, and Refused where nothing of it is to come.
        """
        async with self._pool.acquire() as conn:
            return await return_money.expected_refund(conn, return_id)

    async def settle(self, order_id: str, step: str, note: str, *, who: str) -> None:
        """A person has dealt with a label, or with a parcel that does not come. Raises NotFound."""
        async with self._pool.acquire() as conn:
            if not await settling.settle(conn, order_id, step, note, who=who):
                raise NotFound(f"{step!r} of {order_id} needs no attention")

    async def rules(self) -> Sequence[ReturnRule]:
        """The rules by which returns are approved, the least exact ones first."""
        async with self._pool.acquire() as conn:
            return await return_rules.find(conn)

    async def set_rules(self, rules: Sequence[ReturnRule]) -> None:
        """Let these be all rules, from the next request on.

        Raises InvalidInput for a seller or a channel that is not there.
        """
        async with self._pool.acquire() as conn:
            await return_rules.save(conn, rules)
