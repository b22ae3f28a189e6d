"""What is sent again for a claim: reserved and written down in the transaction that decides it."""

from __future__ import annotations

from domain.aftersales.claims import check_still_there
from domain.errors import Refused
from domain.fulfilment.fulfilments import Planned
from domain.orders.handling import SHIPPED
from domain.orders.quantities import LineUnits
from domain.orders.sourcing_rules import SourcingRules
from domain.stock.sourcing import Demand
from store.aftersales.claims import Claim
from store.database import Connection, Record
from store.fulfilment import fulfilments
from store.orders import orders
from store.payments import tallies
from store.payments.tallies import Tallies
from store.stock import allocations, kits
from store.stock.catalogue import Catalogue
from store.stock.sourcing import Sourced, Wanted, lock_shelves

ELSE = ("decide_claim",)


async def plan(
    conn: Connection,
    order: Record,
    order_id: str,
    units: LineUnits,
    rules: SourcingRules,
    catalogue: Catalogue,
) -> Sourced:
    """Lock the stock of these units, and choose locations for all of them.

    `order`: its locked row. Raises Refused for an order that has ended, and where stock lacks.
    """
    if order["decision"] == "closed":
        raise Refused(
            f"order {order_id} is closed: nothing more is sent by it; pay back, or place a new one",
            reason="order_closed",
            instead=ELSE,
        )
    if not units:
        raise Refused("no units are claimed", reason="nothing_left", instead=ELSE)
    skus = await orders.skus(conn, order_id)
    parts = await kits.claimed(conn, order_id)
    handlings = await orders.handlings(conn, order_id)
    demands = [
        Demand(
            line_id=line_id,
            sku=skus[line_id],
            quantity=count,
            parts=parts.get(line_id, {}),
            handling=handlings.get(line_id, SHIPPED),
        )
        for line_id, count in units.items()
    ]
    wanted = Wanted(demands, await orders.shipping(conn, order_id), rules)
    sourced = (await lock_shelves(conn, [wanted], catalogue)).plan(0, wanted)
    # What suppliers are asked for would wait: nothing is bought for a claim.
    absent = {**sourced.missing, **sourced.waits}
    if absent:
        lacking = ", ".join(f"{count} of {skus[k]}" for k, count in absent.items())
        raise Refused(
            f"not in stock: {lacking}; pay back, or decide when it is there",
            reason="not_in_stock",
            instead=ELSE,
        )
    return sourced


async def write(
    conn: Connection, claim: Claim, sourced: Sourced, found: Tallies, *, who: str, why: str
) -> tuple[Planned, ...]:
    """Move the claimed units back to what is to be sent, and allocate others for them.

    They are paid for, and neither charged nor invoiced again. Raises Refused for units that were
    sent back or paid back since.
    """
    check_still_there(claim.units, found.charges)
    moves = {k: {"shipped": -count, "delivered": -count} for k, count in claim.units.items()}
    await orders.move_lines(conn, claim.order_id, moves)
    found.charges.sent_again(claim.units)
    await tallies.save(conn, found)
    allocated = allocations.Claim(
        claim.order_id,
        f"send_again:{claim.claim_id}",
        sourced.plan.takes,
        first_number=await fulfilments.next_number(conn, claim.order_id),
        promises=sourced.promises,
    )
    (planned,) = await allocations.allocate(conn, [allocated], state="picking", who=who, why=why)
    return planned
