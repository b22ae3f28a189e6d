"""A person settles a difference between a company's records and ours, and its order knows of it."""

from __future__ import annotations

from domain.errors import NotFound, Refused
from domain.money import Money
from domain.payments.elsewhere import PaidBack
from store.database import Connection
from store.locks import lock_order
from store.orders import events
from store.payments import elsewhere, reconciliation
from store.payments.reconciliation import KeptDifference


class Resolved(KeptDifference):
    """A difference that a person has just resolved.

    `recorded`: so much was recorded for its order as paid back elsewhere; `beyond`: what of it is
    more than the customer was charged.
    """

    recorded: Money | None = None
    beyond: Money | None = None


async def resolve(
    conn: Connection, difference_id: int, *, note: str, who: str, was_by_hand: bool = False
) -> Resolved:
    """open → resolved, by a person, in the caller's transaction; and its order knows of it.

    A refund that nobody here asked for is recorded for its order (see `elsewhere`; `was_by_hand` as
    there). Raises NotFound, Refused if it is closed, and Conflict while it cannot be recorded yet.
    """
    kept = await reconciliation.get(conn, difference_id)
    refund = _paid_back(kept)
    order_id = kept.order_id
    if refund is not None:
        its_order = await elsewhere.order_of(conn, kept.provider, refund.authorization)
        order_id = its_order or order_id
    is_ours = bool(order_id) and await _is_locked(conn, order_id)
    if not await reconciliation.close(conn, difference_id, "resolved", note, who):
        raise Refused(f"difference {difference_id} is {kept.resolution} already: {kept.note}")
    recorded = None
    if refund is not None:
        recorded = await elsewhere.record(
            conn, kept.provider, refund, who=who, why=note, was_by_hand=was_by_hand
        )
    if was_by_hand and not (recorded and recorded.allotment.by_hand):
        raise Refused(f"difference {difference_id} is no refund that was reported as done by hand")
    done = await reconciliation.get(conn, difference_id)
    if is_ours and recorded is None:
        await _tell(conn, order_id, done)
    if recorded is None or refund is None:
        return Resolved(**dict(done))
    return Resolved(**dict(done), recorded=refund.amount, beyond=recorded.beyond)


async def _is_locked(conn: Connection, order_id: str) -> bool:
    """Lock the order's row. False: there is no such order here."""
    try:
        await lock_order(conn, order_id)
    except NotFound:
        return False
    return True


def _paid_back(kept: KeptDifference) -> PaidBack | None:
    """The refund that the company has, where none is on record here that could be it."""
    theirs, ours = kept.theirs, kept.ours
    if theirs is None or theirs.kind != "refund" or (ours is not None and ours.state != "failed"):
        return None
    amount = Money(minor=theirs.amount_minor, currency=theirs.currency)
    return PaidBack(reference=theirs.reference, authorization=theirs.authorization, amount=amount)


async def _tell(conn: Connection, order_id: str, done: KeptDifference) -> None:
    """Have the order's story say that a person has settled a difference."""
    at = done.closed_at or done.found_at
    await events.tell(
        conn,
        order_id,
        f"difference:{done.difference_id}:{at.isoformat()}",
        f"difference resolved: {done.what} {done.subject}",
        who=done.who,
        why=done.note,
        after_end=True,
    )
