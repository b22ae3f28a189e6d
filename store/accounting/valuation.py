"""The cost of goods, and its entries in the journal; `domain.accounting.costs` computes it.

Every movement by which goods come or go (`store.stock.stock`) calls this in its own transaction,
while the stock rows of its SKUs are locked. That lock protects the rows written here as well.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from domain.accounting.costs import Holding, change_of, postings
from domain.money import Money
from store.database import Connection, Record, load_queries

_sql = load_queries(__file__)


@dataclass(frozen=True)
class Paid:
    """The price of all units that arrive, by SKU and location; `bought`: owed to a supplier."""

    costs: Mapping[tuple[str, str], Money]
    bought: bool = False


NOTHING: Final = Paid({})
"""Nothing arrived, or its price is not known."""


class Worth(NamedTuple):
    """The units of a SKU that a seller has, and their known cost together in one currency."""

    seller: str
    units: int
    currency: str
    value_minor: int


async def worth(conn: Connection, sku: str) -> list[Worth]:
    """What the units in stock have cost, as far as the books know."""
    return [Worth(**row) async for row in _sql.worth(conn, sku=sku)]


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
    location) → change of the units between locations. Goods that leave one owner and come to
    another go over at their cost, with an entry for each. Raises InvalidInput for an impossible
    price.
    """
    units: dict[str, Counter[str]] = {}
    held: dict[tuple[str, str], Holding] = {}
    cost: dict[tuple[str, str], Money] = {}
    for row in moved:
        owner, sku, place = row["owner"], row["sku"], (row["sku"], row["location"])
        units.setdefault(owner, Counter())[sku] += row["on_hand"] + under_way.get(place, 0)
        held[owner, sku] = Holding(**row["held"])
        if (one := paid.costs.get(place)) is not None:
            cost[owner, sku] = cost[owner, sku] + one if (owner, sku) in cost else one
    owners: dict[str, dict[str, int]] = {
        owner: {sku: change for sku, change in sorted(changes.items()) if change}
        for owner, changes in units.items()
    }
    owners = {owner: changes for owner, changes in sorted(owners.items()) if changes}
    said = {"order_id": order_id, "memo": f"{kind.replace('_', ' ')}: {why}", "kind": kind}
    # An effect may come again for other stock rows, but moves each row once only.
    effects = {
        owner: f"{effect}#{min(row['movement_id'] for row in moved if row['owner'] == owner)}"
        for owner in owners
    }
    if kind == "transferred" and owners:
        await _hand_over(conn, owners, held, effects, said)
        return
    for owner, changes in owners.items():
        mine = {sku: held[owner, sku] for sku in changes}
        price = {sku: cost[owner, sku] for sku in changes if (owner, sku) in cost}
        sold = {}
        if kind == "returned" and order_id is not None:
            sold = await _sold(conn, order_id, changes)
        unknown = [sku for sku in changes if _is_unknown(sku, changes, mine, price)]
        await _sql.apply(
            conn,
            **said,
            effect=effects[owner],
            owner=owner,
            other=None,
            change=change(
                *(mine, changes, kind),
                paid=price,
                bought=paid.bought,
                sold=sold,
                last=await _last(conn, unknown),
            ),
        )


async def _hand_over(
    conn: Connection,
    owners: Mapping[str, Mapping[str, int]],
    held: Mapping[tuple[str, str], Holding],
    effects: Mapping[str, str],
    said: Mapping[str, str | None],
) -> None:
    """Goods go from one owner to the other, who owes what they had cost."""
    giver, taker = sorted(owners, key=lambda owner: max(owners[owner].values()))
    goods = {sku: -units for sku, units in owners[giver].items()}
    assert goods == owners[taker], "all units that one owner gives come to the other"
    cost = {
        sku: Holding(quantity=units, costs=held[giver, sku].share(units))
        for sku, units in goods.items()
    }
    for owner, other in ((giver, taker), (taker, giver)):
        mine = {sku: held[owner, sku] for sku in goods}
        await _sql.apply(
            conn,
            **said,
            effect=effects[owner],
            owner=owner,
            other=other,
            change=change(mine, owners[owner], "handed_over", sold=cost),
        )


def change(
    held: Mapping[str, Holding],
    units: Mapping[str, int],
    kind: str,
    *,
    paid: Mapping[str, Money] | None = None,
    bought: bool = False,
    sold: Mapping[str, Holding] | None = None,
    last: Mapping[str, Holding] | None = None,
) -> dict[str, list[dict[str, object]]]:
    """What the move of these units (SKU → units) changes, for the function `goods_valued`.

    `held`: what there was of each SKU before. `paid`: the price of all units of a SKU that arrive.
    `sold`: what an order has out of it. `last`: those that moved last, where none is left.
    """
    costs = {
        sku: change_of(
            *(held[sku], count),
            paid=(paid or {}).get(sku),
            sold=(sold or {}).get(sku),
            last=(last or {}).get(sku),
        )
        for sku, count in units.items()
    }
    return {
        "units": [{"sku": sku, "units": count} for sku, count in units.items()],
        "costs": [
            {"sku": sku, "units": units[sku], "currency": currency, "amount": amount}
            for sku, cost in costs.items()
            for currency, amount in cost.items()
        ],
        "postings": [
            {"account": account, "currency": currency, "amount": amount}
            for currency, accounts in postings(costs.values(), kind, bought=bought).items()
            for account, amount in accounts.items()
        ],
    }


def _is_unknown(
    sku: str, units: Mapping[str, int], held: Mapping[str, Holding], paid: Mapping[str, Money]
) -> bool:
    """Whether units arrive of which there are none, at a price that nobody says."""
    return units[sku] > 0 and not held[sku].quantity and sku not in paid


async def _last(conn: Connection, skus: Sequence[str]) -> dict[str, Holding]:
    """The units of these SKUs that moved last, with what they had cost."""
    if not skus:
        return {}
    rows = _sql.last_moved(conn, skus=list(skus))
    return {row["sku"]: Holding(quantity=row["units"], costs=row["costs"]) async for row in rows}


async def _sold(conn: Connection, order_id: str, back: Mapping[str, int]) -> dict[str, Holding]:
    """The units that an order has out, without those (SKU → units) that are coming back now."""
    rows = _sql.sold(conn, order_id=order_id, skus=list(back))
    return {
        row["sku"]: Holding(quantity=row["quantity"] + back[row["sku"]], costs=row["costs"])
        async for row in rows
    }
