"""Store credit, vouchers and gift cards: what the shop owes to customers, and they pay with.

`authorize`, `capture`, `void` and `refund` are operations of a payment company, and are called
outside any transaction. `issue` takes part in its caller's, and books nothing; `grant` does.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Literal

import asyncpg

from domain.accounting import accounts
from domain.errors import Conflict, InvalidInput, Refused
from domain.money import Money
from domain.orders.order import TOTAL_MINOR_MAX
from domain.payments.vouchers import VALID_AGAIN, OwnKind
from domain.sellers import choose_one
from store.accounting import ledger, sellers
from store.database import Connection, Record, load_queries
from store.payments.credit_accounts import CreditAccount, find

_sql = load_queries(__file__)

SYSTEM = "orderloom"
"""The actor of operations that orders ask for."""

OrderKind = Literal["issue", "authorize", "capture", "void", "refund"]
"""What orders ask for; `issue` also people."""
Statement = Callable[..., Awaitable[Record]]
"""A query that answers with the operation under a key: the one before, or the one it has made."""


@dataclass(frozen=True, slots=True)
class Effect:
    """An operation that took effect. `authorization`: None for credit that was given."""

    key: str
    kind: OrderKind
    reference: str
    account_id: str
    authorization: str | None
    order_id: str | None
    amount: Money
    at: datetime


@dataclass(frozen=True, slots=True)
class Refusal:
    """A firm no, by its code. `available`: the amount there was, when it was too little."""

    code: str
    available: Money | None


@dataclass(frozen=True, slots=True)
class Call:
    """A recorded call: its content, and its outcome."""

    request: str
    outcome: Effect | Refusal


def request_of(kind: OrderKind, *, amount: Money | None = None, **content: str | None) -> str:
    """A call's content in one canonical form, which tells a repeat from a conflict."""
    if amount is not None:
        content |= {"amount_minor": str(amount.minor), "currency": amount.currency}
    return json.dumps({"operation": kind, **content}, sort_keys=True)


async def issue(
    conn: Connection,
    *,
    key: str,
    customer_id: str,
    amount: Money,
    who: str,
    why: str,
    order_id: str | None = None,
    seller: str | None = None,
) -> Call:
    """Give a customer credit, once per key; the first opens the account. Nothing is booked here.

    It is a debt of the order's seller, or of `seller`; left out where there is one alone.

    The amount is above zero. An answer kept under the key wins: compare it with `issue_request`.
    """
    return await _once(
        "issue",
        conn,
        key=key,
        request=issue_request(customer_id, order_id, amount),
        customer_id=customer_id,
        seller=seller,
        order_id=order_id,
        amount_minor=amount.minor,
        currency=amount.currency,
        who=who,
        why=why,
    )


def issue_request(customer_id: str, order_id: str | None, amount: Money) -> str:
    """The content under which given credit is kept."""
    return request_of("issue", customer_id=customer_id, order_id=order_id, amount=amount)


async def grant(
    conn: Connection,
    *,
    key: str,
    customer_id: str,
    amount: Money,
    seller: str | None = None,
    who: str,
    why: str,
) -> CreditAccount:
    """Give a customer credit that belongs to no order, and book it: once per key, or not at all.

    `seller`: whose debt it is; may be left out where there is one alone. Raises InvalidInput for an
    impossible amount or a seller that is not named, NotFound for one that is not there, and
    Conflict when the key was used otherwise.
    """
    if not 0 < amount.minor <= TOTAL_MINOR_MAX:
        largest = Money(minor=TOTAL_MINOR_MAX, currency=amount.currency)
        raise InvalidInput(f"credit is more than zero and at most {largest}, not {amount}")
    effect = f"credit:{key}"
    async with conn.transaction():
        owes = choose_one(await sellers.find(conn), seller).seller
        call = await issue(
            conn,
            key=effect,
            customer_id=customer_id,
            seller=owes,
            amount=amount,
            who=who,
            why=why,
        )
        if call.request != issue_request(customer_id, None, amount):
            raise Conflict(f"{key} was used for other credit before; give each its own request id")
        if isinstance(call.outcome, Refusal):
            raise Refused(f"the balance of {customer_id} would be more than can be counted")
        await ledger.post(
            conn,
            effect=effect,
            memo=f"store credit of {amount} given: {why}",
            currency=amount.currency,
            postings=accounts.credit_given(amount.minor),
            seller=owes,
        )
        held = {(one.seller, one.currency): one for one in await find(conn, customer_id)}
        return held[owes, amount.currency]


async def authorize(
    conn: Connection,
    *,
    key: str,
    request: str,
    kind: OwnKind,
    token: str,
    order_id: str,
    amount: Money,
) -> Call:
    """Authorize a part of the available amount. An answer already kept under the key wins.

    `token`: the id of an account of store credit, or what is kept of a code.
    """
    return await _once(
        "authorize",
        conn,
        key=key,
        request=request,
        kind=kind,
        token=token,
        order_id=order_id,
        amount_minor=amount.minor,
        currency=amount.currency,
        who=SYSTEM,
        why="",
    )


async def capture(
    conn: Connection, *, key: str, request: str, authorization: str, amount: Money
) -> Call:
    """Spend from an authorized amount. An answer already kept under the key wins."""
    return await _about("capture", conn, key, request, authorization, amount)


async def refund(
    conn: Connection, *, key: str, request: str, authorization: str, amount: Money
) -> Call:
    """Put back from a spent amount. An answer already kept under the key wins.

    What has expired meanwhile is valid again for `VALID_AGAIN`.
    """
    days = VALID_AGAIN.days
    return await _about("refund", conn, key, request, authorization, amount, days_again=days)


async def void(conn: Connection, *, key: str, request: str, authorization: str) -> Call:
    """Release the authorized amount that is not spent.

    An answer already kept under the key wins.
    """
    return await _once(
        "void", conn, key=key, request=request, authorization_id=authorization, who=SYSTEM, why=""
    )


async def call(conn: Connection, key: str) -> Call | None:
    """The call recorded under a key, or None."""
    row = await _sql.call(conn, key=key)
    return None if row is None else _call(row)


async def effects_of_order(conn: Connection, kind: OwnKind, order_id: str) -> tuple[Effect, ...]:
    """Everything that took effect for an order with this means of payment, oldest first."""
    rows = _sql.effects_of_order(conn, kind=kind, order_id=order_id)
    return tuple([_effect(row) async for row in rows])


async def effects_of_day(conn: Connection, kind: OwnKind, day: date) -> tuple[Effect, ...]:
    """The same of all orders on a day (UTC)."""
    since = datetime.combine(day, time(), UTC)
    until = since + timedelta(days=1)
    rows = _sql.effects_between(conn, kind=kind, since=since, until=until)
    return tuple([_effect(row) async for row in rows])


async def _about(
    kind: Literal["capture", "refund"],
    conn: Connection,
    key: str,
    request: str,
    authorization: str,
    amount: Money,
    **more: int,
) -> Call:
    return await _once(
        kind,
        conn,
        key=key,
        request=request,
        authorization_id=authorization,
        amount_minor=amount.minor,
        currency=amount.currency,
        who=SYSTEM,
        why="",
        **more,
    )


async def _once(query: str, conn: Connection, **values: Any) -> Call:
    return await once(getattr(_sql, query), conn, **values)


async def once(run: Statement, conn: Connection, **values: Any) -> Call:
    """Run a keyed statement; if another call with the key wins the race, take its answer."""
    try:
        if conn.is_in_transaction():
            async with conn.transaction():  # A lost race must not end the caller's transaction.
                return _call(await run(conn, **values))
        return _call(await run(conn, **values))
    except asyncpg.UniqueViolationError:
        # It is raised only after the winner has committed, so the winner's answer can be read.
        return _call(await run(conn, **values))


def _call(row: Record) -> Call:
    if row["code"] is None:
        return Call(row["request"], _effect(row))
    available = row["available_minor"]
    return Call(
        row["request"],
        Refusal(
            row["code"],
            None if available is None else Money(minor=available, currency=row["currency"]),
        ),
    )


def _effect(row: Record) -> Effect:
    return Effect(
        key=row["key"],
        kind=row["kind"],
        reference=row["reference"],
        account_id=row["account_id"],
        authorization=row["authorization_id"],
        order_id=row["order_id"],
        amount=Money(minor=row["amount_minor"], currency=row["currency"]),
        at=row["at"],
    )
