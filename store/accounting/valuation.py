"""The cost of goods, and its entries in the journal; `domain.accounting.costs` computes it.

Part of every movement by which goods come or go (`store.stock.stock`), in its transaction and while
the stock rows of its SKUs are locked, which is the lock of what is written here.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from domain.accounting.costs import Holding, change_of, postings
from domain.money import Money
from store.database import Connection, Record, load_queries

_sql = load_queries(__file__)


@dataclass(frozen=True)
class Paid:
    """What was paid for each unit of a SKU that comes; `bought`: it is owed to a supplier."""

    each: Mapping[str, Money]
    bought: bool = False


NOTHING: Final = Paid({})
"""Nothing came, or nobody knows what was paid for it."""


async def book(
    conn: Connection,
    moved: Sequence[Record],
    *,
    effect: str,
    kind: str,
    order_id: str | None,
    under_way: Mapping[tuple[str, str], int],
    paid: Paid,
    why: str,
) -> None:
    """Book what the movements of one effect do to the worth of what is held.

    `moved`: the stock rows that it moved, as the query `move` tells them. `under_way`: (SKU,
    location) → change of what is between locations. Raises InvalidInput for a price that cannot be
    meant.
    """
    units = Counter[str]()
    for row in moved:
        units[row["sku"]] += row["on_hand"] + under_way.get((row["sku"], row["location"]), 0)
    units = Counter({sku: change for sku, change in sorted(units.items()) if change})
    if not units:
        return
    held = {row["sku"]: Holding(**row["held"]) for row in moved}
    sold = {}
    if kind == "returned" and order_id is not None:
        sold = await _sold(conn, order_id, units)
    costs = {
        sku: change_of(held[sku], change, paid=paid.each.get(sku), sold=sold.get(sku))
        for sku, change in units.items()
    }
    valued = [(sku, currency) for sku, cost in costs.items() for currency in cost]
    posted = [
        (account, currency, amount)
        for currency, accounts in postings(costs.values(), kind, bought=paid.bought).items()
        for account, amount in accounts.items()
    ]
    await _sql.apply(
        conn,
        # The key of an effect is good for one movement of each stock row, so it may come again.
        effect=f"{effect}#{min(row['movement_id'] for row in moved)}",
        order_id=order_id,
        memo=f"{kind.replace('_', ' ')}: {why}",
        kind=kind,
        skus=list(units),
        units=list(units.values()),
        valued=[sku for sku, _ in valued],
        valued_units=[units[sku] for sku, _ in valued],
        currencies=[currency for _, currency in valued],
        amounts=[costs[sku][currency] for sku, currency in valued],
        accounts=[account for account, _, _ in posted],
        account_currencies=[currency for _, currency, _ in posted],
        account_amounts=[amount for _, _, amount in posted],
    )


async def _sold(conn: Connection, order_id: str, back: Mapping[str, int]) -> dict[str, Holding]:
    """What is out for an order, with the units (SKU → units) that are coming back just now."""
    rows = _sql.sold(conn, order_id=order_id, skus=list(back))
    return {
        row["sku"]: Holding(quantity=row["quantity"] + back[row["sku"]], costs=row["costs"])
        async for row in rows
    }
