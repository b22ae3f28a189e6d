"""Kits: SKUs that are sold as one and kept in stock as their parts.

Orders, parcels, returns and money count kits; stock counts their parts. An order's claims on stock
fix the parts of its kits (`claimed`): a new definition applies to later orders.
"""

from __future__ import annotations

from collections.abc import Iterable
from shlex import quote

from domain.errors import IllegalTransition, InvalidInput, NotFound
from domain.stock.kits import Kit
from store.database import Connection, load_queries
from store.stock.skus import know

_sql = load_queries(__file__)


async def find(conn: Connection, skus: Iterable[str] | None = None) -> dict[str, Kit]:
    """All kits, or those among these SKUs, by SKU."""
    rows = _sql.kits(conn, skus=None if skus is None else sorted(set(skus)))
    return {row["sku"]: Kit(**row) async for row in rows}


async def listed(
    conn: Connection,
    *,
    sku: str | None = None,
    after: str | None = None,
    at_most: int | None = None,
) -> list[Kit]:
    """Kits by SKU: all, one, or a page of `at_most` that begins behind the SKU `after`."""
    rows = _sql.page_of_kits(conn, sku=sku, after=after, at_most=at_most)
    return [Kit(**row) async for row in rows]


async def claimed(conn: Connection, order_id: str) -> dict[str, dict[str, int]]:
    """The stock that one unit of a line takes, by its claims (line id → SKU → units).

    Lines that never had a claim are left out.
    """
    rows = _sql.claimed(conn, order_id=order_id)
    return {row["line_id"]: row["parts"] async for row in rows}


async def weights(conn: Connection, order_id: str, parts: Iterable[str]) -> dict[str, int]:
    """What one unit of each part counts for in its kit: what it costs, or all alike where the cost
    of one of them is not known.
    """
    wanted = sorted(set(parts))
    rows = _sql.costs(conn, order_id=order_id, parts=wanted)
    costs = {row["sku"]: row["cost"] async for row in rows}
    known = all(costs.get(part, 0) > 0 for part in wanted)
    return {part: costs[part] if known else 1 for part in wanted}


async def refuse(conn: Connection, skus: Iterable[str]) -> None:
    """Raise IllegalTransition if one of these SKUs is a kit: only its parts are in stock."""
    for kit in (await find(conn, skus)).values():
        raise IllegalTransition(
            f"{kit.sku} is a kit and has no stock of its own: do this with its parts, {kit}"
        )


async def define(conn: Connection, kit: Kit) -> None:
    """Define a kit's parts, from the next order on; a repeat changes nothing.

    Raises InvalidInput for no parts or for the kit itself among them, NotFound for an unknown part,
    and IllegalTransition if a part is a kit, or the kit is a part or has stock of its own.
    """
    if not kit.parts:
        raise InvalidInput(f"{kit.sku} is made of nothing; a kit has one part or more")
    if kit.sku in kit.parts:
        raise InvalidInput(f"{kit.sku} contains itself; a kit is made of other SKUs")
    async with conn.transaction():
        await know(conn, [kit.sku])
        for sku in sorted([kit.sku, *kit.parts]):
            await (_sql.lock_kit if sku == kit.sku else _sql.lock_part)(conn, sku=sku)
        for inner in (await find(conn, kit.parts)).values():
            raise IllegalTransition(
                f"{kit.sku} has the part {inner.sku}, which is a kit itself: "
                f"name what that is made of, {inner}"
            )
        for part in [row["sku"] async for row in _sql.unknown(conn, skus=list(kit.parts))]:
            raise NotFound(
                f"{kit.sku} has the part {part}, which nobody knows: correct it, or take it in "
                "first (`orderloom stock receive`, `orderloom items import`)"
            )
        if await _sql.stocked(conn, sku=kit.sku):
            raise IllegalTransition(
                f"stock is kept of {kit.sku} (`orderloom stock list --sku {quote(kit.sku)}`), so "
                "it cannot be a kit: sell the kit under a SKU of its own"
            )
        for other in [row["kit"] async for row in _sql.kits_with(conn, part=kit.sku)]:
            raise IllegalTransition(
                f"{kit.sku} is a part of the kit {other}, so it cannot be a kit itself: "
                f"let that one name the parts of {kit.sku}"
            )
        await _sql.define(conn, sku=kit.sku, parts=list(kit.parts), units=list(kit.parts.values()))


async def remove(conn: Connection, sku: str) -> None:
    """Make the SKU a plain one, from the next order on. Raises NotFound."""
    if await _sql.remove(conn, sku=sku) is None:
        raise NotFound(f"{sku} is no kit; `orderloom kits list` lists them")
