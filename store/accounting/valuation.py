"""The cost of goods, and its entries in the journal; `domain.accounting.costs` computes it.

Every movement by which goods come or go (`store.stock.stock`) calls this in its own transaction,
while the stock rows of its SKUs are locked. That lock protects the rows written here as well.
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
    """The price of each unit of a SKU that arrives; `bought`: it is owed to a supplier."""

    each: Mapping[str, Money]
    bought: bool = False


NOTHING: Final = Paid({})
"""Nothing arrived, or its price is not known."""


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
    """Book the change of the stock's worth by the movements of one effect.

    `moved`: the stock rows that moved, as the query `move` returns them. `under_way`: (SKU,
    location) → change of the units between locations. Raises InvalidInput for an impossible price.
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
        # An effect may come again for other stock rows, but moves each row once only.
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
    """The units that an order has out, without those (SKU → units) that are coming back now."""
    rows = _sql.sold(conn, order_id=order_id, skus=list(back))
    return {
        row["sku"]: Holding(quantity=row["quantity"] + back[row["sku"]], costs=row["costs"])
        async for row in rows
    }
