"""Shows the money that needs somebody, and has orders paid and charged."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Final

from domain.errors import InvalidInput, NotFound
from domain.orders.messages import ChargeRequest, PayOutcome, PayRequest
from domain.orders.providers import BY_CODE
from domain.orders.voucher_codes import is_code, is_kept, kept_if_code
from starter.service.order_requests import OrderRequests
from starter.service.updates import Taken
from store.database import Pool
from store.payments import (
    bounced_refunds,
    disputes,
    elsewhere,
    goodwill_asks,
    money_reads,
    provider_reads,
)
from store.payments.money_reads import Unsettled
from store.payments.provider_reads import DisputeRow, ProviderEventRow
from store.payments.refunds import Refund
from store.views import reads

REFUND_CAME_BACK: Final = bounced_refunds.STEP
"""The names of steps begin so where a refund came back and a person has to pay it."""


DISPUTE_TO_BOOK: Final = disputes.BOOK
"""The names of steps begin so where a person has to book a dispute in another currency."""


GOODWILL_ASKED: Final = goodwill_asks.STEP
"""The names of steps begin so where somebody asks for more goodwill than the own role may give."""


PAID_ELSEWHERE: Final = elsewhere.NEVER_BEGUN
"""The names of steps begin so where a person pays back what was never charged here."""


class PaymentRecords:
    """Payments, refunds, disputes and companies' events. It needs the database alone."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def unsettled(
        self,
        *,
        channels: Collection[str] | None = None,
        sellers: Collection[str] | None = None,
        after: tuple[datetime, str] | None = None,
        at_most: int | None = None,
    ) -> Sequence[Unsettled]:
        """Calls of payment companies whose outcome is not known yet, the oldest first.

        `channels`, `sellers`: of orders of one of these alone. `after`: behind the one that was
        requested then and has this key.
        """
        async with self._pool.acquire() as conn:
            return await money_reads.unsettled_payments(
                conn, channels=channels, sellers=sellers, after=after, at_most=at_most
            )

    async def owed(
        self,
        *,
        channels: Collection[str] | None = None,
        sellers: Collection[str] | None = None,
        after: tuple[datetime, str] | None = None,
        at_most: int | None = None,
    ) -> Sequence[Refund]:
        """Refunds that were granted and are not paid yet, the oldest first.

        `channels`, `sellers`: of orders of one of these alone. `after`: behind the one that was
        granted then and has this id.
        """
        async with self._pool.acquire() as conn:
            return await money_reads.owed_refunds(
                conn, channels=channels, sellers=sellers, after=after, at_most=at_most
            )

    async def disputes(
        self,
        *,
        order_id: str | None = None,
        open_only: bool = False,
        channels: Collection[str] | None = None,
        sellers: Collection[str] | None = None,
        after: tuple[datetime, str, str] | None = None,
        at_most: int = 1000,
    ) -> Sequence[DisputeRow]:
        """Disputes, newest first: of one order or of all. Raises NotFound for an unknown order.

        `channels`, `sellers`: of orders of one of these alone. `after`: behind the one that was
        opened then, at this company, under this id.
        """
        async with self._pool.acquire() as conn:
            if order_id is not None and await reads.whose(conn, order_id) is None:
                raise NotFound(
                    f"there is no order {order_id}; `orderloom orders` lists what is there"
                )
            return await provider_reads.disputes(
                conn,
                order_id=order_id,
                open_only=open_only,
                channels=channels,
                sellers=sellers,
                after=after,
                at_most=at_most,
            )

    async def due_disputes(
        self,
        *,
        channels: Collection[str] | None = None,
        sellers: Collection[str] | None = None,
        after: tuple[datetime | None, str, str] | None = None,
        at_most: int,
    ) -> Sequence[DisputeRow]:
        """Disputes that are not decided, what is to be answered next first.

        `channels`, `sellers`: of orders of one of these alone. `after`: behind the one that is to
        be answered then (None: not by us), at this company, under this id.
        """
        async with self._pool.acquire() as conn:
            return await provider_reads.due_disputes(
                conn, channels=channels, sellers=sellers, after=after, at_most=at_most
            )

    async def provider_events(
        self,
        *,
        failed: bool = False,
        after: tuple[datetime, str, str] | None = None,
        at_most: int = 1000,
    ) -> Sequence[ProviderEventRow]:
        """Events that providers sent, newest first; with `failed`, those not processed yet.

        `after`: behind the one that came then, from this company, under this id.
        """
        async with self._pool.acquire() as conn:
            return await provider_reads.provider_events(
                conn, failed=failed, after=after, at_most=at_most
            )

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

    async def refuse_goodwill(self, order_id: str, step: str, note: str, *, who: str) -> None:
        """A person refuses goodwill that was asked for. Raises NotFound."""
        async with self._pool.acquire() as conn:
            if not await goodwill_asks.settle(conn, order_id, step, note, who=who):
                raise NotFound(f"{step!r} of {order_id} needs no attention")

    async def settle_paid_elsewhere(self, order_id: str, step: str, note: str, *, who: str) -> None:
        """A person paid back, where it was paid, what was never charged here. Raises NotFound."""
        async with self._pool.acquire() as conn:
            if not await elsewhere.settle_never_begun(conn, order_id, step, note, who=who):
                raise NotFound(f"{step!r} of {order_id} needs no attention")


def token_to_send(provider: str | None, token: str, *, where: str) -> str:
    """What an order is told of a token: of a code, what is kept of it.

    Raises InvalidInput for what can be no code, and for what is kept of one: that pays nothing.
    """
    if is_kept(token) or (provider in BY_CODE and not is_code(token)):
        raise InvalidInput(
            "is not a code of a voucher or a gift card: look at it again",
            where=where,
            reason="no_such_code",
        )
    return kept_if_code(token)


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
        """The customer pays an order that is held for it, with a new token. Raises Refused.

        The order is told of a code only what is kept of it. Raises InvalidInput for what can be no
        code.
        """
        token = token_to_send(request.provider, request.token, where="token")
        request = request.model_copy(update={"token": token})
        return await self._requests.send(order_id, request, PayOutcome, taken=taken)

    async def charge(
        self, order_id: str, request: ChargeRequest, *, taken: Taken | None = None
    ) -> PayOutcome:
        """Charge an order that waits for somebody to say so. Raises Refused."""
        return await self._requests.send(order_id, request, PayOutcome, taken=taken)
