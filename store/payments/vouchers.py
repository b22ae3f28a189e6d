"""Vouchers and gift cards: issued, given a code, extended, blocked, expired.

What orders do with them is in `credit.py`, as with store credit. Each change happens once per key,
in one transaction with its entry in the books.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Collection, Sequence
from datetime import date, datetime
from typing import NamedTuple

from domain.accounting import accounts
from domain.errors import Conflict, InvalidInput, NotFound, Refused
from domain.money import Money
from domain.orders.order import TOTAL_MINOR_MAX
from domain.orders.voucher_codes import RANDOM_BYTES, code_of, kept, last_four
from domain.payments.vouchers import CodeKind, ToIssue, Voucher, VoucherState
from domain.sellers import choose_one
from store.accounting import ledger, sellers
from store.database import Connection, Record, load_queries
from store.payments import credit
from store.payments.credit import SYSTEM, Call
from store.payments.credit_accounts import CreditOperation

_sql = load_queries(__file__)


class Coded(NamedTuple):
    """A voucher with its code, which is told once. None: it was told before."""

    voucher: Voucher
    code: str | None


class Change(NamedTuple):
    """Who changes a voucher and why. A key is one change."""

    key: str
    who: str
    why: str

    @property
    def effect(self) -> str:
        """What it is kept under, beside the keys of orders."""
        return f"voucher:{self.key}"


async def issue(conn: Connection, key: str, wanted: ToIssue, *, who: str, why: str) -> Call:
    """Issue one, once per key. It has no code yet, and nothing is booked here.

    An answer kept under the key wins: compare it with `wanted.request`.
    """
    values = wanted.model_dump(exclude={"amount"})
    return await credit.once(
        _sql.issue_by_code,
        conn,
        key=key,
        request=wanted.request,
        amount_minor=wanted.amount.minor,
        currency=wanted.amount.currency,
        who=who,
        why=why,
        **values,
    )


async def give(conn: Connection, wanted: ToIssue, change: Change) -> Coded:
    """Issue one that is no refund, book it, and draw its code.

    Raises InvalidInput for an impossible amount or day, or a seller that is not named, NotFound for
    one that is not there, and Conflict when the key was used otherwise.
    """
    amount = wanted.amount
    if not 0 < amount.minor <= TOTAL_MINOR_MAX:
        largest = Money(minor=TOTAL_MINOR_MAX, currency=amount.currency)
        raise InvalidInput(f"more than zero and at most {largest} can be given, not {amount}")
    async with conn.transaction():
        seller = choose_one(await sellers.find(conn), wanted.seller).seller
        wanted = wanted.model_copy(update={"seller": seller})
        effect = change.effect
        call = await issue(conn, effect, wanted, who=change.who, why=change.why)
        if call.request != wanted.request:
            raise Conflict(f"{change.key} was used otherwise before; give each its own request id")
        assert isinstance(call.outcome, credit.Effect)
        voucher_id = call.outcome.account_id
        await ledger.post(
            conn,
            effect=effect,
            memo=f"{wanted.kind} of {amount} issued: {change.why}",
            currency=amount.currency,
            postings=accounts.voucher_issued(wanted.kind, amount.minor),
            seller=seller,
        )
        row = await _locked(conn, voucher_id)
        if row["code_digest"] is not None:
            return Coded(await find(conn, voucher_id), None)
        if wanted.valid_through is not None and wanted.valid_through < row["today"]:
            raise InvalidInput(f"{wanted.valid_through} is over", where="valid_through")
        return await _draw(conn, row, Change(f"{change.key}:code", change.who, change.why))


async def new_code(conn: Connection, voucher_id: str, change: Change) -> Coded:
    """Give it another code; the one before spends nothing any more.

    Raises NotFound, and Refused for a repeat: a code is told once.
    """
    async with conn.transaction():
        row = await _locked(conn, voucher_id)
        if await _made_before(conn, voucher_id, "code", change):
            raise Refused(
                f"{change.key} has drawn a code of {voucher_id} before, and a code is told once: "
                "draw another one",
                reason="code_told",
            )
        return await _draw(conn, row, change)


async def extend(conn: Connection, voucher_id: str, through: date, change: Change) -> Voucher:
    """Make it valid through a day. What has expired of it is owed again.

    Raises NotFound, InvalidInput for a day that is over, and Conflict for a key of another change.
    """
    async with conn.transaction():
        row = await _locked(conn, voucher_id)
        if await _made_before(conn, voucher_id, "extend", change, through.isoformat()):
            return await find(conn, voucher_id)
        if through < row["today"]:
            raise InvalidInput(f"{through} is over", where="valid_through")
        again = 0 if row["single_use"] else row["expired_minor"]
        await _change(conn, row, valid_through=through, balance_change=again)
        await _keep(conn, row, "extend", change, again, through.isoformat())
        await _book_expiry(conn, row, change.effect, -again)
        return await find(conn, voucher_id)


async def block(conn: Connection, voucher_id: str, change: Change, *, on: bool) -> Voucher:
    """Let no order authorize any of it, or again. What is authorized can still be charged.

    Raises NotFound, and Conflict for a key of another change.
    """
    kind = "block" if on else "unblock"
    async with conn.transaction():
        row = await _locked(conn, voucher_id)
        if (row["blocked_at"] is None) == on and not await _made_before(
            conn, voucher_id, kind, change
        ):
            await _change(conn, row, is_blocked=on)
            await _keep(conn, row, kind, change)
        return await find(conn, voucher_id)


async def expire(conn: Connection, at_most: int) -> list[str]:
    """Take what is over from some vouchers and gift cards, and book it. Returns their ids."""
    expired = []
    async with conn.transaction():
        for row in [row async for row in _sql.due_to_expire(conn, at_most=at_most)]:
            left = row["left_minor"]
            # What an order releases later on the same day is taken on the next one.
            change = Change(f"{row['account_id']}:{row['today']}:expire", SYSTEM, "")
            if await credit.call(conn, change.effect) is not None:
                continue
            await _sql.take(conn, voucher_id=row["account_id"], amount_minor=left)
            await _keep(conn, row, "expire", change, left)
            await _book_expiry(conn, row, change.effect, left)
            expired.append(row["account_id"])
    return expired


async def find(conn: Connection, voucher_id: str) -> Voucher:
    """One by its id. Raises NotFound."""
    row = await _sql.find(conn, voucher_id=voucher_id)
    if row is None:
        raise NotFound(f"there is no voucher or gift card {voucher_id}")
    return Voucher(**row)


async def by_code(conn: Connection, code: str) -> Voucher:
    """The one with this code. Raises NotFound."""
    row = await _sql.by_code(conn, code_digest=kept(code))
    if row is None:
        raise NotFound("no voucher and no gift card has this code")
    return Voucher(**row)


async def listed(
    conn: Connection,
    *,
    kind: CodeKind | None = None,
    state: VoucherState | None = None,
    seller: str | None = None,
    sellers: Collection[str] | None = None,
    customer_id: str | None = None,
    order_id: str | None = None,
    after: tuple[datetime, str] | None = None,
    at_most: int | None = None,
) -> list[Voucher]:
    """The newest first, of what is named. `after`: behind the one issued then with this id."""
    after_at, after_id = after or (None, None)
    rows = _sql.listed(
        conn,
        kind=kind,
        state=state,
        seller=seller,
        sellers=None if sellers is None else sorted(sellers),
        customer_id=customer_id,
        order_id=order_id,
        after_at=after_at,
        after_id=after_id,
        at_most=at_most,
    )
    return [Voucher(**row) async for row in rows]


async def history(
    conn: Connection, voucher_id: str, *, before: int | None = None, at_most: int = 1000
) -> Sequence[CreditOperation]:
    """What happened to it, oldest first; only the latest if there is more.

    `before`: only before the operation with this number.
    """
    rows = _sql.history(conn, voucher_id=voucher_id, before=before, at_most=at_most)
    return [CreditOperation(**row) async for row in rows]


async def _locked(conn: Connection, voucher_id: str) -> Record:
    row: Record | None = await _sql.locked(conn, voucher_id=voucher_id)
    if row is None:
        raise NotFound(f"there is no voucher or gift card {voucher_id}")
    return row


async def _draw(conn: Connection, row: Record, change: Change) -> Coded:
    code = code_of(secrets.token_bytes(RANDOM_BYTES))
    await _change(conn, row, code_digest=kept(code), code_end=last_four(code))
    await _keep(conn, row, "code", change)
    return Coded(await find(conn, row["account_id"]), code)


async def _change(conn: Connection, row: Record, **changes: object) -> None:
    """Change these columns under the row's lock; the others stay as they are."""
    values = {
        "code_digest": row["code_digest"],
        "code_end": row["code_end"],
        "valid_through": row["valid_through"],
        "is_blocked": row["blocked_at"] is not None,
        "balance_change": 0,
    }
    await _sql.change(conn, voucher_id=row["account_id"], **{**values, **changes})


async def _made_before(
    conn: Connection, voucher_id: str, kind: str, change: Change, content: str = ""
) -> bool:
    """Whether the key has made this change. Raises Conflict where it made another one."""
    before = await credit.call(conn, change.effect)
    if before is None:
        return False
    if before.request != _request(voucher_id, kind, content):
        raise Conflict(f"{change.key} was used otherwise before; give each its own request id")
    return True


def _request(voucher_id: str, kind: str, content: str) -> str:
    return json.dumps({"operation": kind, "voucher": voucher_id, "to": content}, sort_keys=True)


async def _keep(
    conn: Connection, row: Record, kind: str, change: Change, amount: int = 0, content: str = ""
) -> None:
    voucher_id = row["account_id"]
    await _sql.keep(
        conn,
        key=change.effect,
        kind=kind,
        request=_request(voucher_id, kind, content),
        voucher_id=voucher_id,
        amount_minor=amount,
        currency=row["currency"],
        who=change.who,
        why=change.why,
    )


async def _book_expiry(conn: Connection, row: Record, effect: str, amount: int) -> None:
    gone = Money(minor=abs(amount), currency=row["currency"])
    await ledger.post(
        conn,
        effect=effect,
        memo=f"{row['kind']}: {gone} {'expired' if amount > 0 else 'owed again'}",
        currency=row["currency"],
        postings=accounts.voucher_expired(row["kind"], amount),
        seller=row["seller"],
    )
