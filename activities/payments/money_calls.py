"""The one path of every money call: intent, call, outcome.

The intent is written first. Then the provider is called with the intent's key, outside any
transaction. The outcome is recorded together with everything that it changes. An unknown outcome is
looked up at once, and again by every later attempt, before the call is made again with the same
key.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass

from activities.payments.provider import PaymentProvider, PaymentReceipt
from activities.provider_errors import DeclineCode, Declined, OutcomeUnknown
from domain.errors import Conflict, NotFound
from domain.ids import WHO
from domain.payments.cover import ENDED
from store import clock
from store.database import Connection, Pool
from store.locks import lock_order
from store.orders import events
from store.payments import payments
from store.payments.payments import BY_HAND, Payment

Call = Callable[[PaymentProvider], Awaitable[PaymentReceipt]]
Then = Callable[[Connection, Payment], Awaitable[None]]
Settle = Callable[[PaymentReceipt | None], Awaitable[bool]]
"""Records that a call took effect. False: its outcome was recorded before."""


@dataclass(frozen=True)
class Planned:
    """An intent that is on record; `new` says whether this attempt wrote it."""

    payment: Payment
    new: bool


class MoneyCalls:
    """Brings intents to their outcomes, with the pool and the providers (by name) injected."""

    def __init__(self, pool: Pool, providers: Mapping[str, PaymentProvider]) -> None:
        self._pool = pool
        self.providers = providers

    def provider(self, name: str) -> PaymentProvider:
        """The provider of that name. Raises NotFound."""
        if name not in self.providers:
            known = ", ".join(sorted(self.providers))
            raise NotFound(f"there is no payment provider {name!r} here; there is {known}")
        return self.providers[name]

    def charges_once(self, name: str) -> bool:
        """Whether an authorization at this provider can be charged once only."""
        return name != BY_HAND and self.provider(name).capabilities.captures == "once"

    def least(self, name: str, currency: str) -> int:
        """The least amount that this provider authorizes, in minor units."""
        known = self.providers.get(name)
        return 1 if known is None else known.capabilities.least.get(currency, 1)

    async def perform_all(
        self,
        planned: Sequence[Planned],
        call: Callable[[Payment], Call],
        settle: Callable[[Payment], Settle],
        refused: Then | None = None,
    ) -> None:
        """Bring every intent to an outcome, then raise the first error that one of them met.

        OutcomeUnknown is raised before Declined: a refusal is decided already and can wait.
        """
        refusal: Declined | None = None
        unknown: OutcomeUnknown | None = None
        for item in planned:
            try:
                await self.perform(item, call(item.payment), settle(item.payment), refused)
            except Declined as error:
                refusal = refusal or error
            except OutcomeUnknown as error:
                unknown = error
        if unknown is not None:
            raise unknown
        if refusal is not None:
            raise refusal

    async def perform(
        self, planned: Planned, call: Call, settle: Settle, refused: Then | None = None
    ) -> None:
        """Bring an intent to its outcome: look it up or call, then record it.

        A firm no is recorded with `refused`, in one transaction, too.

        Raises Declined for a firm no, and OutcomeUnknown when only the provider can tell the
        outcome.
        """
        payment = planned.payment
        if payment.done:
            return
        if payment.state == "failed":
            raise refusal_of(payment)
        receipt: PaymentReceipt | None = None
        if payment.amount_minor > 0 and payment.provider != BY_HAND:
            provider = self.provider(payment.provider)
            try:
                receipt = None if planned.new else await self._found(provider, payment)
                receipt = receipt or await self._called(provider, payment, call)
            except Declined as error:
                if await self._refused(payment, error, refused):
                    raise
                return
            except OutcomeUnknown as error:
                async with self._pool.acquire() as conn, conn.transaction():
                    await lock_order(conn, payment.order_id)
                    await payments.unknown(conn, payment.payment_key, str(error))
                raise
        await self._succeeded(payment, receipt, settle)

    async def conclude(self, payment: Payment, settle: Settle) -> Payment:
        """Look up the outcome of an intent that is given up. Not seen by the provider: never made.

        Raises OutcomeUnknown when the provider does not answer.
        """
        try:
            receipt = await self.look_up(payment)
            if receipt is None:
                raise Declined(DeclineCode.NOT_FOUND, "given up: the provider has not seen it")
            await self._succeeded(payment, receipt, settle)
        except Declined as error:
            await self._refused(payment, error)
        return await self.found(payment.payment_key)

    async def look_up(self, payment: Payment) -> PaymentReceipt | None:
        """Ask the provider for the outcome. Raises the provider's Declined or OutcomeUnknown."""
        return await self.provider(payment.provider).lookup(
            key=payment.payment_key,
            kind=payment.kind,
            authorization=await self.reference(payment),
            since=payment.requested_at,
        )

    async def reference(self, payment: Payment) -> str | None:
        """The provider's reference of the authorization that a payment belongs to."""
        if payment.authorization_key is None:
            return None
        return (await self.found(payment.authorization_key)).reference

    async def authorization(self, payment: Payment) -> str:
        """The reference of a payment's authorization. Raises NotFound when there is none."""
        reference = await self.reference(payment)
        if reference is None:  # Nothing had to be paid.
            raise NotFound(f"order {payment.order_id} has no authorization at the provider")
        return reference

    async def found(self, key: str) -> Payment:
        """An operation that is on record, by its key."""
        async with self._pool.acquire() as conn:
            payment = await payments.find(conn, key)
        assert payment is not None
        return payment

    async def _found(self, provider: PaymentProvider, payment: Payment) -> PaymentReceipt | None:
        """Look up the key at the provider before the same call is made again.

        When the key is unknown there and older than the provider's memory, a repeated call could be
        a second one. Raises Declined, so that the next try gets a key of its own.
        """
        receipt = await self.look_up(payment)
        age = clock.now() - payment.requested_at
        if receipt is None and age > provider.capabilities.keys_live:
            raise Declined(
                DeclineCode.NOT_FOUND, "the provider has not seen it, and will not: try it again"
            )
        return receipt

    async def _called(
        self, provider: PaymentProvider, payment: Payment, call: Call
    ) -> PaymentReceipt:
        try:
            return await call(provider)
        except OutcomeUnknown:
            # A single lost answer is the usual case: the provider can tell at once.
            receipt = await self.look_up(payment)
            if receipt is None:
                raise
            return receipt

    def settling(self, payment: Payment, then: Then) -> Settle:
        """Record the success of a refund or a release with all that follows from it."""

        async def settle(receipt: PaymentReceipt | None) -> bool:
            async with self._pool.acquire() as conn, conn.transaction():
                await lock_order(conn, payment.order_id)
                settled = await payments.succeed(
                    conn,
                    payment,
                    receipt.reference if receipt else None,
                )
                if settled:
                    await then(conn, payment)
                return settled

        return settle

    async def _succeeded(
        self, payment: Payment, receipt: PaymentReceipt | None, settle: Settle
    ) -> None:
        if await settle(receipt):
            return
        recorded = await self.found(payment.payment_key)
        if recorded.done:
            return
        if receipt is not None:
            # The intent was given up as never made, but the provider's answer arrived after all.
            if payment.kind == "authorize":
                await self.provider(payment.provider).void(
                    key=void_key(payment), authorization=receipt.reference
                )
            raise refusal_of(recorded)

    async def _refused(self, payment: Payment, error: Declined, then: Then | None = None) -> bool:
        """Record a firm no. False when another attempt has recorded a success."""
        async with self._pool.acquire() as conn, conn.transaction():
            await lock_order(conn, payment.order_id)
            if await payments.fail(conn, payment, error.code, error.message):
                if error.code in ENDED and payment.authorization_key is not None:
                    await payments.release(conn, payment.authorization_key)
                await tell(conn, payment, f"{payment.kind} refused", error.message)
                if then is not None:
                    await then(conn, payment)
            recorded = await payments.find(conn, payment.payment_key)
            return recorded is None or not recorded.done


def begun(tried: Sequence[Payment], key: str) -> list[Planned]:
    """The intents that an earlier attempt of the same try has written."""
    return [
        Planned(payment, new=False)
        for payment in tried
        if payment.payment_key == key or payment.payment_key.startswith(f"{key}/")
    ]


def none_open(tried: Sequence[Payment]) -> None:
    """Raises Conflict when an earlier try of a step has an outcome that is not known."""
    for payment in tried:
        if payment.open:
            raise Conflict(
                f"what became of {payment.payment_key} is not known: another try could pay twice"
            )


def succeeded(tried: Sequence[Payment]) -> int:
    """The minor units of a step that have succeeded, over all of its tries."""
    return sum(payment.amount_minor for payment in tried if payment.state == "succeeded")


def void_key(authorization: Payment) -> str:
    """The key under which an authorization is voided."""
    return authorization.payment_key.replace(":authorize", ":void", 1)


def refusal_of(payment: Payment) -> Declined:
    """The firm no that is on record for a payment."""
    return Declined(DeclineCode(payment.code), payment.message)


async def tell(conn: Connection, payment: Payment, what: str, why: str) -> None:
    """Write a line of the order's story about a payment, once."""
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
