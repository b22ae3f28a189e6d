"""Purchase orders: their rows, their lines, and their story. Each effect is recorded once.

Each function that writes about a purchase order locks its row, then the stock rows of its SKUs. The
decision what to buy counts the units on order, and holds the same lock.
"""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from domain import ids
from domain.errors import Conflict, IllegalTransition, NotFound
from domain.purchasing.purchase_orders import (
    OnOrder,
    PurchaseLine,
    PurchaseState,
    PurchasingPolicy,
    SupplierItem,
    further,
    version_of,
    worth_of,
)
from store import waits
from store.database import Connection, Record, load_queries
from store.locks import lock_stock

_sql = load_queries(__file__)


@dataclass(frozen=True)
class WantedBy:
    """The order line that a purchase order is for. `drop_ship`: it goes to the order's customer."""

    order_id: str
    line_id: str
    drop_ship: bool


async def propose(
    conn: Connection,
    location: str,
    wanted: Sequence[tuple[SupplierItem, int]],
    policy: PurchasingPolicy,
    *,
    today: date,
    who: str,
    why: str,
    po_id: str | None = None,
    wanted_by: WantedBy | None = None,
) -> str:
    """Order units from one supplier for one location (terms and units of each SKU), once per id.

    `wanted_by`: it is bought for one line of an order, beside what is bought for stock. The caller
    holds the locks of the SKUs' stock, and the stock rows exist. Returns the id. Raises
    Conflict when a SKU is on order without an answer, or the id was used for another order.
    """
    lines = [
        PurchaseLine(
            sku=item.sku,
            quantity=units,
            unit_price=item.unit_price,
            due_on=today + timedelta(days=item.lead_time_days),
        )
        for item, units in wanted
    ]
    first = wanted[0][0]
    needs_approval = not policy.approves(worth_of(lines, first.currency))
    po_id = po_id or ids.purchase_order_id(uuid.uuid4().hex)
    lead_times = [item.lead_time_days for item, _ in wanted]
    added = await _add(
        *(conn, po_id, first, location, lines, lead_times, policy),
        needs_approval=needs_approval,
        wanted_by=wanted_by,
    )
    if not added:
        known = {line["sku"]: line["quantity"] async for line in _sql.lines(conn, po_id=po_id)}
        if known != {line.sku: line.quantity for line in lines}:
            raise Conflict(f"purchase order {po_id} is there already, with other goods")
        return po_id
    await tell(conn, po_id, "propose", "proposed", who=who, why=why)
    if not needs_approval:
        await tell(conn, po_id, "approve", "approved", who="orderloom", why="below the limit")
    return po_id


async def enter(
    conn: Connection,
    po_id: str,
    rows: Sequence[OnOrder],
    terms: Sequence[SupplierItem],
    policy: PurchasingPolicy,
    *,
    who: str,
    why: str,
) -> bool:
    """Take in an order that was sent before Orderloom was used, once per id. False for a repeat.

    All rows have the same supplier, location and day; rows of one SKU are added up. `terms` holds
    the terms of each SKU. The caller holds the locks of their stock.
    """
    prices = {item.sku: item for item in terms}
    units = Counter[str]()
    for row in rows:
        units[row.sku] += row.quantity
    lines = [
        PurchaseLine(
            sku=sku,
            quantity=quantity,
            unit_price=prices[sku].unit_price,
            due_on=rows[0].due_on,
        )
        for sku, quantity in sorted(units.items())
    ]
    first = prices[rows[0].sku]
    lead_times = [prices[line.sku].lead_time_days for line in lines]
    added = await _add(conn, po_id, first, rows[0].location, lines, lead_times, policy, sent=True)
    if added:
        await tell(conn, po_id, "enter", "entered", who=who, why=why)
    return added


async def _add(
    conn: Connection,
    po_id: str,
    terms: SupplierItem,
    location: str,
    lines: Sequence[PurchaseLine],
    lead_times: Sequence[int],
    policy: PurchasingPolicy,
    *,
    needs_approval: bool = False,
    sent: bool = False,
    wanted_by: WantedBy | None = None,
) -> bool:
    state: PurchaseState = "sent" if sent else "proposed" if needs_approval else "approved"
    async with conn.transaction():
        new = await _sql.add_order(
            conn,
            po_id=po_id,
            supplier=terms.supplier,
            location=location,
            currency=terms.currency,
            state=state,
            needs_approval=needs_approval,
            sent_before=sent,
            policy=policy.model_dump(mode="json"),
            order_id=None if wanted_by is None else wanted_by.order_id,
            line_id=None if wanted_by is None else wanted_by.line_id,
            drop_ship=wanted_by is not None and wanted_by.drop_ship,
        )
        if new is None:
            return False
        added = [
            row["sku"]
            async for row in _sql.add_lines(
                conn,
                po_id=po_id,
                location=location,
                skus=[line.sku for line in lines],
                quantities=[line.quantity for line in lines],
                receivable=[policy.receivable(line.quantity) for line in lines],
                prices=[line.unit_price for line in lines],
                lead_times=list(lead_times),
                due_on=[line.due_on for line in lines],
                answered=sent,
                for_order=wanted_by is not None,
            )
        ]
        if len(added) < len(lines):
            missing = ", ".join(sorted({line.sku for line in lines} - set(added)))
            raise Conflict(
                f"{missing} is on order for {location} already, and the supplier has not answered: "
                "see `orderloom purchase-orders list`"
            )
        await _sql.wake(conn)
    return True


async def locked(conn: Connection, po_id: str) -> tuple[Record, list[Record]]:
    """Lock a purchase order and the stock of its SKUs. Returns its row and lines.

    Raises NotFound.
    """
    row: Record | None = await _sql.lock(conn, po_id=po_id)
    if row is None:
        raise unknown(po_id)
    lines = [line async for line in _sql.lines(conn, po_id=po_id)]
    await lock_stock(conn, [line["sku"] for line in lines])
    return row, lines


async def hold(conn: Connection, po_id: str) -> str:
    """Lock a purchase order until the transaction ends. Returns its version: `version_of`.

    Raises NotFound.
    """
    row: Record | None = await _sql.lock(conn, po_id=po_id)
    if row is None:
        raise unknown(po_id)
    now = await _sql.standing(conn, po_id=po_id)
    return version_of(now["events"], now["state"])


def unknown(po_id: str) -> NotFound:
    """The error for an unknown purchase order."""
    return NotFound(f"there is no purchase order {po_id}; see `orderloom purchase-orders list`")


async def advance(conn: Connection, row: Record, state: PurchaseState) -> None:
    """Move to a state; no change if the order is further on already."""
    await _sql.set_state(conn, po_id=row["po_id"], state=further(row["state"], state))


async def report_if_settled(conn: Connection, po_id: str) -> bool:
    """Report to the workflow when nothing more can arrive. The caller holds the order's lock."""
    if any([line["outstanding"] async for line in _sql.lines(conn, po_id=po_id)]):
        return False
    for step in ("await_acknowledgement", "await_goods"):
        await waits.report_purchase(conn, po_id, ids.wait_id(step, po_id), {"outcome": "settled"})
    return True


async def cancel_rest(conn: Connection, row: Record, *, refused: bool = False) -> None:
    """Cancel the outstanding units, and tell the workflow. `refused`: the supplier said so."""
    await _sql.cancel_rest(conn, po_id=row["po_id"])
    if refused:
        await mark_refused(conn, row)
    await report_if_settled(conn, row["po_id"])


async def mark_refused(conn: Connection, row: Record) -> None:
    """Do not ask the supplier again soon for the units that it gives up of this order."""
    await _sql.mark_refused(conn, po_id=row["po_id"])


async def expect(conn: Connection, po_id: str, *, today: date) -> None:
    """Set the unanswered units' days: they are asked for and expected after the lead time."""
    await _sql.expect(conn, po_id=po_id, today=today)


async def sent(conn: Connection, row: Record, *, today: date) -> None:
    """Record that the supplier has the order."""
    await expect(conn, row["po_id"], today=today)
    await advance(conn, row, "sent")


async def close(conn: Connection, row: Record, lines: Sequence[Record]) -> PurchaseState:
    """End the order: closed, or cancelled if nothing arrived.

    Raises IllegalTransition if it is open.
    """
    if any(line["outstanding"] for line in lines):
        raise IllegalTransition(f"{row['po_id']} has goods outstanding; it is not over")
    state: PurchaseState = "closed" if any(line["received"] for line in lines) else "cancelled"
    await _sql.set_state(conn, po_id=row["po_id"], state=state)
    await need_attention(conn, row["po_id"], None)
    return state


async def need_attention(conn: Connection, po_id: str, reason: str | None) -> None:
    """Show that the order needs attention, and why; None: no longer."""
    await _sql.set_attention(conn, po_id=po_id, attention=reason)


async def needing_attention(conn: Connection, reason: str) -> set[str]:
    """The purchase orders that need a person for a reason that begins so."""
    return {row["po_id"] async for row in _sql.needing_attention(conn, reason=reason)}


async def done(conn: Connection, po_id: str, effect: str) -> dict[str, Any] | None:
    """The result that an effect recorded, or None if it was not done yet."""
    data: dict[str, Any] | None = await _sql.find_event(conn, po_id=po_id, effect=effect)
    return data


async def tell(
    conn: Connection,
    po_id: str,
    effect: str,
    what: str,
    *,
    who: str,
    why: str = "",
    data: dict[str, Any] | None = None,
) -> None:
    """Append to the purchase order's story, once per effect."""
    await _sql.add_event(
        conn, po_id=po_id, effect=effect, what=what, who=who, why=why, data=data or {}
    )
