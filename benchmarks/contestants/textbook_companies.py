"""The textbook's bank and carrier, pretended: each keeps its answers in a table, by call."""

from __future__ import annotations

from decimal import Decimal

from asyncpg import Pool, Record

from benchmarks.contestants.textbook_models import Label, LabelWanted


class Bank:
    """Authorizes and captures. A repeated key gets the first answer."""

    def __init__(self, pool: Pool[Record]) -> None:
        self._pool = pool

    async def authorize(self, key: str, amount: Decimal) -> str:
        """Put the amount aside. Returns the bank's reference."""
        return f"auth_{await self._call(key, 'authorize', amount)}"

    async def capture(self, key: str, amount: Decimal) -> str:
        """Take the amount. Returns the bank's reference."""
        return f"cap_{await self._call(key, 'capture', amount)}"

    async def _call(self, key: str, operation: str, amount: Decimal) -> int:
        async with self._pool.acquire() as conn:
            await conn.execute(
                "INSERT INTO bank_calls (idempotency_key, operation, amount) "
                "VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
                key,
                operation,
                amount,
            )
            reference: int = await conn.fetchval(
                "SELECT reference FROM bank_calls WHERE idempotency_key = $1", key
            )
        return reference


class Carrier:
    """Sells labels. A repeated key gets the first answer."""

    def __init__(self, pool: Pool[Record]) -> None:
        self._pool = pool

    async def buy_label(self, key: str, wanted: LabelWanted) -> Label:
        """Sell a label."""
        async with self._pool.acquire() as conn:
            await conn.execute(
                "INSERT INTO carrier_calls (idempotency_key, service, country) "
                "VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
                key,
                wanted.service,
                wanted.country,
            )
            number: int = await conn.fetchval(
                "SELECT tracking_number FROM carrier_calls WHERE idempotency_key = $1", key
            )
        return Label(carrier="pigeon", tracking_number=f"{number:012}")
