"""Money: authorize, capture, void, refund.

Every call follows one path: the intent is written, the provider is called with the intent's key
outside any transaction, the outcome is recorded together with what it changes. An attempt that
finds an intent without an outcome looks the key up before it calls again.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping

from pydantic import BaseModel, ConfigDict
from temporalio import activity

from activities.inventory import WHO
from activities.providers.errors import DeclineCode, Declined, OutcomeUnknown
from activities.providers.payment import PaymentProvider, PaymentReceipt
from domain.amounts import Worth
from domain.errors import NotFound
from domain.money import Money
from store import events, fulfilments, ledger, orders, payments, returns
from store.database import Connection, Pool
from store.locks import lock_order
from store.payments import Payment

BY_HAND = "by_hand"
"""Recorded as the provider of what an operator did outside Orderloom."""


class Authorize(BaseModel):
    """Set the amount aside."""

    model_config = ConfigDict(frozen=True)

    order_id: str
    amount: Money
    provider: str
    token: str


class Capture(BaseModel):
    """Charge what one fulfilment ships. `units` (line id → units) are then paid for.

    `attempt` counts deliberate new tries after a firm refusal; retries of one try share its key.
    """

    model_config = ConfigDict(frozen=True)

    order_id: str
    fulfilment_id: str
    worth: Worth
    currency: str
    units: dict[str, int]
    attempt: int = 1
    by_hand: str | None = None


class Refund(BaseModel):
    """Pay units back. `refund_id` is a return's id, or names the loss that it makes good."""

    model_config = ConfigDict(frozen=True)

    order_id: str
    refund_id: str
    worth: Worth
    currency: str
    units: dict[str, int]
    why: str
    return_id: str | None = None
    attempt: int = 1
    by_hand: str | None = None


class Void(BaseModel):
    """Release what is authorized and not captured."""

    model_config = ConfigDict(frozen=True)

    order_id: str
    why: str


Call = Callable[[PaymentProvider], Awaitable[PaymentReceipt]]
Then = Callable[[Connection, Payment], Awaitable[None]]


class Payments:
    """Money calls, with the database pool and the payment providers (by name) injected."""

    def __init__(self, pool: Pool, providers: Mapping[str, PaymentProvider]) -> None:
        self._pool = pool
        self._providers = providers

    @activity.defn
    async def authorize_payment(self, ask: Authorize) -> None:
        """Authorize, confirm the order, let the warehouse begin. Type `declined` is a firm no."""
        key = _authorize_key(ask.order_id)

        async def confirm(conn: Connection, payment: Payment) -> None:
            await orders.decide(conn, ask.order_id, "confirmed")
            await fulfilments.release_to_warehouse(conn, ask.order_id)
            await _tell(conn, payment, "confirmed", f"{ask.amount} authorized")

        payment, new = await self._intend(ask.order_id, key, "authorize", ask.amount, ask.provider)
        await self._perform(
            payment,
            new,
            lambda provider: provider.authorize(
                key=key, order_id=ask.order_id, amount=ask.amount, token=ask.token
            ),
            confirm,
        )

    @activity.defn
    async def capture_payment(self, ask: Capture) -> None:
        """Charge what ships, and book it. Type `declined`: the provider will not."""
        amount = Money(minor=ask.worth.total, currency=ask.currency)
        key = _key(f"{ask.fulfilment_id}:capture", ask.attempt, ask.by_hand)

        async def book(conn: Connection, payment: Payment) -> None:
            await ledger.book(conn, ask.order_id, key, ask.worth, amount)
            moves = {line_id: {"charged": units} for line_id, units in ask.units.items()}
            await orders.move_lines(conn, ask.order_id, moves)
            await _tell(conn, payment, "charged", ask.by_hand or f"{ask.fulfilment_id} shipped")

        authorization = await self._authorization(ask.order_id)
        provider = BY_HAND if ask.by_hand else authorization.provider
        payment, new = await self._intend(ask.order_id, key, "capture", amount, provider)
        await self._perform(
            payment,
            new,
            lambda provider: provider.capture(
                key=key, authorization=_reference(authorization), amount=amount
            ),
            book,
        )

    @activity.defn
    async def refund_payment(self, ask: Refund) -> None:
        """Pay back, and book it. After a refusal the amount stays owed, and visible as such."""
        amount = Money(minor=ask.worth.total, currency=ask.currency)
        first_key = f"{ask.refund_id}:refund"
        key = _key(first_key, ask.attempt, ask.by_hand)

        async def book(conn: Connection, payment: Payment) -> None:
            await ledger.book(conn, ask.order_id, key, ask.worth, amount, refund=True)
            moves = {line_id: {"refunded": units} for line_id, units in ask.units.items()}
            await orders.move_lines(conn, ask.order_id, moves)
            if ask.return_id is not None:
                await returns.set_state(conn, ask.return_id, "refunded")
            await _tell(conn, payment, "refunded", ask.by_hand or ask.why)

        authorization = await self._authorization(ask.order_id)
        provider = BY_HAND if ask.by_hand else authorization.provider
        payment, new = await self._intend(
            ask.order_id, key, "refund", amount, provider, owed_since=first_key
        )
        await self._perform(
            payment,
            new,
            lambda provider: provider.refund(
                key=key, authorization=_reference(authorization), amount=amount
            ),
            book,
        )

    @activity.defn
    async def void_payment(self, ask: Void) -> None:
        """Undo of authorize_payment; also releases what stays uncaptured in the end.

        An authorization that was never made needs nothing; one whose outcome is not known is looked
        up first, and given up if the provider has not seen it.
        """
        authorization = await self._find(_authorize_key(ask.order_id))
        if authorization is not None and authorization.state in ("requested", "unknown"):
            authorization = await self._conclude(authorization)
        if authorization is None or authorization.state == "failed":
            return
        async with self._pool.acquire() as conn:
            sums = await payments.sums(conn, ask.order_id)
        key = _void_key(ask.order_id)
        released = Money(minor=sums.authorized - sums.captured, currency=sums.currency)

        async def tell(conn: Connection, payment: Payment) -> None:
            await _tell(conn, payment, "authorization released", ask.why)

        payment, new = await self._intend(
            ask.order_id, key, "void", released, authorization.provider
        )
        await self._perform(
            payment,
            new,
            lambda provider: provider.void(key=key, authorization=_reference(authorization)),
            tell,
        )

    async def _intend(
        self,
        order_id: str,
        key: str,
        kind: payments.Kind,
        amount: Money,
        provider: str,
        *,
        owed_since: str | None = None,
    ) -> tuple[Payment, bool]:
        if provider != BY_HAND and provider not in self._providers:
            known = ", ".join(sorted(self._providers))
            raise NotFound(f"there is no payment provider {provider!r} here; there is {known}")
        async with self._pool.acquire() as conn, conn.transaction():
            await lock_order(conn, order_id)
            # What an earlier, refused try of this refund owes is owed once.
            owed = owed_since is not None and await payments.find(conn, owed_since) is not None
            return await payments.intend(
                conn, order_id, key, kind, amount, provider, takes_room=not owed
            )

    async def _perform(self, payment: Payment, new: bool, call: Call, then: Then) -> None:
        """Bring an intent to its outcome: look it up or call, then record it with `then`."""
        if payment.state == "succeeded":
            return
        if payment.state == "failed":
            raise _refusal(payment)
        receipt: PaymentReceipt | None = None
        if payment.amount_minor > 0 and payment.provider != BY_HAND:
            provider = self._providers[payment.provider]
            try:
                receipt = None if new else await self._look_up(provider, payment)
                receipt = receipt or await call(provider)
            except Declined as error:
                await self._refused(payment, error)
                raise
            except OutcomeUnknown as error:
                async with self._pool.acquire() as conn, conn.transaction():
                    await lock_order(conn, payment.order_id)
                    await payments.unknown(conn, payment.payment_key, str(error))
                raise
        await self._succeeded(payment, receipt, then)

    async def _succeeded(
        self, payment: Payment, receipt: PaymentReceipt | None, then: Then
    ) -> None:
        async with self._pool.acquire() as conn, conn.transaction():
            await lock_order(conn, payment.order_id)
            if await payments.succeed(conn, payment, receipt.reference if receipt else None):
                await then(conn, payment)
                return
            recorded = await payments.find(conn, payment.payment_key)
        if recorded is not None and recorded.state == "failed" and receipt is not None:
            # It was given up as never made, and then the provider's answer came after all.
            provider = self._providers[payment.provider]
            await provider.void(key=_void_key(payment.order_id), authorization=receipt.reference)
            raise _refusal(recorded)

    async def _refused(self, payment: Payment, error: Declined) -> None:
        async with self._pool.acquire() as conn, conn.transaction():
            await lock_order(conn, payment.order_id)
            if await payments.fail(conn, payment, error.code, error.message):
                await _tell(conn, payment, f"{payment.kind} refused", error.message)

    async def _conclude(self, authorization: Payment) -> Payment | None:
        """Find out what became of an authorization whose attempts are all over."""

        async def nothing(conn: Connection, payment: Payment) -> None:
            """The order is being taken back: it is not confirmed any more."""

        try:
            provider = self._providers[authorization.provider]
            receipt = await self._look_up(provider, authorization)
            if receipt is None:
                raise Declined(DeclineCode.NOT_FOUND, "given up: the provider has not seen it")
            await self._succeeded(authorization, receipt, nothing)
        except Declined as error:
            await self._refused(authorization, error)
        return await self._find(authorization.payment_key)

    async def _look_up(self, provider: PaymentProvider, payment: Payment) -> PaymentReceipt | None:
        authorization = None
        if payment.kind != "authorize":
            authorization = _reference(await self._authorization(payment.order_id))
        return await provider.lookup(
            key=payment.payment_key,
            kind=payment.kind,
            authorization=authorization,
            since=payment.requested_at,
        )

    async def _authorization(self, order_id: str) -> Payment:
        payment = await self._find(_authorize_key(order_id))
        if payment is None or payment.state != "succeeded":
            raise NotFound(f"order {order_id} has no authorization to charge or refund")
        return payment

    async def _find(self, key: str) -> Payment | None:
        async with self._pool.acquire() as conn:
            return await payments.find(conn, key)


def _authorize_key(order_id: str) -> str:
    return f"{order_id}:authorize"


def _void_key(order_id: str) -> str:
    return f"{order_id}:void"


def _key(first: str, attempt: int, by_hand: str | None) -> str:
    if by_hand is not None:
        return f"{first}:{BY_HAND}"
    return first if attempt == 1 else f"{first}:{attempt}"


def _reference(authorization: Payment) -> str:
    if authorization.reference is None:  # nothing was to be paid
        raise NotFound(f"order {authorization.order_id} has no authorization at the provider")
    return authorization.reference


def _refusal(payment: Payment) -> Declined:
    return Declined(DeclineCode(payment.code), payment.message)


async def _tell(conn: Connection, payment: Payment, what: str, why: str) -> None:
    await events.tell(
        conn,
        payment.order_id,
        f"{payment.payment_key}:{what}",
        what,
        who=WHO,
        why=why,
        data={
            "amount_minor": payment.amount_minor,
            "currency": payment.currency,
            "payment_key": payment.payment_key,
        },
    )
