"""What a fact means for an order's money: what is due for it, and what is owed back.

Each function runs in the transaction of the fact, after the counts of units are moved, and under
the order's lock. So an amount is decided once, and a repeat of the fact finds it.
"""

from __future__ import annotations

from dataclasses import dataclass

from domain.accounting import accounts
from domain.accounting.documents import Seller
from domain.ids import WHO
from domain.money import Money
from domain.orders.charges import Due, Owed
from domain.orders.messages import RefundKind
from domain.orders.quantities import LineUnits
from domain.orders.refund_rules import Granted
from store.accounting import documents, ledger
from store.database import Connection
from store.payments import payments, refunds, tallies
from store.payments.tallies import Tallies


@dataclass(frozen=True)
class Grant:
    """A refund that has just been granted: what is owed, and why."""

    refund_id: str
    order_id: str
    currency: str
    owed: Owed
    why: str

    @property
    def to_pay(self) -> Granted | None:
        """What is to be paid back; None where units were worth nothing."""
        amount = self.owed.worth.total
        if not amount:
            return None
        money = Money(minor=amount, currency=self.currency)
        return Granted(refund_id=self.refund_id, amount=money)


async def goods_left(conn: Connection, order_id: str, fulfilment_id: str, units: LineUnits) -> Due:
    """A fulfilment left with these units: take what is due for them, and book what is invoiced.

    `invoice` writes the document, last in the transaction.
    """
    found = await tallies.load(conn, order_id)
    due = found.charges.left(units, found.older_than(fulfilment_id))
    await tallies.take(conn, found, fulfilment_id, due)
    await ledger.post(
        conn,
        effect=f"invoice:{fulfilment_id}",
        order_id=order_id,
        memo=f"{fulfilment_id} shipped",
        currency=found.currency,
        postings=accounts.invoiced(due.invoiced, due=due.worth.total),
    )
    return due


async def invoice(
    conn: Connection, order_id: str, fulfilment_id: str, due: Due, seller: Seller
) -> None:
    """Write the invoice of units that went out; none where they replace others.

    Call it last in the transaction: it locks the one counter of document numbers that the whole
    shop uses.
    """
    if due.invoiced_units:
        await documents.issue(
            conn,
            kind="invoice",
            order_id=order_id,
            part_id=fulfilment_id,
            lines=due.invoiced_units,
            worth=due.invoiced,
            seller=seller,
        )


async def grant(
    conn: Connection,
    found: Tallies,
    owed: Owed,
    refund_id: str,
    *,
    kind: RefundKind,
    why: str,
    who: str = WHO,
) -> Grant | None:
    """Owe the customer what a fact means for the money; None: nothing.

    `credit` writes the credit note, last in the transaction.
    """
    await tallies.save(conn, found)
    if not owed:
        return None
    await refunds.grant(
        conn,
        refund_id=refund_id,
        order_id=found.order_id,
        kind=kind,
        units=owed.units,
        worth=owed.worth,
        credited=owed.credited,
        currency=found.currency,
        reason=why,
        who=who,
    )
    await ledger.post(
        conn,
        effect=f"granted:{refund_id}",
        order_id=found.order_id,
        memo=why,
        currency=found.currency,
        postings=accounts.refund_granted(owed.worth, owed.credited),
    )
    return Grant(refund_id, found.order_id, found.currency, owed, why)


async def charge_nothing(conn: Connection, order_id: str, part_id: str) -> None:
    """If a company has refused to charge ahead, and no call is open, nothing is charged after all.

    What others have paid by then is owed back.
    """
    tried = await payments.of_part(conn, order_id, "capture", part_id)
    charge = await tallies.charge(conn, part_id)
    assert charge is not None
    if charge.left == 0 or any(payment.open for payment in tried):
        return
    found = await tallies.load(conn, order_id)
    owed = Owed(worth=found.charges.charged.part(charge.captured_minor))
    found.charges.take_back()
    await tallies.take_back(conn, part_id)
    why = "the rest of the charge was refused"
    await grant(conn, found, owed, part_id, kind="cancelled", why=why)


async def credit(conn: Connection, grant: Grant | None, seller: Seller) -> None:
    """Write a refund's credit note, if any of it was invoiced. Call it last, like `invoice`."""
    if grant is not None and grant.owed.credited.total:
        await documents.issue(
            conn,
            kind="credit_note",
            order_id=grant.order_id,
            part_id=grant.refund_id,
            lines=grant.owed.units,
            worth=grant.owed.credited,
            seller=seller,
            reason=grant.why,
        )
