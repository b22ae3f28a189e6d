"""Shows the money that needs somebody, and has orders paid and charged."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from domain.errors import NotFound
from domain.orders.messages import ChargeRequest, PayOutcome, PayRequest
from starter.service.order_requests import OrderRequests
from starter.service.updates import Taken
from store.database import Pool
from store.payments import bounced_refunds, disputes, money_reads, provider_reads
from store.payments.money_reads import Unsettled
from store.payments.provider_reads import DisputeRow, ProviderEventRow
from store.payments.refunds import Refund
from store.views import reads

REFUND_CAME_BACK: Final = bounced_refunds.STEP
"""The names of steps begin so where a refund came back and a person has to pay it."""


DISPUTE_TO_BOOK: Final = disputes.BOOK
"""The names of steps begin so where a person has to book a dispute in another currency."""


class PaymentRecords:
    """Payments, refunds, disputes and companies' events. It needs the database alone."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def unsettled(self) -> Sequence[Unsettled]:
        """Calls of payment companies whose outcome is not known yet."""
        async with self._pool.acquire() as conn:
            return await money_reads.unsettled_payments(conn)

    async def owed(self) -> Sequence[Refund]:
        """Refunds that were granted and are not paid yet."""
        async with self._pool.acquire() as conn:
            return await money_reads.owed_refunds(conn)

    async def disputes(
        self, *, order_id: str | None = None, open_only: bool = False, at_most: int = 1000
    ) -> Sequence[DisputeRow]:
        """Disputes, newest first: of one order or of all. Raises NotFound for an unknown order."""
        async with self._pool.acquire() as conn:
            if order_id is not None:
                await reads.detail(conn, order_id)
            return await provider_reads.disputes(
                conn, order_id=order_id, open_only=open_only, at_most=at_most
            )

    async def provider_events(
        self, *, failed: bool = False, at_most: int = 1000
    ) -> Sequence[ProviderEventRow]:
        """Events that providers sent, newest first; with `failed`, those not processed yet."""
        async with self._pool.acquire() as conn:
            return await provider_reads.provider_events(conn, failed=failed, at_most=at_most)

    async def settle_dispute(self, order_id: str, step: str, note: str, *, who: str) -> None:
        """A person has booked a dispute in another currency than its order's. Raises NotFound."""
        async with self._pool.acquire() as conn:
            if not await disputes.booked(conn, order_id, step, note, who=who):
                raise NotFound(f"{step!r} of {order_id} needs no attention")

    async def settle_bounced(self, order_id: str, step: str, note: str, *, who: str) -> None:
        """A person paid the customer the refund that a bank had sent back. Raises NotFound."""
        async with self._pool.acquire() as conn:
            if not await bounced_refunds.paid_otherwise(conn, order_id, step, note, who=who):
                raise NotFound(f"{step!r} of {order_id} needs no attention")


class Payments(PaymentRecords):
    """The same, with paying and charging, about which the order itself decides.

    `taken` is called once the order has the request: it is met then, whoever waits for the answer.
    """

    def __init__(self, pool: Pool, requests: OrderRequests) -> None:
        super().__init__(pool)
        self._requests = requests

    async def pay(
        self, order_id: str, request: PayRequest, *, taken: Taken | None = None
    ) -> PayOutcome:
        """The customer pays an order that is held for it, with a new token. Raises Refused."""
        return await self._requests.send(order_id, "pay_order", request, PayOutcome, taken=taken)

    async def charge(
        self, order_id: str, request: ChargeRequest, *, taken: Taken | None = None
    ) -> PayOutcome:
        """Charge an order that waits for somebody to say so. Raises Refused."""
        return await self._requests.send(order_id, "charge_order", request, PayOutcome, taken=taken)
