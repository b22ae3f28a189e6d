"""Where the units come from that an edit adds to an order."""

from __future__ import annotations

from collections.abc import Mapping

from domain.errors import Refused
from domain.orders.edited import Edited
from domain.orders.handling import SHIPPED, Handlings, carried
from domain.orders.quantities import LineId, LineUnits
from domain.stock.sourcing import Demand
from store.database import Connection
from store.orders import orders
from store.stock import items, kits, skus
from store.stock.catalogue import Catalogue
from store.stock.edit_standing import Standing
from store.stock.sourcing import Sourced, Wanted, lock_shelves


async def handle(
    conn: Connection, found: Standing, done: Edited, sku_of: Mapping[LineId, str]
) -> Handlings:
    """How the units of each line come to the customer: new ones as if they had been placed."""
    settled = await orders.handlings(conn, done.order.order_id)
    handlings: Handlings = {line_id: settled.get(line_id, SHIPPED) for line_id in sku_of}
    known = await items.find(conn, [sku_of[line_id] for line_id in done.new])
    usual = carried(done.order.shipping.service, over_the_counter=found.policy.over_the_counter)
    for line_id in done.new:
        item = known.get(sku_of[line_id])
        own = item.handling if item else SHIPPED
        handlings[line_id] = usual if own == SHIPPED else own
    return handlings


async def source(
    conn: Connection,
    found: Standing,
    done: Edited,
    sku_of: Mapping[LineId, str],
    handlings: Handlings,
    catalogue: Catalogue,
) -> Sourced | None:
    """Lock the stock of all lines that change, and choose where the added units come from.

    None: no unit is added. Raises Refused for units that are nowhere, and cannot be waited for.
    """
    parts: dict[str, Mapping[str, int]] = dict(await kits.claimed(conn, done.order.order_id))
    defined = await kits.find(conn, {sku_of[line_id] for line_id in done.added})
    for line_id in done.added:
        kit = defined.get(sku_of[line_id])
        if line_id not in parts and kit is not None:
            parts[line_id] = kit.parts
    await skus.know(conn, {sku_of[line_id] for line_id in done.new})

    def demands(units: LineUnits) -> list[Demand]:
        return [
            Demand(
                line_id=k,
                sku=sku_of[k],
                quantity=n,
                parts=dict(parts.get(k, {})),
                handling=handlings[k],
            )
            for k, n in units.items()
        ]

    shipping, rules = done.order.shipping, found.policy.sourcing
    wanted = Wanted(demands(done.added), shipping, rules, backorder=found.policy.backorder)
    # The stock of what is taken away is locked with it, and nothing is planned for that.
    shelves = await lock_shelves(
        conn, [wanted, Wanted(demands(done.taken), shipping, rules)], catalogue
    )
    if not done.added:
        return None
    sourced = shelves.plan(0, wanted)
    if sourced.missing:
        lacks = ", ".join(f"{n} of {sku_of[k]}" for k, n in sourced.missing.items())
        raise Refused(f"not available: {lacks}", reason="not_available", instead=("edit_order",))
    return sourced
