"""What a fact means for an order's money: what is due for it, and what is owed back.

Each function runs in the transaction of the fact, after the counts of units are moved, and under
the order's lock. So an amount is decided once, and a repeat of the fact finds it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from domain.accounting import accounts
from domain.ids import WHO
from domain.money import Money
from domain.orders.amounts import Worth
from domain.orders.charges import Due, Owed
from domain.orders.messages import RefundKind, RefundTo
from domain.orders.quantities import LineUnits
from domain.orders.refund_rules import Granted
from domain.sellers import Seller
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
    about: str | None = None
    """The line whose price it lowers."""

    @property
    def to_pay(self) -> Granted | None:
        """What is to be paid back; None where units were worth nothing."""
        amount = self.owed.worth.total
        if not amount:
            return None
        money = Money(minor=amount, currency=self.currency)
        return Granted(refund_id=self.refund_id, amount=money)


@dataclass(frozen=True)
class Bill:
    """What is due for a parcel that left, and `content`: that with what the database writes of it.

    The function `goods_billed` takes the content, last in the transaction of the hand-over.
    """

    due: Due
    content: dict[str, Any]


def bill_of(
    found: Tallies,
    basis: Mapping[str, Any],
    fulfilment_id: str,
    units: LineUnits,
    *,
    at: datetime,
) -> Bill:
    """A fulfilment leaves with these units: what is due for them, and their invoice.

    No invoice where they replace others. `basis`: as the function `document_basis` has found it.
    """
    seller = Seller.stored(basis["seller"])
    due = found.charges.left(units, found.older_than(fulfilment_id))
    if found.whole and due.units:  # A part of the rest is too little to be charged by itself.
        due = due.with_rest(found.charges.charge_all())
    invoice, rounding = None, 0
    if due.invoiced_units:
        content = documents.content_of(
            basis,
            kind="invoice",
            part_id=fulfilment_id,
            lines=due.invoiced_units,
            worth=due.invoiced,
            supplied_on=at.astimezone(ZoneInfo(seller.time_zone)).date(),
        )
        invoice, rounding = content.model_dump(mode="json"), content.rounding_minor
    postings = accounts.invoiced(due.invoiced, due=due.worth.total, rounding=rounding)
    billed = {
        "lines": tallies.changed(found),
        "units": dict(due.units),
        "amount": due.worth.total,
        "after_refund": due.after_refund,
        "currency": found.currency,
        "postings": {account: amount for account, amount in postings.items() if amount},
        "worth": due.invoiced.model_dump(),
        "invoice": invoice,
    }
    return Bill(due, billed)


async def grant(
    conn: Connection,
    found: Tallies,
    owed: Owed,
    refund_id: str,
    *,
    kind: RefundKind,
    why: str,
    who: str = WHO,
    pay_to: RefundTo = "original",
    role: str | None = None,
    about: str | None = None,
) -> Grant | None:
    """Owe the customer what a fact means for the money; None: nothing.

    `role`: the one in which somebody gives it as goodwill. `about`: the line whose price it lowers.

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
        kept=owed.kept,
        currency=found.currency,
        reason=why,
        who=who,
        pay_to=pay_to,
        role=role,
    )
    await ledger.post(
        conn,
        effect=f"granted:{refund_id}",
        order_id=found.order_id,
        memo=why,
        currency=found.currency,
        postings=accounts.refund_granted(owed.worth, owed.credited),
    )
    return Grant(refund_id, found.order_id, found.currency, owed, why, about)


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


async def credit(conn: Connection, grant: Grant | None) -> None:
    """Write a refund's credit note, if any of it was invoiced. Call it last, like `invoice`."""
    if grant is not None and grant.owed.credited.total:
        kept = grant.owed.kept
        await documents.issue(
            conn,
            kind="credit_note",
            order_id=grant.order_id,
            part_id=grant.refund_id,
            lines=grant.owed.units,
            worth=grant.owed.credited,
            restocking=Worth(goods=kept.goods, tax=kept.tax),
            reason=grant.why,
            about=grant.about,
        )
