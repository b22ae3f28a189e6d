"""What a parcel holds and where it goes, for the papers that go with it. Reads only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from domain.orders.fulfilment_state import FulfilmentState
from domain.orders.order import Order
from domain.sellers import Seller
from domain.stored import stored
from store.database import Connection, load_queries

_sql = load_queries(__file__)


@dataclass(frozen=True)
class Goods:
    """Units of a line in a parcel. `parts`: what is taken off the shelf for one of them."""

    line_id: str
    sku: str
    name: str
    quantity: int
    parts: dict[str, int]
    """SKU → units; of what is no kit, itself."""


@dataclass(frozen=True)
class Packing:
    """One parcel, with its order. `names`: SKU → name, of all that is in it."""

    fulfilment_id: str
    location: str
    state: FulfilmentState
    seller: Seller
    order: Order
    goods: tuple[Goods, ...]
    names: dict[str, str]


async def packings(conn: Connection, fulfilment_ids: Sequence[str]) -> list[Packing]:
    """The parcels with these ids, in their sequence; those that there are."""
    rows = {row["fulfilment_id"]: row async for row in _sql.packings(conn, ids=fulfilment_ids)}
    return [
        Packing(
            fulfilment_id=row["fulfilment_id"],
            location=row["location"],
            state=row["state"],
            seller=stored(Seller, {k: v for k, v in row["seller"].items() if v is not None}),
            order=stored(Order, row["document"]),
            goods=tuple(
                Goods(**goods, name=row["names"].get(goods["sku"], ""))
                for goods in row["goods"] or ()
            ),
            names=row["names"],
        )
        for row in (rows[id_] for id_ in fulfilment_ids if id_ in rows)
    ]
