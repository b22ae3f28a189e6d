"""The hand-over of a parcel: one look under the locks, a decision, and one write.

What is due for its goods is taken, and their invoice is written, in the same transaction.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from domain import ids
from domain.accounting.costs import Holding
from domain.errors import IllegalTransition
from store import clock
from store.accounting import valuation
from store.database import Connection, Record, load_queries
from store.faults import refusals
from store.payments import billing, cover, tallies
from store.stock import stock

_sql = load_queries(__file__)


async def hand_over(conn: Connection, fulfilment_id: str, *, at: datetime, who: str) -> str | None:
    """labelled → shipped: the carrier has the parcel. On-hand drops now, not before.

    In the caller's transaction. Returns the carrier.
    """
    found = await _look(conn, fulfilment_id, may_leave=True)
    carrier: str | None = found["carrier"]
    if found["is_told"]:
        return carrier
    then = _possible(at, found)
    if found["paying"] is not None:
        paying = cover.paying_from(found["paying"])
        to_charge = cover.still_to_charge(paying, fulfilment_id, found["to_charge"])
        if not cover.can_be_charged(paying, fulfilment_id, to_charge, then):
            raise IllegalTransition(
                f"{fulfilment_id} is not paid any more: its authorization has ended; keep "
                f"it until `orderloom show {ids.order_of(fulfilment_id)}` says that it is "
                "renewed"
            )
    await _leave(conn, fulfilment_id, found, at, who)
    return carrier


async def moved_already(conn: Connection, fulfilment_id: str, *, at: datetime, who: str) -> None:
    """labelled → shipped: a carrier has the parcel, whether it is paid and its order held, or not.

    The caller's transaction holds the order's lock, and has read that state.
    """
    found = await _look(conn, fulfilment_id, may_leave=False)
    await _leave(conn, fulfilment_id, found, at, who)


async def _look(conn: Connection, fulfilment_id: str, *, may_leave: bool) -> Record:
    with refusals():
        row: Record = await _sql.hand_over_look(
            conn, fulfilment_id=fulfilment_id, may_leave=may_leave
        )
    return row


def _possible(at: datetime, found: Record) -> datetime:
    """The reported time, but not before the parcel had its label, and not in the future."""
    since: datetime = found["since"]
    return min(max(at, since), clock.now())


async def _leave(
    conn: Connection,
    fulfilment_id: str,
    found: Record,
    at: datetime,
    who: str,
) -> None:
    at = _possible(at, found)
    lines: list[dict[str, Any]] = found["lines"]
    units = {line["line_id"]: line["units"] for line in lines}
    moves = [
        move
        for line in lines
        for move in stock.moves(line["parts"], line["location"], on_hand=-line["units"])
    ]
    rows = stock.Booking(f"ship:{fulfilment_id}", moves).totals()
    order_id = ids.order_of(fulfilment_id)
    bill = billing.bill_of(
        tallies.from_row(order_id, found["tallies"]),
        found["basis"],
        fulfilment_id,
        units,
        at=at,
    )
    with stock.impossible((sku, location) for sku, location, _, _ in rows):
        await _sql.parcel_shipped(
            conn,
            fulfilment_id=fulfilment_id,
            at=at,
            who=who,
            skus=[sku for sku, _, _, _ in rows],
            locations=[location for _, location, _, _ in rows],
            units=[on_hand for _, _, on_hand, _ in rows],
            cost=_cost(found, rows),
            report={"outcome": "shipped", "units": units, "due_minor": bill.due.worth.total},
            bill=bill.content,
        )


def _cost(found: Record, rows: list[tuple[str, str, int, int]]) -> dict[str, Any]:
    """The change of the stock's worth."""
    leaves: dict[str, int] = {}
    for sku, _, on_hand, _ in rows:
        leaves[sku] = leaves.get(sku, 0) + on_hand
    held = {sku: Holding(**each) for sku, each in found["held"].items()}
    return valuation.change(held, leaves, "shipped")
