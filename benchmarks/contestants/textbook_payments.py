"""The textbook's activities for money: intent, call with a key, outcome; then the papers."""

from __future__ import annotations

from asyncpg import Pool, Record
from temporalio import activity

from benchmarks.contestants.textbook_activities import EVENT, STATUS
from benchmarks.contestants.textbook_companies import Bank
from benchmarks.contestants.textbook_models import Order, Payment


class PaymentActivities:
    """Authorize when it is ordered, capture and invoice when it has left."""

    def __init__(self, pool: Pool[Record], bank: Bank) -> None:
        self._pool = pool
        self._bank = bank

    @activity.defn
    async def authorize_payment(self, payment: Payment) -> None:
        """Write down the intent, ask the bank with a key, write down its answer."""
        order_id = payment.order_id
        async with self._pool.acquire() as conn:
            await conn.execute(
                "INSERT INTO payments (order_id, amount, currency, status) "
                "VALUES ($1, $2, $3, 'authorizing') ON CONFLICT DO NOTHING",
                order_id,
                payment.amount,
                payment.currency,
            )
        reference = await self._bank.authorize(f"{order_id}:authorize", payment.amount)
        async with self._pool.acquire() as conn, conn.transaction():
            await conn.execute(
                "UPDATE payments SET status = 'authorized', authorization_id = $2, "
                "updated_at = now() WHERE order_id = $1",
                order_id,
                reference,
            )
            await conn.execute(STATUS, order_id, "confirmed")
            await conn.execute(EVENT, order_id, "payment authorized", "bank")

    @activity.defn
    async def capture_payment(self, order: Order) -> None:
        """Ask the bank for the money; then write the invoice and the ledger's entries."""
        order_id, total = order.order_id, order.total
        async with self._pool.acquire() as conn:
            status = await conn.fetchval(
                "SELECT status FROM payments WHERE order_id = $1", order_id
            )
            if status == "captured":
                return
            await conn.execute(
                "UPDATE payments SET status = 'capturing', updated_at = now() WHERE order_id = $1",
                order_id,
            )
        reference = await self._bank.capture(f"{order_id}:capture", total)
        async with self._pool.acquire() as conn, conn.transaction():
            await conn.execute(
                "UPDATE payments SET status = 'captured', capture_id = $2, updated_at = now() "
                "WHERE order_id = $1",
                order_id,
                reference,
            )
            invoice_id = await conn.fetchval(
                "INSERT INTO invoices (order_id, amount, currency) VALUES ($1, $2, $3) "
                "RETURNING invoice_id",
                order_id,
                total,
                order.currency,
            )
            charged = [(one.sku, one.quantity * one.unit_price) for one in order.items]
            for line_no, (text, amount) in enumerate(
                [*charged, ("shipping", order.shipping_price)]
            ):
                await conn.execute(
                    "INSERT INTO invoice_items (invoice_id, line_no, text, amount) "
                    "VALUES ($1, $2, $3, $4)",
                    invoice_id,
                    line_no,
                    text,
                    amount,
                )
            await conn.execute(
                "INSERT INTO ledger_entries (order_id, account, debit) VALUES ($1, 'bank', $2)",
                order_id,
                total,
            )
            await conn.execute(
                "INSERT INTO ledger_entries (order_id, account, credit) VALUES ($1, 'sales', $2)",
                order_id,
                total,
            )
            await conn.execute(EVENT, order_id, "payment captured", "bank")
