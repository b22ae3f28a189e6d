"""One box for whatever somebody has in hand: an order, a parcel, an invoice. Reads only."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Final, Literal, get_args

from domain import ids
from store.database import Connection, load_queries
from store.views.reads import Row

_sql = load_queries(__file__)

Kind = Literal[
    "order",
    "fulfilment",
    "return",
    "parcel",
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
    channel, dash, number = text.partition("-")
    rows = _sql.found(
        conn,
        text=text,
        as_id=ids.order_id(channel, number) if dash else text,
        kinds=list(kinds),
        channels=None if channels is None else sorted(channels),
        sellers=None if sellers is None else sorted(sellers),
        at_most=at_most,
    )
    return [Found(**row) async for row in rows]
