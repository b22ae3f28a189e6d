"""Codes of customers: with which they collect, and which they have bought. Both are secrets."""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import BaseModel, ConfigDict

from domain.stock.licences import Licence
from store.database import Pool
from store.fulfilment import licences, pick_ups
from store.fulfilment.licences import CodesOfSku, Given
from store.fulfilment.pick_ups import PickUp
from store.stock import licence_imports


class OrderCodes(BaseModel):
    """An order's codes: to collect goods with, and those that it has bought."""

    model_config = ConfigDict(frozen=True)

    order_id: str
    to_collect: tuple[PickUp, ...]
    bought: tuple[Given, ...]


class Codes:
    """Shows the codes of an order to whoever may see its customer, and takes in codes to sell."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def of_order(self, order_id: str) -> OrderCodes:
        """The codes of an order; none where there is no such order."""
        async with self._pool.acquire() as conn:
            return OrderCodes(
                order_id=order_id,
                to_collect=tuple(await pick_ups.of_order(conn, order_id)),
                bought=tuple(await licences.of_order(conn, order_id)),
            )

    async def counts(self, sku: str | None = None) -> Sequence[CodesOfSku]:
        """How many codes there are to sell, of one SKU or of all."""
        async with self._pool.acquire() as conn:
            return await licences.counts(conn, sku)

    async def take_in(
        self, wanted: Sequence[Licence], location: str, *, who: str
    ) -> dict[str, int]:
        """Add codes to sell, each once; as many units of stock with them. Returns SKU → new ones.

        Raises Refused for a SKU whose item is not digital.
        """
        async with self._pool.acquire() as conn:
            return await licence_imports.take_in(conn, wanted, location, who=who)
