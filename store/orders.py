"""Orders and their lines: the read model, written with the effects that it tells of."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from domain.amounts import LineWorth
from domain.errors import Conflict
from domain.order import Order, Shipping
from store.database import Connection, Record, load_queries
from store.locks import lock_order

_sql = load_queries("orders")

Decision = Literal["confirmed", "rejected", "cancelled", "closed"]

# The counts of a line that move, in the order in which `move_lines` takes them.
COUNTS = (
    "backordered",
    "allocated",
    "picked",
    "shipped",
    "delivered",
    "lost",
    "cancelled",
    "return_requested",
    "returned",
    "charged",
    "refunded",
)


async def create(
    conn: Connection, order: Order, worth: Mapping[str, LineWorth], *, run_id: str
) -> bool:
    """Record a received order for the workflow run that owns it, and lock its row.

    False when the same run recorded it before. Raises Conflict when the id is taken by other
    content, or by another run: Temporal forgets closed workflows in time, this table does not.
    """
    wholes = [worth[line.line_id].whole for line in order.lines]
    created = await _sql.insert_order(
        conn,
        order_id=order.order_id,
        channel=order.channel,
        channel_order_id=order.channel_order_id,
        digest=order.digest,
        run_id=run_id,
        document=order.model_dump(mode="json"),
        customer_id=order.customer.id,
        currency=order.currency,
        total_minor=order.total_minor,
        placed_at=order.placed_at,
        line_ids=[line.line_id for line in order.lines],
        skus=[line.sku for line in order.lines],
        ordered=[line.quantity for line in order.lines],
        goods=[whole.goods for whole in wholes],
        tax=[whole.tax for whole in wholes],
        shipping=[whole.shipping for whole in wholes],
        shipping_tax=[whole.shipping_tax for whole in wholes],
    )
    if created is not None:
        return True  # a row that nobody else can see yet is locked as well as can be
    row = await lock_order(conn, order.order_id)
    if row["digest"] != order.digest:
        raise Conflict(
            f"order {order.order_id} was placed before with other content; "
            "cancel that one, or use another channel_order_id"
        )
    if row["run_id"] != run_id:
        raise Conflict(f"order {order.order_id} was placed before; nothing was done again")
    return False


async def move_lines(
    conn: Connection, order_id: str, moves: Mapping[str, Mapping[str, int]]
) -> None:
    """Add to the counts of lines: {line_id: {"allocated": -2, "cancelled": 2}}.

    The caller holds the order's lock. A sum that cannot be raises CheckViolation: a fault of ours.
    """
    if not moves:
        return
    unknown = {name for counts in moves.values() for name in counts} - set(COUNTS)
    if unknown:
        raise ValueError(f"no such line counts: {sorted(unknown)}")
    await _sql.move_lines(
        conn,
        order_id=order_id,
        line_ids=list(moves),
        **{name: [counts.get(name, 0) for counts in moves.values()] for name in COUNTS},
    )


async def decide(conn: Connection, order_id: str, decision: Decision, reason: str = "") -> None:
    """Record what the workflow decided. A final decision stays what it is."""
    await _sql.decide(conn, order_id=order_id, decision=decision, reason=reason)


async def shipping(conn: Connection, order_id: str) -> Shipping:
    """How the order is to be sent, and where to."""
    return Shipping.model_validate(await _sql.shipping_of(conn, order_id=order_id))


async def skus(conn: Connection, order_id: str) -> dict[str, str]:
    """Line id → SKU, in the order's own sequence."""
    return {row["line_id"]: row["sku"] async for row in _sql.line_skus(conn, order_id=order_id)}


async def lines(conn: Connection, order_id: str) -> list[Record]:
    """Where the units of each line stand, and what the line is worth."""
    return [row async for row in _sql.lines_of(conn, order_id=order_id)]
