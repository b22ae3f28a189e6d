"""What is ordered: one-parcel orders of two lines, from a shelf that never gets empty."""

from __future__ import annotations

import asyncio
import uuid

from domain.orders.order import Order
from store.database import Pool
from store.stock import receipts

SKUS = 200
_UNITS = 10_000_000
_AT_ONCE = 4


def an_order(contestant: str, number: int) -> Order:
    """The order with this number. Its two products are others than the next order's."""
    return Order.model_validate(
        {
            "channel": "web",
            "channel_order_id": f"{contestant}-{number}",
            "placed_at": "2026-11-20T10:00:00+09:00",
            "customer": {"id": f"C-{number}", "name": "Kim Minji", "locale": "ko-KR"},
            "currency": "USD",
            "lines": [
                {"line_id": "1", "sku": _sku(2 * number), "quantity": 2, "unit_price": "12.50"},
                {"line_id": "2", "sku": _sku(2 * number + 1), "quantity": 1, "unit_price": "5.00"},
            ],
            "shipping": {
                "price": "5.00",
                "address": {
                    "name": "Kim Minji",
                    "line1": "1 Sejong-daero",
                    "city": "Seoul",
                    "postal_code": "04524",
                    "country": "KR",
                },
            },
            "payment": {"token": "tok_ok"},
        }
    )


async def fill_shelf(pool: Pool) -> None:
    """Take in more of every product than can be ordered."""
    few_at_once = asyncio.Semaphore(_AT_ONCE)

    async def receive(sku: str) -> None:
        async with few_at_once, pool.acquire() as conn:
            await receipts.receive(
                conn, uuid.uuid4().hex, sku, "main", _UNITS, who="benchmark", why="stock"
            )

    await asyncio.gather(*(receive(_sku(number)) for number in range(SKUS)))


def _sku(number: int) -> str:
    return f"SKU-{number % SKUS:03}"
