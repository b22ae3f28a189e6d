"""What is bought for orders: made for one of them, or sent to its customer by the supplier.

The lines that wait are rows, and so is what was asked of suppliers for them. So whoever looks, and
however often, buys what is lacking and no more.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Final

from domain.errors import OrderloomError
from domain.orders.handling import DROP_SHIP
from domain.orders.lines import LINES_MAX
from domain.purchasing.purchase_orders import PurchasingPolicy
from domain.purchasing.supplier_places import LOCATION_MAX, place_at
from store.database import Connection, Record, load_queries
from store.locks import lock_order, lock_stock
from store.purchasing import purchases, replenishment
from store.stock import bought_units, locations, stock

_sql = load_queries(__file__)

WHO: Final = "orderloom"


async def buy(conn: Connection, policy: PurchasingPolicy, *, today: date, batch: int) -> int:
    """Ask suppliers for what lines of confirmed orders wait for. Returns how many were looked at.

    Each line is a transaction of its own. Where nobody sells it, a person is asked, once.
    """
    lines = [row async for row in _sql.to_buy(conn, order_id=None, batch=batch)]
    for line in lines:
        try:
            async with conn.transaction():
                await _buy_for(conn, line, policy, today)
        except OrderloomError as error:
            await _ask_a_person(conn, line, str(error))
    return len(lines)


async def _buy_for(conn: Connection, line: Record, policy: PurchasingPolicy, today: date) -> None:
    order_id, line_id, sku = line["order_id"], line["line_id"], line["sku"]
    terms, unreadable = await replenishment.best_terms(conn, [sku], policy)
    if sku not in terms:
        why = unreadable[0] if unreadable else f"no supplier sells {sku}, or none will now"
        await _ask_a_person(conn, line, why)
        return
    drop_ship = line["handling"] == DROP_SHIP
    if drop_ship:
        place = await _place_at(conn, terms[sku].supplier, line["seller"])
    else:
        ours: str | None = await _sql.place_for(conn, only_from=line["only_from"])
        if ours is None:
            why = "there is no location that its order may be sent from"
            await _ask_a_person(conn, line, why)
            return
        place = ours
    await lock_order(conn, order_id)
    # Somebody may have bought or cancelled it since it was looked up.
    now = [row async for row in _sql.to_buy(conn, order_id=order_id, batch=LINES_MAX)]
    lacking = next((row for row in now if row["line_id"] == line_id), None)
    if lacking is None:
        return
    await stock.ensure_rows(conn, [(sku, place)])
    await lock_stock(conn, [sku])
    named = hashlib.sha256(f"{order_id}:{line_id}:{lacking['before']}".encode()).hexdigest()
    await purchases.propose(
        conn,
        place,
        [(terms[sku], lacking["units"])],
        policy,
        today=today,
        who=WHO,
        why=f"for line {line_id} of {order_id}",
        po_id=f"PO-{named[:12]}",
        wanted_by=purchases.WantedBy(order_id, line_id, drop_ship),
    )


async def _place_at(conn: Connection, supplier: str, seller: str) -> str:
    """Where goods are the seller's for the moment in which their supplier sends them to a customer.

    The first seller's is `at-<supplier>`; another one has a place of its own there.
    """
    place = place_at(supplier)
    if await locations.owner(conn, place) not in (None, seller):
        place = f"{place[: LOCATION_MAX - 1 - len(seller)]}-{seller}"
    await locations.add(conn, [place], seller)
    return place


async def _ask_a_person(conn: Connection, line: Record, why: str) -> None:
    await _sql.needs_a_person(
        conn,
        order_id=line["order_id"],
        line_id=line["line_id"],
        reason=f"{line['units']} × {line['sku']} cannot be bought: {why}. See to it (a supplier "
        "sells it after `orderloom suppliers import`) and say done, or cancel the units",
    )


async def promised(conn: Connection, purchase: Record, day: date) -> None:
    """The supplier has named a day: promise the order's line by it."""
    whose = await _sql.order_of_purchase(conn, po_id=purchase["po_id"])
    await bought_units.promise_line(conn, whose["order_id"], whose["line_id"], day)


async def came(
    conn: Connection,
    purchase: Record,
    units: Mapping[str, int],
    notice: str,
    parcel: tuple[str, str] | None,
) -> None:
    """Units are on their way to the order's customer. The caller books them next."""
    whose = await _sql.order_of_purchase(conn, po_id=purchase["po_id"])
    order_id, line_id = whose["order_id"], whose["line_id"]
    carrier, number = parcel or (None, None)
    await _sql.add_parcel(
        conn,
        order_id=order_id,
        line_id=line_id,
        notice=notice,
        carrier=carrier,
        tracking_number=number,
    )
    for sku, quantity in units.items():
        await bought_units.came_for(
            conn, order_id, {line_id: quantity}, {line_id: sku}, purchase["location"]
        )


async def open_for(conn: Connection, order_id: str, line_ids: Sequence[str]) -> list[Record]:
    """Purchase orders for these lines of which something may still come: po_id, line_id."""
    return [row async for row in _sql.open_for(conn, order_id=order_id, line_ids=list(line_ids))]
