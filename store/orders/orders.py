"""Orders and their lines: the read model, written in the transactions of the effects."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from domain.errors import Conflict
from domain.orders.amounts import value_lines
from domain.orders.order import Order, Shipping
from domain.orders.sourcing_rules import SourcingRules
from store.database import Connection, load_queries

_sql = load_queries(__file__)

Decision = Literal["confirmed", "rejected", "cancelled", "closed"]

# The counts of a line that can change, in the order in which `move_lines` takes them.
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
    "invoiced",
    "conceded",
)


@dataclass(frozen=True)
class Received:
    """A new order, the workflow run that owns it, and its policy's rules for choosing locations."""

    order: Order
    run_id: str
    sourcing: SourcingRules = field(default_factory=SourcingRules)


async def create(conn: Connection, received: Sequence[Received]) -> list[bool]:
    """Record received orders.

    False for an order that the same run recorded before, here or earlier in the sequence. Raises
    Conflict when an id is taken by an order with other content, or of another run: Temporal forgets
    closed workflows in time, this table does not.
    """
    first: dict[str, Received] = {}
    for one in received:
        first.setdefault(one.order.order_id, one)
    # Sorted, because an insert waits for another transaction that is recording the same id.
    created = await _insert(conn, [first[order_id] for order_id in sorted(first)])
    answers = []
    for one in received:
        answers.append(one.order.order_id in created)
        created.discard(one.order.order_id)
    again = [one for one, is_new in zip(received, answers, strict=True) if not is_new]
    if again:
        await _check_same(conn, again)
    return answers


async def _insert(conn: Connection, received: Sequence[Received]) -> set[str]:
    """Returns the ids of the orders that are new. Nobody else can see their rows yet."""
    orders = [one.order for one in received]
    lines = [(order, line) for order in orders for line in order.lines]
    worth = {order.order_id: value_lines(order) for order in orders}
    wholes = [worth[order.order_id][line.line_id].whole for order, line in lines]
    rows = _sql.insert_orders(
        conn,
        order_ids=[order.order_id for order in orders],
        channels=[order.channel for order in orders],
        channel_order_ids=[order.channel_order_id for order in orders],
        digests=[order.digest for order in orders],
        run_ids=[one.run_id for one in received],
        sourcing=[one.sourcing.model_dump(mode="json", exclude_defaults=True) for one in received],
        documents=[order.model_dump(mode="json") for order in orders],
        customer_ids=[order.customer.id for order in orders],
        currencies=[order.currency for order in orders],
        totals=[order.total_minor for order in orders],
        placed=[order.placed_at for order in orders],
        line_orders=[order.order_id for order, _ in lines],
        positions=[n for order in orders for n, _ in enumerate(order.lines, start=1)],
        line_ids=[line.line_id for _, line in lines],
        skus=[line.sku for _, line in lines],
        ordered=[line.quantity for _, line in lines],
        goods=[whole.goods for whole in wholes],
        tax=[whole.tax for whole in wholes],
        shipping=[whole.shipping for whole in wholes],
        shipping_tax=[whole.shipping_tax for whole in wholes],
    )
    return {row["order_id"] async for row in rows}


async def _check_same(conn: Connection, again: Sequence[Received]) -> None:
    rows = _sql.owners(conn, order_ids=[one.order.order_id for one in again])
    owners = {row["order_id"]: row async for row in rows}
    for one in again:
        order, row = one.order, owners[one.order.order_id]
        if row["digest"] != order.digest:
            raise Conflict(
                f"order {order.order_id} was placed before with other content; "
                "cancel that one, or use another channel_order_id"
            )
        if row["run_id"] != one.run_id:
            raise Conflict(f"order {order.order_id} was placed before; nothing was done again")


async def move_lines(
    conn: Connection, order_id: str, moves: Mapping[str, Mapping[str, int]]
) -> None:
    """Add to the counts of an order's lines: {line_id: {"allocated": -2, "cancelled": 2}}."""
    await move_lines_of(conn, {order_id: moves})


async def move_lines_of(
    conn: Connection, moves: Mapping[str, Mapping[str, Mapping[str, int]]]
) -> None:
    """Add to the counts of lines: {order_id: {line_id: {"allocated": -2, "cancelled": 2}}}.

    The caller holds the orders' locks. An impossible sum raises CheckViolation: a fault in the
    code.
    """
    rows = [(o, line_id, counts) for o, lines in moves.items() for line_id, counts in lines.items()]
    if not rows:
        return
    unknown = {name for _, _, counts in rows for name in counts} - set(COUNTS)
    if unknown:
        raise ValueError(f"no such line counts: {sorted(unknown)}")
    await _sql.move_lines(
        conn,
        order_ids=[order_id for order_id, _, _ in rows],
        line_ids=[line_id for _, line_id, _ in rows],
        **{name: [counts.get(name, 0) for _, _, counts in rows] for name in COUNTS},
    )


async def decide(conn: Connection, order_id: str, decision: Decision, reason: str = "") -> None:
    """Record the workflow's decision. A final decision never changes."""
    await decide_all(conn, decision, {order_id: reason})


async def finish(
    conn: Connection,
    order_id: str,
    decision: Literal["closed", "cancelled"],
    reason: str,
    *,
    who: str,
) -> None:
    """Record the order's end, and tell its story. A repeat changes nothing."""
    await _sql.finish(conn, order_id=order_id, decision=decision, reason=reason, who=who)


async def decide_all(conn: Connection, decision: Decision, reasons: Mapping[str, str]) -> None:
    """Record the same decision about several orders: {order_id: reason}."""
    await _sql.decide(
        conn, decision=decision, order_ids=list(reasons), reasons=list(reasons.values())
    )


async def shipping(conn: Connection, order_id: str) -> Shipping:
    """The order's address and its wishes for shipping."""
    return Shipping.model_validate(await _sql.shipping_of(conn, order_id=order_id))


async def customer_id(conn: Connection, order_id: str) -> str:
    """The customer's id, as the channel knows it."""
    found: str = await _sql.customer_of(conn, order_id=order_id)
    return found


async def skus(conn: Connection, order_id: str) -> dict[str, str]:
    """Line id → SKU, in the order's own sequence."""
    return {row["line_id"]: row["sku"] async for row in _sql.line_skus(conn, order_id=order_id)}
