"""Orders and their lines: the read model, written in the transactions of the effects."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any, Literal

from domain.errors import Refused
from domain.money import to_minor
from domain.orders.handling import Handlings
from domain.orders.order import Shipping
from domain.orders.policy import Policy
from domain.orders.terms import TenderTerms, Terms
from domain.stored import stored
from store.database import Connection, Record, load_queries
from store.locks import lock_order

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
)


@dataclass(frozen=True)
class OnRecord:
    """An order as it was placed: its terms, and what the claims on stock go by."""

    terms: Terms
    shipping: Shipping
    basket: str | None
    policy: Policy
    received_at: datetime

    @property
    def order_id(self) -> str:
        return self.terms.order_id


async def on_record(conn: Connection, order_ids: Sequence[str]) -> dict[str, OnRecord]:
    """Orders as they were placed, by id; of those that are on record."""
    rows = _sql.on_record(conn, order_ids=list(order_ids))
    return {
        row["order_id"]: OnRecord(
            terms=_terms(row),
            shipping=stored(Shipping, row["shipping"]),
            basket=row["basket"],
            policy=_policy(row["policy"]),
            received_at=row["received_at"],
        )
        async for row in rows
    }


@lru_cache(maxsize=256)
def _policy(document: str) -> Policy:
    """Nearly all orders of a shop go by the same few policies, and a policy never changes."""
    return Policy.model_validate_json(document)


def tenders(row: Record | Mapping[str, Any]) -> tuple[TenderTerms, ...]:
    """Who pays, in their sequence, by a row with `payment` and `tenders` of an order's document."""
    payment, currency = row["payment"], row["currency"]
    first = (
        TenderTerms(
            provider=tender["provider"],
            token=tender["token"],
            most=to_minor(tender["amount"], currency),
        )
        for tender in row["tenders"]
    )
    return (*first, TenderTerms(provider=payment["provider"], token=payment["token"]))


def _terms(row: Record) -> Terms:
    return Terms(
        order_id=row["order_id"],
        channel=row["channel"],
        currency=row["currency"],
        service=row["shipping"]["service"],
        lines=row["lines"],
        tenders=tenders(row),
    )


async def begin(conn: Connection, order_ids: Sequence[str]) -> set[str]:
    """Begin those of these orders that nobody has begun. Returns them; they are locked.

    Of two attempts at the same time, the second waits here for what becomes of the first.
    """
    return {row["order_id"] async for row in _sql.begin(conn, order_ids=list(order_ids))}


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
) -> str:
    """Record the order's end, and tell its story. A repeat changes nothing.

    Without a reason, it is that of the last cancellation. Returns the reason that stands.
    """
    found: str | None = await _sql.finish(
        conn, order_id=order_id, decision=decision, reason=reason, who=who
    )
    return found or ""


async def reopen(conn: Connection, order_id: str, opening: str) -> None:
    """A closed order has something to do again: what its steps have done is kept until it has not.

    `opening` names this time. Nothing for an order that is not closed.
    """
    async with conn.transaction():
        await lock_order(conn, order_id)
        await _sql.reopen(conn, order_id=order_id, opening=opening)


async def close_again(conn: Connection, order_id: str, opening: str) -> None:
    """A closed order has nothing to do any more, if it was not opened again since that opening."""
    await _sql.close_again(conn, order_id=order_id, opening=opening)


async def decide_all(conn: Connection, decision: Decision, reasons: Mapping[str, str]) -> None:
    """Record the same decision about several orders: {order_id: reason}."""
    await _sql.decide(
        conn, decision=decision, order_ids=list(reasons), reasons=list(reasons.values())
    )


async def shipping(conn: Connection, order_id: str) -> Shipping:
    """The order's address and its wishes for shipping."""
    return stored(Shipping, await _sql.shipping_of(conn, order_id=order_id))


async def check_known(conn: Connection, order_id: str) -> None:
    """Raise Refused where nobody knows any more whose order it was, to give store credit."""
    if (await customer_id(conn, order_id)).startswith("erased-"):
        raise Refused(
            f"the customer of {order_id} is erased, so store credit would be nobody's; pay back "
            "another way",
            reason="customer_erased",
        )


async def customer_id(conn: Connection, order_id: str) -> str:
    """The customer's id, as the channel knows it."""
    found: str = await _sql.customer_of(conn, order_id=order_id)
    return found


async def handlings(conn: Connection, order_id: str) -> Handlings:
    """Line id → handling, of the lines whose goods are not shipped."""
    rows = _sql.handlings_of(conn, order_id=order_id)
    return {row["line_id"]: row["handling"] async for row in rows}


async def skus(conn: Connection, order_id: str) -> dict[str, str]:
    """Line id → SKU, in the order's own sequence."""
    return {row["line_id"]: row["sku"] async for row in _sql.line_skus(conn, order_id=order_id)}
