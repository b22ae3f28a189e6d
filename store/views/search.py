"""One box for whatever somebody has in hand: an order, a parcel, an invoice. Reads only."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Final, Literal, get_args

from domain import ids
from domain.views.order_snapshot import OrderState
from domain.warehouse.codes import forms
from store.database import Connection, load_queries
from store.views.reads import Row
from store.words import as_asked, words_in

_sql = load_queries(__file__)

Kind = Literal[
    "order",
    "fulfilment",
    "return",
    "parcel",
    "payment",
    "document",
    "purchase_order",
    "item",
    "transfer",
    "claim",
    "voucher",
    "customer",
]
KINDS: Final[tuple[Kind, ...]] = get_args(Kind)


class Found(Row):
    """What a text names. `title`: for people, and never a person's name.

    `order_id`, `seller`: whose it is, where it is an order's, or a seller's.
    """

    kind: Kind
    id: str
    order_id: str | None
    seller: str | None
    title: str


async def found(
    conn: Connection,
    text: str,
    *,
    kinds: Sequence[Kind] = KINDS,
    channels: Collection[str] | None = None,
    sellers: Collection[str] | None = None,
    at_most: int = 20,
) -> list[Found]:
    """All that this text names, exactly: by its id, or by the number that others gave it.

    `kinds`: only these, and in this sequence. `channels`, `sellers`: of one of these alone; what
    belongs to none of them is found all the same. `at_most`: of each kind.
    """
    rows = _sql.found(
        conn,
        text=text,
        ids=_ids(text),
        numbers=[text, f"#{text}", text.removeprefix("#")],
        codes=_codes(text),
        goods=forms(text),
        kinds=list(kinds),
        channels=None if channels is None else sorted(channels),
        sellers=None if sellers is None else sorted(sellers),
        at_most=at_most,
    )
    return [Found(**row) async for row in rows]


async def goods(conn: Connection, text: str, *, at_most: int) -> list[Found]:
    """Items by words of their SKU or name: how these begin, and what stands inside of them."""
    words = words_in(text)
    if not words:
        return []
    asked = as_asked(words)
    rows = _sql.goods(conn, words=asked.insides, beginnings=asked.like_beginnings, at_most=at_most)
    return [
        Found(kind="item", id=row["sku"], order_id=None, seller=None, title=row["title"])
        async for row in rows
    ]


async def beginning(
    conn: Connection,
    text: str,
    *,
    channels: Collection[str],
    sellers: Collection[str] | None = None,
    at_most: int,
) -> list[tuple[str, OrderState]]:
    """Orders of these channels whose id or number begins so: their ids and states."""
    channel, dash, number = text.partition("-")
    asked = [ids.order_id(channel.lower(), number)] if dash and channel.lower() in channels else []
    asked += [ids.order_id(one, text) for one in channels]
    rows = _sql.beginning(
        conn,
        beginnings=asked,
        sellers=None if sellers is None else sorted(sellers),
        at_most=at_most,
    )
    return [(row["order_id"], row["state"]) async for row in rows]


def _ids(text: str) -> list[str]:
    """Ids that it may be. A phone writes the first letter large, and channels are written small."""
    channel, dash, number = text.partition("-")
    if not dash:
        return [text]
    small = channel.lower()
    return list(dict.fromkeys((text, f"{small}-{number}", ids.order_id(small, number))))


def _codes(text: str) -> list[str]:
    """As carriers and documents write it: without the blanks that people read it by."""
    packed = "".join(text.split())
    return list(dict.fromkeys((text, text.upper(), packed, packed.upper())))
