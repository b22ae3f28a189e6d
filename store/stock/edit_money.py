"""What an edit means for the money of an order of which something is charged."""

from __future__ import annotations

from domain.orders.charges import Charges, Owed
from domain.orders.edited import Edited
from domain.orders.order import Order
from domain.orders.price_match import owed_for_lower_price
from domain.orders.proposals import Proposal
from domain.stock.edit_answers import ApplyEdit
from store.database import Connection
from store.fulfilment import shipments
from store.payments import billing, cover, tallies
from store.payments.billing import Grant
from store.stock.edit_standing import Standing


async def owe(conn: Connection, ask: ApplyEdit, done: Edited, before: Order) -> list[Grant]:
    """Owe back what was paid for units that are cancelled, and above a lower price.

    Call it after the counts are moved. The caller has each credited, last in the transaction.
    Raises Refused for a price that is not lower.
    """
    found = await tallies.load(conn, ask.order_id)
    why, who = ask.request.reason, ask.request.by
    refund_id = f"{ask.order_id}:{ask.effect}"
    owed = found.charges.cancelled(dict.fromkeys(done.taken, 0))
    grants = [await billing.grant(conn, found, owed, refund_id, kind="cancelled", why=why, who=who)]
    for line_id, owed in _lower(found.charges, done, before).items():
        grants.append(
            await billing.grant(
                conn,
                found,
                owed,
                f"{refund_id}:{line_id}",
                kind="price_match",
                why=why,
                who=who,
                about=line_id,
            )
        )
    return [grant for grant in grants if grant is not None]


async def to_pay_back(
    conn: Connection, order_id: str, done: Edited, before: Order, proposal: Proposal
) -> int:
    """What would be owed back, in minor units. Raises Refused for a price that is not lower."""
    if not done.keeps:
        return 0
    found = await tallies.load(conn, order_id)
    after = tallies.proposed(found, proposal).charges
    _lower(after, done, before)
    return after.refunded.total - found.charges.refunded.total


async def charge_otherwise(conn: Connection, order_id: str, found: Standing) -> None:
    """All amounts are others: so is what is charged for each parcel that has its label already."""
    labelled = [part for part, each in found.parts.items() if each.label is not None]
    if labelled:
        paying = await cover.paying(conn, order_id)
        amounts = cover.to_charge_for(paying, labelled)
        await shipments.charge_otherwise(conn, order_id, amounts)


def _lower(charges: Charges, done: Edited, before: Order) -> dict[str, Owed]:
    """Have lines cost less from now on. Line id → what is owed back for that."""
    prices = {line.line_id: line.unit_price for line in before.lines}
    return {
        line_id: owed_for_lower_price(charges, before.currency, line_id, prices[line_id], price)
        for line_id, price in done.lowered.items()
    }
