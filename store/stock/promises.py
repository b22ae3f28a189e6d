"""Promises that can be made now, and promises that are missed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict

from domain.errors import NotFound
from domain.orders.order import Shipping
from domain.orders.sourcing_rules import SourcingRules
from domain.stock.kits import Kit
from domain.stock.locations import Promise
from domain.stock.promises import Incoming, PromisedUnits, covered_on, kit_supply, less, promise
from domain.stock.sourcing import Available
from store import clock
from store.database import Connection, Record, load_queries
from store.fulfilment import fulfilments
from store.locks import lock_order
from store.orders import events
from store.stock import items, kits, locations, stock

_sql = load_queries(__file__)

Slip = Literal["at risk", "missed"]


class KitStock(BaseModel):
    """A kit, its parts (SKU → units), and the number of kits that each location's parts make."""

    model_config = ConfigDict(frozen=True)

    sku: str
    parts: dict[str, int]
    available: dict[str, int]


async def available(
    conn: Connection,
    sku: str,
    quantity: int,
    shipping: Shipping,
    *,
    now: datetime,
    rules: SourcingRules | None = None,
) -> tuple[PromisedUnits, ...]:
    """The days on which so many units would arrive if ordered now; the rest cannot be promised.

    Counts free stock, and incoming units by their days; locks and claims nothing. For a kit, counts
    the complete sets of its parts. Raises NotFound for a SKU that was never in stock.
    """
    kit = (await kits.find(conn, [sku])).get(sku)
    free, coming = await _supply(conn, kit or Kit(sku=sku, parts={sku: 1}))
    if not free:
        raise NotFound(f"no stock is kept of {kit or sku}; `orderloom stock list` shows it")
    return promise(
        sku,
        quantity,
        free,
        coming,
        await locations.ways(conn, [item.location for item in free], shipping),
        country=shipping.country,
        now=now,
        rules=rules,
    )


async def by_location(
    conn: Connection, names: Sequence[str], shipping: Shipping
) -> dict[str, Promise]:
    """Location → arrival of a parcel that is ordered there now, if known."""
    now = clock.now()
    ways = await locations.ways(conn, names, shipping) if names else []
    promised = {way.location: way.promise(now, shipping.country) for way in ways}
    return {name: told for name, told in promised.items() if told is not None}


async def due(conn: Connection, skus: Sequence[str]) -> dict[str, list[Incoming]]:
    """SKU → incoming units and their days, without units that backorders wait for."""
    coming: dict[str, list[Incoming]] = {}
    async for row in _sql.incoming(conn, skus=list(skus)):
        coming.setdefault(row["sku"], []).append(Incoming(**row))
    if coming:
        async for row in _sql.waited_for(conn, skus=list(coming)):
            coming[row["sku"]] = less(coming[row["sku"]], row["quantity"])
    return coming


async def kits_in_stock(
    conn: Connection,
    *,
    sku: str | None = None,
    after: str | None = None,
    at_most: int | None = None,
) -> list[KitStock]:
    """Kits by SKU, with the number that each location has free parts for.

    All, one, or a page of `at_most` that begins behind the SKU `after`.
    """
    found = await kits.listed(conn, sku=sku, after=after, at_most=at_most)
    return [
        KitStock(
            sku=kit.sku,
            parts=kit.parts,
            available={x.location: x.quantity for x in (await _supply(conn, kit))[0]},
        )
        for kit in found
    ]


async def _supply(conn: Connection, kit: Kit) -> tuple[list[Available], list[Incoming]]:
    """The free and the incoming units of a kit. Any other SKU counts as a kit of one of itself.

    A pre-order SKU counts as incoming until its first day of sale, by the location's own date.
    """
    found = await items.find(conn, list(kit.parts))
    days = {row["location"]: row["day"] async for row in _sql.days(conn)}
    free = [
        Available(
            sku=x.sku,
            location=x.location,
            quantity=0 if part in found and found[part].ahead(days[x.location]) else x.available,
        )
        for part in kit.parts
        for x in await stock.levels(conn, sku=part)
    ]
    coming = await due(conn, list(kit.parts))
    return kit_supply(kit, free, [supply for part in coming.values() for supply in part])


async def notice_slips(conn: Connection, batch: int) -> int:
    """Write missed promises of parcels and backordered units into the orders' stories, once each.

    A parcel that has not left on its day is noticed at once, so that the customer can be told
    before the promised day. Returns the number of slips noticed.
    """
    slips = [row async for row in _sql.slips(conn, batch=batch)]
    for slip in slips:
        async with conn.transaction():
            row = await fulfilments.locked(conn, slip["fulfilment_id"])
            await _tell(conn, row, slip["what"])
    late = await _late_backorders(conn)
    for line, what in late:
        async with conn.transaction():
            await lock_order(conn, line["order_id"])
            await _tell_of_backorder(conn, line, what)
    return len(slips) + len(late)


async def _late_backorders(conn: Connection) -> list[tuple[Record, Slip]]:
    """Promised units that have not arrived by their day, or whose supply will be too late.

    Each line once for either.
    """
    by_sku: dict[str, list[Record]] = {}
    async for row in _sql.promised_backorders(conn):
        by_sku.setdefault(row["sku"], []).append(row)
    coming: dict[str, list[Incoming]] = {}
    async for row in _sql.incoming(conn, skus=list(by_sku)):
        coming.setdefault(row["sku"], []).append(Incoming(**row))
    late: list[tuple[Record, Slip]] = []
    for sku, lines in by_sku.items():
        days = covered_on([line["lacks"] for line in lines], coming.get(sku, []))
        for line, day in zip(lines, days, strict=True):
            what = _slip(line, day)
            if what is not None and f"promise {what}" not in line["told"]:
                late.append((line, what))
    return late


def _slip(line: Record, covered_on: date | None) -> Slip | None:
    if line["promised_on"] is None:
        return None
    if line["promised_on"] < line["today"]:
        return "missed"
    in_time = covered_on is not None and covered_on <= line["promised_leave"]
    if line["promised_leave"] < line["today"] or (line["lacks"] and not in_time):
        return "at risk"
    return None


async def _tell(conn: Connection, row: Record, what: Slip) -> None:
    fulfilment_id, promised_on = row["fulfilment_id"], row["promised_on"]
    where = "on its way" if row["state"] == "shipped" else f"{row['state']} at {row['location']}"
    await events.tell(
        conn,
        row["order_id"],
        f"promise:{fulfilment_id}:{what}",
        f"promise {what}",
        who="orderloom",
        why=f"to leave on {row['promised_leave']} and arrive by {promised_on}, it is {where}",
        data={"fulfilment_id": fulfilment_id, "promised_on": promised_on.isoformat()},
    )


async def _tell_of_backorder(conn: Connection, line: Record, what: Slip) -> None:
    leave, arrival = line["promised_leave"], line["promised_on"]
    await events.tell(
        conn,
        line["order_id"],
        f"promise:backorder:{line['line_id']}:{what}",
        f"promise {what}",
        who="orderloom",
        why=f"{line['lacks']} {line['sku']}, to leave on {leave} and arrive by {arrival}, "
        "are still waited for",
        data={"line_id": line["line_id"], "promised_on": arrival.isoformat()},
    )
