"""Store credit as people read it: customers' accounts and what happened on them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict

from domain.errors import NotFound
from store.database import Connection, load_queries

_sql = load_queries(__file__)

OperationKind = Literal[
    "issue",
    "authorize",
    "capture",
    "void",
    "refund",
    "expire",
    "extend",
    "block",
    "unblock",
    "code",
]


class CreditAccount(BaseModel):
    """A customer's credit with a seller in a currency, in minor units. `authorized`: by orders."""

    model_config = ConfigDict(frozen=True)

    account_id: str
    customer_id: str
    seller: str
    currency: str
    balance_minor: int
    authorized_minor: int

    @property
    def available_minor(self) -> int:
        """The amount that orders can still authorize."""
        return self.balance_minor - self.authorized_minor


class CreditOperation(BaseModel):
    """One line of an account's story. A refused one has a `code`, and changed nothing."""

    model_config = ConfigDict(frozen=True)

    operation_id: int
    at: datetime
    kind: OperationKind
    key: str
    order_id: str | None
    amount_minor: int | None
    currency: str | None
    balance_change: int
    authorized_change: int
    code: str | None
    who: str
    why: str


async def find(
    conn: Connection,
    customer_id: str,
    *,
    sellers: Collection[str] | None = None,
    after: tuple[str, str] | None = None,
    at_most: int | None = None,
) -> list[CreditAccount]:
    """A customer's accounts, one for each seller and currency of any credit that was ever given.

    `sellers`: with one of these alone. `after`: behind the one with this seller in this currency.
    """
    seller, currency = after or (None, None)
    rows = _sql.accounts(
        conn,
        customer_id=customer_id,
        sellers=None if sellers is None else sorted(sellers),
        after_seller=seller,
        after_currency=currency,
        at_most=at_most,
    )
    return [CreditAccount(**row) async for row in rows]


async def get(conn: Connection, account_id: str) -> CreditAccount:
    """An account by its id. Raises NotFound."""
    row = await _sql.account(conn, account_id=account_id)
    if row is None:
        raise NotFound(f"there is no account of store credit {account_id}")
    return CreditAccount(**row)


async def history(
    conn: Connection, account_id: str, *, before: int | None = None, at_most: int = 1000
) -> Sequence[CreditOperation]:
    """The operations of an account, oldest first; only the latest if there are more.

    `before`: only those before the one with this number.
    """
    rows = _sql.history(conn, account_id=account_id, before=before, at_most=at_most)
    return [CreditOperation(**row) async for row in rows]
