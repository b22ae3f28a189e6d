"""The decision what to buy, made under the lock of the stock that it is about.

Decisions may be made often and at the same time. Each one sees the orders of the one before,
because both hold the SKU's lock, and the schema refuses a second order for units on an order
without an answer.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import date, timedelta
from typing import NamedTuple

from pydantic import ValidationError

from domain.errors import OrderloomError
from domain.purchasing.purchase_orders import PurchasingPolicy, SupplierItem
from domain.purchasing.replenishment import Demand, Levels, levels_for, to_order
from store.database import Connection, Record, load_queries
from store.locks import lock_stock
from store.purchasing import demand, purchases
from store.purchasing.suppliers import terms_of

_sql = load_queries(__file__)

CHANNEL = "purchasing"
"""The PostgreSQL notification channel for crossed levels and new purchase orders."""

WHO = "orderloom"

DAYS_MIN = 14
"""With demand of fewer days, levels are not computed."""


class Bought(NamedTuple):
    """The ids of the new purchase orders, and what was left out, each with its reason."""

    ordered: list[str]
    left_out: list[str]


async def run(
    conn: Connection, policy: PurchasingPolicy, *, today: date, only_called: bool = False
) -> Bought:
    """Buy SKUs at or below their reorder point.

    `only_called`: look only at levels that stock has crossed since the last time. Each supplier's
    part is a transaction of its own: one that cannot be bought is left out, and told.
    """
    if not only_called:
        await follow_demand(conn, policy)
    rows = _sql.called(conn) if only_called else _sql.low(conn)
    skus = sorted({row["sku"] async for row in rows})
    terms, left_out = await best_terms(conn, skus, policy)
    by_supplier: dict[str | None, list[str]] = defaultdict(list)
    for sku in skus:
        by_supplier[terms[sku].supplier if sku in terms else None].append(sku)
    ordered = []
    for supplier, its_skus in by_supplier.items():
        try:
            async with conn.transaction():
                await lock_stock(conn, its_skus)
                await _sql.answer_calls(conn, skus=its_skus)
                ordered += await _order(conn, its_skus, policy, today)
        except OrderloomError as error:
            left_out.append(f"{', '.join(its_skus)} of {supplier}: {error}")
    return Bought(ordered, left_out)


async def _order(
    conn: Connection,
    skus: Sequence[str],
    policy: PurchasingPolicy,
    today: date,
) -> list[str]:
    """Order the needed units of these SKUs: one order per location and supplier.

    The supplier is chosen under the lock, too, because one may have refused a moment ago.
    """
    terms, _ = await best_terms(conn, skus, policy)
    if nobodys := [sku for sku in skus if sku not in terms]:
        await _sql.call_later(conn, skus=nobodys, asked_again_before=policy.ask_again_after)
    wanted: dict[tuple[str, str, str], list[tuple[SupplierItem, int]]] = defaultdict(list)
    reasons: dict[tuple[str, str, str], list[str]] = defaultdict(list)
    async for need in _sql.needs(conn, skus=list(terms)):
        item = terms[need["sku"]]
        units = _units(need, item)
        if units:
            key = need["location"], item.supplier, item.currency
            wanted[key].append((item, units))
            reasons[key].append(
                f"{need['sku']} at {need['position']}, to be ordered at {need['reorder_point']}"
            )
    return [
        await purchases.propose(
            conn, key[0], lines, policy, today=today, who=WHO, why="; ".join(reasons[key])
        )
        for key, lines in sorted(wanted.items())
    ]


def _units(need: Record, item: SupplierItem) -> int:
    levels = Levels(reorder_point=need["reorder_point"], order_up_to=need["order_up_to"])
    return to_order(need["position"], levels, minimum=item.minimum, multiple=item.multiple)


async def follow_demand(conn: Connection, policy: PurchasingPolicy) -> None:
    """Compute the levels that follow demand again, where there is enough demand."""
    await demand.measure(conn, policy)
    rows = [row async for row in _sql.demand(conn, days_min=DAYS_MIN)]
    terms, _ = await best_terms(conn, [row["sku"] for row in rows], policy)
    found = [(row, _levels(row, terms[row["sku"]], policy)) for row in rows if row["sku"] in terms]
    if not found:
        return
    async with conn.transaction():
        await lock_stock(conn, [row["sku"] for row, _ in found])
        await _sql.set_computed(
            conn,
            skus=[row["sku"] for row, _ in found],
            locations=[row["location"] for row, _ in found],
            reorder_points=[levels.reorder_point for _, levels in found],
            order_up_tos=[levels.order_up_to for _, levels in found],
        )


def _levels(row: Record, item: SupplierItem, policy: PurchasingPolicy) -> Levels:
    return levels_for(
        Demand.over(row["days"], row["total"], row["squares"]),
        lead_time_days=item.lead_time_days,
        review_days=policy.review_every / timedelta(days=1),
        service_level=row["service_level"],
    )


async def wanted(conn: Connection) -> bool:
    """Claim the calls of crossed levels. True: decide now.

    The calls come again until that is done.
    """
    return bool(await _sql.claim_calls(conn))


async def best_terms(
    conn: Connection, skus: Sequence[str], policy: PurchasingPolicy
) -> tuple[dict[str, SupplierItem], list[str]]:
    """The terms of each SKU, and those that cannot be read, each with its reason."""
    terms, unreadable = dict[str, SupplierItem](), list[str]()
    rows = _sql.best_terms(conn, skus=list(skus), asked_again_before=policy.ask_again_after)
    async for row in rows:
        try:
            terms[row["sku"]] = terms_of(row)
        except (OrderloomError, ValidationError) as error:
            unreadable.append(f"the terms of {row['supplier']} for {row['sku']}: {error}")
    return terms, unreadable
