"""Issues vouchers and gift cards, draws their codes, extends and blocks them.

A refund that is paid as a voucher goes through the order instead.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date, datetime

from domain.payments.vouchers import CodeKind, ToIssue, Voucher, VoucherState
from starter.service.called import kept_as
from store.database import Pool
from store.payments import vouchers
from store.payments.credit_accounts import CreditOperation
from store.payments.vouchers import Change, Coded


class Vouchers:
    """Vouchers and gift cards. A change under one key is one; a different one, a Conflict."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def issue(
        self,
        key: str,
        wanted: ToIssue,
        *,
        sellers: Collection[str] | None = None,
        who: str,
        why: str,
    ) -> Coded:
        """Issue one, booked in the same transaction, and draw its code, which is told once.

        The customer whom it is for may be named by a channel's id, ours or a mail address.
        `sellers`: those whose customers somebody knows. Raises InvalidInput and NotFound for what
        cannot be.
        """
        async with self._pool.acquire() as conn:
            if wanted.customer_id is not None:
                named = await kept_as(conn, wanted.customer_id, sellers=sellers)
                wanted = wanted.model_copy(update={"customer_id": named})
            return await vouchers.give(conn, wanted, Change(key, who, why))

    async def new_code(self, key: str, voucher_id: str, *, who: str, why: str) -> Coded:
        """Give it another code, which ends the one before. Raises NotFound and Refused."""
        async with self._pool.acquire() as conn:
            return await vouchers.new_code(conn, voucher_id, Change(key, who, why))

    async def extend(
        self, key: str, voucher_id: str, through: date, *, who: str, why: str
    ) -> Voucher:
        """Make it valid through a day; what has expired of it is owed again.

        Raises NotFound, and InvalidInput for a day that is over.
        """
        async with self._pool.acquire() as conn:
            return await vouchers.extend(conn, voucher_id, through, Change(key, who, why))

    async def block(self, key: str, voucher_id: str, *, on: bool, who: str, why: str) -> Voucher:
        """Let no further order spend any of it, or let them again. Raises NotFound."""
        async with self._pool.acquire() as conn:
            return await vouchers.block(conn, voucher_id, Change(key, who, why), on=on)

    async def get(self, voucher_id: str) -> Voucher:
        """One by its id. Raises NotFound."""
        async with self._pool.acquire() as conn:
            return await vouchers.find(conn, voucher_id)

    async def by_code(self, code: str) -> Voucher:
        """The one with this code. Raises NotFound."""
        async with self._pool.acquire() as conn:
            return await vouchers.by_code(conn, code)

    async def list(
        self,
        *,
        kind: CodeKind | None = None,
        state: VoucherState | None = None,
        customer_id: str | None = None,
        order_id: str | None = None,
        sellers: Collection[str] | None = None,
        after: tuple[datetime, str] | None = None,
        at_most: int | None = None,
    ) -> Sequence[Voucher]:
        """The newest first. `sellers`: of one of these alone. `after`: behind that one."""
        async with self._pool.acquire() as conn:
            return await vouchers.listed(
                conn,
                kind=kind,
                state=state,
                customer_id=customer_id,
                order_id=order_id,
                sellers=sellers,
                after=after,
                at_most=at_most,
            )

    async def history(
        self, voucher_id: str, *, before: int | None = None, at_most: int = 1000
    ) -> Sequence[CreditOperation]:
        """The latest of what happened to it, oldest first. `before`: only before that one."""
        async with self._pool.acquire() as conn:
            return await vouchers.history(conn, voucher_id, before=before, at_most=at_most)
