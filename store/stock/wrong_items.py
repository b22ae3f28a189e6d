"""Something else was in the parcel: the counts of both SKUs are put right where it was sent from.

What was ordered is on the shelf still, and what was taken instead is not.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Final

from domain.errors import IllegalTransition, InvalidInput, NotFound
from domain.orders.claim_messages import SentInstead
from domain.orders.handling import DROP_SHIP, NEVER_BACK
from store.aftersales.claims import Claim
from store.database import Connection, load_queries
from store.locks import lock_stock
from store.orders import orders
from store.stock import corrections, kits, stock

_sql = load_queries(__file__)

_ON_NO_SHELF: Final = {*NEVER_BACK, DROP_SHIP}


async def check(conn: Connection, claim: Claim, sent: Sequence[SentInstead]) -> None:
    """Raises InvalidInput where this cannot be what was sent instead of the claimed units."""
    if not sent:
        return
    skus = await orders.skus(conn, claim.order_id)
    handlings = await orders.handlings(conn, claim.order_id)
    named: set[str] = set()
    for index, each in enumerate(sent):
        where = f"sent[{index}]"
        if claim.kind != "wrong":
            raise InvalidInput("is about a claim that something else was sent", where=where)
        if each.line_id not in claim.units:
            raise InvalidInput(f"line {each.line_id} is not claimed", where=f"{where}.line_id")
        if each.line_id in named:
            raise InvalidInput(f"line {each.line_id} is named twice", where=f"{where}.line_id")
        named.add(each.line_id)
        if handlings.get(each.line_id) in _ON_NO_SHELF:
            raise InvalidInput(
                f"line {each.line_id} was sent from no shelf of ours, so there is nothing to count",
                where=f"{where}.line_id",
            )
        if each.sku == skus[each.line_id]:
            raise InvalidInput("is what was ordered", where=f"{where}.sku")
        place = await _place(conn, claim, each.line_id)
        try:
            await stock.row_of(conn, each.sku, place)
        except NotFound as error:
            raise InvalidInput(str(error), where=f"{where}.sku") from None


async def find_again(
    conn: Connection, claim: Claim, sent: Sequence[SentInstead], *, who: str
) -> None:
    """Count what is on the shelf still, each once, so that it can be sent now.

    The caller holds the order's lock, and then takes stock for the claimed units and no others.
    """
    if not sent:
        return
    made_of = await kits.claimed(conn, claim.order_id)
    await lock_stock(conn, {sku for line_id in claim.units for sku in made_of.get(line_id, ())})
    for each in sent:
        await _adjust(conn, claim, each, made_of[each.line_id], who, only_more=True)


async def correct(conn: Connection, claim: Claim, sent: Sequence[SentInstead], *, who: str) -> None:
    """Put the counts right, each once. Each is a transaction of its own.

    Where fewer of the other SKU are on record than were sent, its record has lacked them before.
    """
    made_of = await kits.claimed(conn, claim.order_id)
    for each in sent:
        await _adjust(conn, claim, each, made_of[each.line_id], who)


async def _adjust(
    conn: Connection,
    claim: Claim,
    sent: SentInstead,
    made_of: Mapping[str, int],
    who: str,
    *,
    only_more: bool = False,
) -> None:
    place, units = await _place(conn, claim, sent.line_id), claim.units[sent.line_id]
    why = f"claim {claim.claim_id}: something else was sent"
    changes = {sku: units * n for sku, n in made_of.items()}
    changes[sent.sku] = changes.get(sent.sku, 0) - units
    for sku, change in changes.items():
        if not change or (only_more and change < 0):  # 0: a part was sent in place of its kit
            continue
        with suppress(IllegalTransition):
            key = f"{claim.claim_id}:{sent.line_id}:{sku}"
            await corrections.adjust(conn, key, sku, place, change, who=who, why=why)


async def _place(conn: Connection, claim: Claim, line_id: str) -> str:
    place: str = await _sql.sent_from(conn, order_id=claim.order_id, line_id=line_id)
    return place
