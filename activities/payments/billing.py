"""The records of charges and refunds: invoices, credit notes, journal entries, and line counts.

Each function runs in its caller's transaction; the caller holds the order's lock.
"""

from __future__ import annotations

from activities.payments.contracts import Capture, Invoice, Refund
from domain.accounting import accounts
from domain.accounting.documents import Seller
from domain.errors import Refused
from domain.money import Money
from store.accounting import documents, ledger
from store.aftersales import returns
from store.database import Connection
from store.orders import orders
from store.payments import payments, refunds
from store.payments.payments import STORE_CREDIT, Payment


async def invoice(
    conn: Connection, ask: Capture | Invoice, seller: Seller, *, prepaid: bool
) -> None:
    """Write the invoice of units that went out, and book their worth as revenue.

    The caller makes sure that it happens once. Call it last in the transaction: it locks the one
    counter of document numbers that the whole shop uses.
    """
    await ledger.post(
        conn,
        effect=f"invoice:{ask.fulfilment_id}",
        order_id=ask.order_id,
        memo=f"{ask.fulfilment_id} shipped",
        currency=ask.currency,
        postings=accounts.invoiced(ask.worth, prepaid=prepaid),
    )
    moves = {line_id: {"invoiced": units} for line_id, units in ask.units.items()}
    await orders.move_lines(conn, ask.order_id, moves)
    if ask.after_refund:
        await payments.billed_after_refund(conn, ask.order_id)
    await documents.issue(
        conn,
        kind="invoice",
        order_id=ask.order_id,
        part_id=ask.fulfilment_id,
        lines=ask.units,
        worth=ask.worth,
        seller=seller,
    )


async def is_invoiced(conn: Connection, ask: Capture) -> bool:
    """Whether an earlier try has written the invoice; it may have written nothing else."""
    return await documents.is_issued(conn, "invoice", ask.fulfilment_id)


async def credit(conn: Connection, ask: Refund, seller: Seller) -> None:
    """Write a refund's credit note, if any of it was invoiced. Call it last, like `invoice`."""
    if ask.credited.total:
        await documents.issue(
            conn,
            kind="credit_note",
            order_id=ask.order_id,
            part_id=ask.refund_id,
            lines=ask.units,
            worth=ask.credited,
            seller=seller,
            reason=ask.why,
        )


async def grant_refund(conn: Connection, ask: Refund) -> bool:
    """Record that the customer is owed the refund. False when it was granted before."""
    new = await refunds.grant(
        conn,
        refund_id=ask.refund_id,
        order_id=ask.order_id,
        kind=ask.kind,
        units=ask.units,
        worth=ask.worth,
        credited=ask.credited,
        currency=ask.currency,
        reason=ask.why,
        who=ask.who,
        by_hand=ask.by_hand is not None,
    )
    if new:
        await ledger.post(
            conn,
            effect=f"granted:{ask.refund_id}",
            order_id=ask.order_id,
            memo=ask.why,
            currency=ask.currency,
            postings=accounts.refund_granted(ask.worth, ask.credited),
        )
    return new


async def shares_of_refund(
    conn: Connection, ask: Refund, amount: int
) -> list[tuple[Payment | None, int]]:
    """Split a refund over its authorizations, the last charged first: (authorization, minor units).

    None in place of an authorization is the part that was paid by hand. Raises Refused when no part
    can go back.
    """
    if ask.by_hand or ask.to == STORE_CREDIT or amount == 0:
        return [(None, amount)]
    shares: list[tuple[Payment | None, int]] = []
    for authorization in reversed(await payments.authorizations(conn, ask.order_id)):
        share = min(amount, authorization.refundable)
        if share:
            shares.append((authorization, share))
            amount -= share
    if not shares:
        raise paid_by_hand(ask, amount)
    return shares


def paid_by_hand(ask: Refund, amount: int) -> Refused:
    """The refusal to refund this amount, because no company has it: it was paid by hand."""
    short = Money(minor=amount, currency=ask.currency)
    return Refused(f"{short} of {ask.refund_id} was paid by hand: pay it back by hand")


async def settle_refund(conn: Connection, ask: Refund) -> None:
    """Count the units as refunded, after all of the money was paid back."""
    moves = {line_id: {"refunded": units} for line_id, units in ask.units.items()}
    if ask.kind == "units":
        moves = {k: {"refunded": units, "conceded": units} for k, units in ask.units.items()}
    for line_id, units in ask.unconceded.items():
        moves.setdefault(line_id, {})["conceded"] = -units
    await orders.move_lines(conn, ask.order_id, moves)
    if ask.return_id is not None:
        await returns.set_state(conn, ask.return_id, "refunded")
