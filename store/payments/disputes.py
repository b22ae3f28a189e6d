"""Disputes: the state of each, the part of its order's money that it holds, and its entries.

The effect of a dispute on its order is the difference between its old and its new state, so news in
any order lead to the same end. A dispute never moves goods: nothing is put back on a shelf.
"""

from __future__ import annotations

from typing import Any, Final

from domain.accounting.accounts import moved
from domain.errors import Conflict
from domain.money import Money
from domain.payments.disputes import Dispute, latest
from domain.payments.payments import BY_HAND, Payment
from store.accounting import ledger
from store.database import Connection, Record, load_queries
from store.locks import lock_order
from store.orders import events

_sql = load_queries(__file__)


BOOK: Final = "book_dispute "
"""The steps that ask a person begin with this; the company and its name of the dispute follow."""


async def hear(conn: Connection, provider: str, piece: Dispute) -> None:
    """Take a piece of news about a dispute, in the caller's transaction.

    A repeat changes nothing. News about an unknown payment is kept, and nothing is booked for it.
    Raises Conflict when a piece is in another currency than the earlier ones.
    """
    payment = await _sql.disputed_payment(
        conn, provider=provider, dispute_id=piece.dispute_id, subjects=list(piece.subjects)
    )
    if payment is not None:
        # The order's lock comes before the dispute's own row.
        await lock_order(conn, payment["order_id"])
    new = await _sql.want_dispute(
        conn, provider=provider, dispute_id=piece.dispute_id, **_columns(piece)
    )
    row = await _sql.lock_dispute(conn, provider=provider, dispute_id=piece.dispute_id)
    known = _dispute(row)
    now = piece if new is not None else latest(known, piece)
    if now != known:
        await _sql.set_dispute(
            conn, provider=provider, dispute_id=piece.dispute_id, **_columns(now)
        )
    if payment is None:
        if row["order_id"] is not None:
            raise Conflict(f"dispute {piece.dispute_id} was placed a moment ago; look again")
        return
    before = known if row["order_id"] is not None else None
    if before is None:
        await _sql.place_dispute(
            conn,
            order_id=payment["order_id"],
            payment_key=payment["payment_key"],
            provider=provider,
            dispute_id=piece.dispute_id,
        )
    await _apply(conn, provider, payment["order_id"], before, now)


async def given_by_bank(conn: Connection, refund: Payment) -> int:
    """The part of a refund that the customer has from the bank already, in minor units.

    Only for a refund that is paid by hand. All of these together are never more than the banks have
    taken back from the order for good.
    """
    if refund.provider != BY_HAND:
        return 0
    left: int = await _sql.left_of_lost(conn, order_id=refund.order_id)
    return min(left, refund.amount_minor)


async def place(conn: Connection, batch: int) -> int:
    """Assign disputes of unknown payments to their orders, if the payments are known by now.

    Each has its own transaction. Returns their number.
    """
    found = [row async for row in _sql.placeable(conn, batch=batch)]
    for candidate in found:
        async with conn.transaction():
            await lock_order(conn, candidate["order_id"])
            row = await _sql.lock_dispute(
                conn, provider=candidate["provider"], dispute_id=candidate["dispute_id"]
            )
            if row["order_id"] is None:
                await hear(conn, row["provider"], _dispute(row))
    return len(found)


async def _apply(
    conn: Connection, provider: str, order_id: str, before: Dispute | None, now: Dispute
) -> None:
    """Move the order's sums, books and story from the dispute's old state to its new one."""
    if before is not None and _said(before) == _said(now):
        return
    held_before = before.held if before else 0
    currency = now.amount.currency
    disputed = await _sql.add_disputed(
        conn, change=now.held - held_before, order_id=order_id, currency=currency
    )
    told = await _sql.dispute_told(conn, provider=provider, dispute_id=now.dispute_id)
    effect = f"dispute:{provider}:{now.dispute_id}:{told}"
    words = now.state.replace("_", " ")
    if disputed is None:
        await _ask_to_book(conn, provider, order_id, now, held_before)
    else:
        await ledger.post(
            conn,
            effect=effect,
            memo=f"dispute {now.dispute_id} of {now.amount}: {words}",
            currency=currency,
            postings=moved(before.booked if before else {}, now.booked),
            order_id=order_id,
        )
    await ledger.post(
        conn,
        effect=f"{effect}:fee",
        memo=f"fee of dispute {now.dispute_id}",
        currency=now.fee.currency,
        postings=moved(before.fee_booked if before else {}, now.fee_booked),
        order_id=order_id,
    )
    if before is not None and (before.state, before.amount) == (now.state, now.amount):
        return  # Only the fee became known: the order's story has nothing to tell.
    await events.tell(
        conn,
        order_id,
        effect,
        f"dispute: {words}",
        who=provider,
        why=now.reason,
        data={
            "dispute_id": now.dispute_id,
            "amount_minor": now.amount.minor,
            "currency": currency,
            "state": now.state,
        },
        after_end=True,
    )


async def _ask_to_book(
    conn: Connection, provider: str, order_id: str, now: Dispute, held_before: int
) -> None:
    """A person books what is disputed in another currency than the order's: none is converted.

    Nobody is asked any more once the bank has given it back.
    """
    step = f"{BOOK}{provider}:{now.dispute_id}"
    if now.held and not held_before:
        until = f"; evidence is due by {now.respond_by:%Y-%m-%d}" if now.respond_by else ""
        reason = (
            f"{now.amount} are disputed at {provider}, in another currency than the order's: book"
            f" the amount, which Orderloom does not convert{until}"
        )
        await events.raise_attention(conn, order_id, step, reason, ("done",))
    elif held_before and not now.held:
        note = f"it is {now.state.replace('_', ' ')}: nothing is left to be booked"
        await events.settle(conn, order_id, step, note, who=provider)


async def booked(conn: Connection, order_id: str, step: str, note: str, *, who: str) -> bool:
    """A person has booked a dispute in another currency. False if no open step asks for that."""
    async with conn.transaction():
        await lock_order(conn, order_id)
        return await events.settle(conn, order_id, step, note, who=who)


def _said(dispute: Dispute) -> tuple[Any, ...]:
    """The fields of a dispute that concern its order."""
    return dispute.state, dispute.amount, dispute.fee


def _columns(dispute: Dispute) -> dict[str, Any]:
    return {
        "subjects": list(dispute.subjects),
        "amount_minor": dispute.amount.minor,
        "currency": dispute.amount.currency,
        "fee_minor": dispute.fee.minor,
        "fee_currency": dispute.fee.currency,
        "state": dispute.state.value,
        "moves": dispute.moves,
        "reason": dispute.reason,
        "opened_at": dispute.opened_at,
        "respond_by": dispute.respond_by,
        "said_at": dispute.said_at,
        "closed_at": None if dispute.is_open else dispute.said_at,
    }


def _dispute(row: Record) -> Dispute:
    return Dispute(
        dispute_id=row["dispute_id"],
        subjects=tuple(row["subjects"]),
        amount=Money(minor=row["amount_minor"], currency=row["currency"]),
        fee=Money(minor=row["fee_minor"], currency=row["fee_currency"]),
        state=row["state"],
        moves=row["moves"],
        reason=row["reason"],
        opened_at=row["opened_at"],
        respond_by=row["respond_by"],
        said_at=row["said_at"],
    )
