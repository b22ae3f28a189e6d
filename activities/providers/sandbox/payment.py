"""A payment company that answers like a real one, from its own tables.

What it follows, by source:
- Stripe API reference, "Idempotent requests": the first answer under a key is kept, a refusal as
  well as a success, and every later call with the key gets that answer; a key with other
  parameters is an error; a request whose parameters are invalid is refused at the door and not
  kept, so its key is free.
- Stripe API reference, "Cancel a PaymentIntent": cancelling releases the amount that can still be
  captured, and every later operation of that kind fails.
- Stripe Docs, "Capture a payment multiple times": one authorization can be captured in parts, up
  to its amount.
- Stripe Docs, "Place a hold on a payment method": where there is one capture only, it releases what
  it does not take (`captures="once"`), and a hold is gone after some days (`holds_for`).
- Stripe API reference, "Create a refund": parts can be refunded until all that was captured is.
- Stripe's pricing page: of each charge it keeps a share and a fixed amount (`fee_of`), and does not
  give that back with a refund.
It differs in that keys never expire here (Stripe may drop them after 24 hours), that an answer 5xx
is not kept under the key (Stripe keeps it), that lookup by key is a call of its own, and that a
void of an authorization with nothing left to capture is accepted, releasing 0.
"""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from random import Random
from typing import Literal

from activities.payments.provider import Capabilities, PaymentKind, PaymentReceipt
from activities.provider_errors import DeclineCode, Declined
from activities.providers.sandbox.faults import Faults
from domain.money import Money
from store.database import Connection, Pool
from store.sandbox import companies
from store.sandbox.companies import PaymentCall, PaymentEffect, Refusal


class Card(StrEnum):
    """Tokens of cards that misbehave, and of two that do not. Any other token works, too.

    CONFIRMED is the new token of a customer who met ACTION_REQUIRED and has confirmed the payment.
    """

    OK = "tok_ok"
    CONFIRMED = "tok_confirmed"
    DECLINE = "tok_decline"
    INSUFFICIENT_FUNDS = "tok_insufficient_funds"
    ACTION_REQUIRED = "tok_action_required"
    SLOW = "tok_slow"
    CAPTURE_REFUSED = "tok_capture_refused"
    REFUND_REFUSED = "tok_refund_refused"


_REFUSED_AT_AUTHORIZATION: dict[str, DeclineCode] = {
    Card.DECLINE: DeclineCode.CARD_DECLINED,
    Card.INSUFFICIENT_FUNDS: DeclineCode.INSUFFICIENT_FUNDS,
    Card.ACTION_REQUIRED: DeclineCode.ACTION_REQUIRED,
}

_MESSAGES = {
    DeclineCode.CARD_DECLINED: "the bank declined the card; the customer can use another one",
    DeclineCode.INSUFFICIENT_FUNDS: "the card has not enough funds; the customer can use another",
    DeclineCode.ACTION_REQUIRED: "the bank wants the customer to confirm the payment first",
    DeclineCode.CAPTURE_REFUSED: "the bank refused the capture; the authorization stays as it was",
    DeclineCode.REFUND_REFUSED: "the bank refused the refund; pay the customer another way",
    DeclineCode.AMOUNT_TOO_LARGE: "the amount is above what is left to capture or refund",
    DeclineCode.CURRENCY_MISMATCH: "the authorization is in another currency",
    DeclineCode.ALREADY_VOIDED: "the authorization was voided before",
    DeclineCode.EXPIRED: "the authorization has expired; the customer's bank released it",
    DeclineCode.NOT_FOUND: "there is no such authorization",
    DeclineCode.INVALID_AMOUNT: "an amount must be more than zero and fit in 63 bits",
    DeclineCode.IDEMPOTENCY_CONFLICT: "the key was used before for a call with other content",
}

_MINOR_MAX = 2**63 - 1

FEE_PER_MILLE = 15
FEE_FIXED_MINOR = 25


def fee_of(amount: Money) -> Money:
    """The company's fee for a capture: 1.5 %, half up, plus 25 minor units.

    Never above the amount.
    """
    share = (amount.minor * FEE_PER_MILLE + 500) // 1000
    return Money(minor=min(amount.minor, share + FEE_FIXED_MINOR), currency=amount.currency)


class SandboxPayment:
    """A `PaymentProvider`. All instances on one database share its state.

    `slow_seconds` is the time a money call on a slow card takes to answer after its effect,
    `timeout_seconds` the time a caller waits before a time-out fault raises. `captures` and
    `holds_for` apply to authorizations made by this instance, also when another instance captures
    them.
    """

    def __init__(
        self,
        pool: Pool,
        *,
        random: Random,
        slow_seconds: float = 5.0,
        timeout_seconds: float = 0.2,
        captures: Literal["several", "once"] = "several",
        holds_for: timedelta = timedelta(days=7),
    ) -> None:
        self._pool = pool
        self._faults = Faults(pool, "payment", random, timeout_seconds)
        self._slow_seconds = slow_seconds
        self._capabilities = Capabilities(captures=captures, holds_for=holds_for)

    @property
    def capabilities(self) -> Capabilities:
        """The capabilities that this instance was made with."""
        return self._capabilities

    async def authorize(
        self, *, key: str, order_id: str, amount: Money, token: str
    ) -> PaymentReceipt:
        """Authorize the amount, unless the `Card` behind the token refuses it."""
        _check(amount)
        request = _request("authorize", order_id=order_id, amount=amount, token=token)

        async def effect(connection: Connection) -> PaymentCall:
            return await companies.authorize(
                connection,
                key=key,
                request=request,
                order_id=order_id,
                token=token,
                amount=amount,
                refusal=_REFUSED_AT_AUTHORIZATION.get(token),
                holds_for=self._capabilities.holds_for,
                captures_once=self._capabilities.captures == "once",
            )

        return await self._answer(request, await self._faults.run("authorize", effect))

    async def capture(self, *, key: str, authorization: str, amount: Money) -> PaymentReceipt:
        """Take part or all of an authorized amount."""
        _check(amount)
        request = _request("capture", authorization=authorization, amount=amount)

        async def effect(connection: Connection) -> PaymentCall:
            return await companies.capture(
                connection,
                key=key,
                request=request,
                authorization=authorization,
                amount=amount,
                refusing_token=Card.CAPTURE_REFUSED,
                fee=fee_of(amount),
            )

        return await self._answer(request, await self._faults.run("capture", effect))

    async def void(self, *, key: str, authorization: str) -> PaymentReceipt:
        """Release the uncaptured amount and close the authorization to further captures."""
        request = _request("void", authorization=authorization)

        async def effect(connection: Connection) -> PaymentCall:
            return await companies.void(
                connection, key=key, request=request, authorization=authorization
            )

        return await self._answer(request, await self._faults.run("void", effect))

    async def refund(self, *, key: str, authorization: str, amount: Money) -> PaymentReceipt:
        """Give back part or all of a captured amount."""
        _check(amount)
        request = _request("refund", authorization=authorization, amount=amount)

        async def effect(connection: Connection) -> PaymentCall:
            return await companies.refund(
                connection,
                key=key,
                request=request,
                authorization=authorization,
                amount=amount,
                refusing_token=Card.REFUND_REFUSED,
            )

        return await self._answer(request, await self._faults.run("refund", effect))

    async def send_back(self, key: str) -> None:
        """Play the customer's bank: it returns the refund with this key.

        Stripe Docs, "Failed refunds": up to 30 days later, and the money is on the account again.
        Later look-ups of the refund say that it failed.
        """
        async with self._pool.acquire() as connection:
            await companies.send_refund_back(connection, key, DeclineCode.REFUND_REFUSED)

    async def lookup(
        self, *, key: str, kind: PaymentKind, authorization: str | None, since: datetime
    ) -> PaymentReceipt | None:
        """Look up the money call; the key alone finds it here."""

        async def effect(connection: Connection) -> PaymentCall | None:
            return await companies.payment_call(connection, key)

        call = await self._faults.run("lookup", effect)
        return None if call is None else _receipt(_effect(call))

    async def operations(self, order_id: str) -> tuple[PaymentReceipt, ...]:
        """Every effect there is for this order, oldest first."""

        async def effect(connection: Connection) -> tuple[PaymentEffect, ...]:
            return await companies.payment_effects(connection, order_id)

        return tuple(_receipt(done) for done in await self._faults.run("operations", effect))

    async def list_day(self, day: date) -> tuple[PaymentReceipt, ...]:
        """Every effect of one day (UTC), oldest first, of any caller."""
        since = datetime.combine(day, time(), UTC)

        async def effect(connection: Connection) -> tuple[PaymentEffect, ...]:
            before = since + timedelta(days=1)
            return await companies.payment_effects_between(connection, since, before)

        return tuple(_receipt(done) for done in await self._faults.run("list_day", effect))

    async def _answer(self, request: str, call: PaymentCall) -> PaymentReceipt:
        """The call's receipt. Raises Declined for a refused call, or a key with other content."""
        if call.request != request:
            raise _declined(DeclineCode.IDEMPOTENCY_CONFLICT)
        done = _effect(call)
        if done.token == Card.SLOW:
            await asyncio.sleep(self._slow_seconds)
        return _receipt(done)


def _check(amount: Money) -> None:
    """Refuse an impossible amount at once, before anything is kept under the key."""
    if not 0 < amount.minor <= _MINOR_MAX:
        raise _declined(DeclineCode.INVALID_AMOUNT)


def _request(operation: str, *, amount: Money | None = None, **content: str) -> str:
    """The call's content in one canonical form, which tells a repeat from a conflict."""
    if amount is not None:
        content |= {"amount_minor": str(amount.minor), "currency": amount.currency}
    return json.dumps({"operation": operation, **content}, sort_keys=True)


def _effect(call: PaymentCall) -> PaymentEffect:
    if isinstance(call.outcome, Refusal):
        raise _declined(DeclineCode(call.outcome.code))
    return call.outcome


def _declined(code: DeclineCode) -> Declined:
    return Declined(code, _MESSAGES[code])


def _receipt(effect: PaymentEffect) -> PaymentReceipt:
    return PaymentReceipt.model_validate(effect, from_attributes=True)
