"""Goods that arrive without a purchase order: one SKU at a time."""

from __future__ import annotations

from domain.errors import Conflict, InvalidInput
from domain.money import Money
from store import stock
from store.database import Connection
from store.locks import lock_stock
from store.valuation import NOTHING, Paid


async def receive(
    conn: Connection,
    key: str,
    sku: str,
    location: str,
    quantity: int,
    *,
    unit_cost: Money | None = None,
    who: str,
    why: str,
) -> stock.StockLevel:
    """Goods arrived: on_hand + quantity, once per key. A new SKU or location is created.

    `unit_cost`: what was paid for each; left out, they are taken in at what the others have cost.
    Raises InvalidInput for a quantity or a cost that cannot be, and Conflict when the key was used
    for another quantity.
    """
    if quantity < 1:
        raise InvalidInput(f"cannot receive {quantity} of {sku}; a receipt is more than zero units")
    await stock.ensure_rows(conn, [(sku, location)])
    effect = f"receive:{key}"
    async with conn.transaction():
        await lock_stock(conn, [sku])
        earlier = await stock.recorded(conn, effect, sku, location)
        if earlier is not None and earlier["on_hand_change"] != quantity:
            raise Conflict(
                f"key {key} was used for {earlier['on_hand_change']} units of {sku} already"
            )
        goods = stock.Move(sku=sku, location=location, on_hand=quantity)
        paid = NOTHING if unit_cost is None else Paid({sku: unit_cost})
        await stock.move(conn, effect, "received", [goods], paid=paid, who=who, why=why)
        return await stock.row_of(conn, sku, location)
