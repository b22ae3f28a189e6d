"""Store credit as a payment company: the token of a tender is the id of a credit account.

It lives in our own database and follows the rules of other companies: each key has one statement
and one effect, and its first answer is kept, a refusal as well as a success. Keys are kept for
ever, and an authorized amount stays authorized until it is spent or released.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import date, datetime, timedelta
from typing import Final

from activities.extension import Extension, NoSettings
from activities.payments.provider import Capabilities, PaymentKind, PaymentReceipt
from activities.provider_errors import DeclineCode, Declined, Unavailable
from domain.money import Money
from store.database import Connection, ConnectionLost, Pool
from store.payments import credit
from store.payments.credit import Call, Effect, Refusal, request_of
from store.payments.payments import STORE_CREDIT

_MINOR_MAX: Final = 2**63 - 1
_FOR_EVER: Final = timedelta(days=3650)

_MESSAGES = {
    DeclineCode.INSUFFICIENT_FUNDS: "there is not enough store credit",
    DeclineCode.AMOUNT_TOO_LARGE: "the amount is above what is left to capture, refund or count",
    DeclineCode.CURRENCY_MISMATCH: "the store credit is in another currency",
    DeclineCode.ALREADY_VOIDED: "what was held of the store credit was released before",
    DeclineCode.NOT_FOUND: "there is no such credit account or authorization of this seller",
    DeclineCode.INVALID_AMOUNT: "an amount must be more than zero and fit in 63 bits",
    DeclineCode.IDEMPOTENCY_CONFLICT: "the key was used before for a call with other content",
}


class StoreCredit:
    """A `PaymentProvider` that can also give credit. Its state is in the database."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    @property
    def capabilities(self) -> Capabilities:
        """Several captures for each authorization; neither authorizations nor keys expire."""
        return Capabilities(captures="several", holds_for=_FOR_EVER, keys_live=_FOR_EVER)

    async def authorize(
        self, *, key: str, order_id: str, amount: Money, token: str
    ) -> PaymentReceipt:
        """Authorize the amount on the account that the token names, if so much is available."""
        _check(amount)
        request = request_of("authorize", order_id=order_id, amount=amount, token=token)
        async with self._connection("authorize") as conn:
            call = await credit.authorize(
                conn, key=key, request=request, account_id=token, order_id=order_id, amount=amount
            )
        return _answer(request, call)

    async def capture(self, *, key: str, authorization: str, amount: Money) -> PaymentReceipt:
        """Spend part or all of an authorized amount."""
        _check(amount)
        request = request_of("capture", authorization=authorization, amount=amount)
        async with self._connection("capture") as conn:
            call = await credit.capture(
                conn, key=key, request=request, authorization=authorization, amount=amount
            )
        return _answer(request, call)

    async def void(self, *, key: str, authorization: str) -> PaymentReceipt:
        """Release the uncaptured amount and close the authorization to further captures."""
        request = request_of("void", authorization=authorization)
        async with self._connection("void") as conn:
            call = await credit.void(conn, key=key, request=request, authorization=authorization)
        return _answer(request, call)

    async def refund(self, *, key: str, authorization: str, amount: Money) -> PaymentReceipt:
        """Put part or all of a captured amount back on the account."""
        _check(amount)
        request = request_of("refund", authorization=authorization, amount=amount)
        async with self._connection("refund") as conn:
            call = await credit.refund(
                conn, key=key, request=request, authorization=authorization, amount=amount
            )
        return _answer(request, call)

    async def issue(
        self,
        *,
        key: str,
        customer_id: str,
        amount: Money,
        who: str,
        why: str,
        order_id: str | None = None,
    ) -> PaymentReceipt:
        """Give a customer new credit, as a refund of money that was paid in another way.

        Opens the customer's account if there is none. Returns the receipt of a refund, whose
        authorization is the account's id. The caller books it.
        """
        _check(amount)
        async with self._connection("issue") as conn:
            call = await credit.issue(
                conn,
                key=key,
                customer_id=customer_id,
                amount=amount,
                who=who,
                why=why,
                order_id=order_id,
            )
        return _answer(credit.issue_request(customer_id, order_id, amount), call)

    async def lookup(
        self,
        *,
        key: str,
        kind: PaymentKind,
        authorization: str | None,
        since: datetime,
    ) -> PaymentReceipt | None:
        """Look up the money call; the key alone finds it here."""
        async with self._connection("lookup") as conn:
            call = await credit.call(conn, key)
        return None if call is None else _receipt(_effect(call))

    async def operations(self, order_id: str) -> tuple[PaymentReceipt, ...]:
        """Every effect there is for this order, oldest first."""
        async with self._connection("operations") as conn:
            return tuple(map(_receipt, await credit.effects_of_order(conn, order_id)))

    async def list_day(self, day: date) -> tuple[PaymentReceipt, ...]:
        """Every effect of one day (UTC) on orders, oldest first, without credit that was a gift."""
        async with self._connection("list_day") as conn:
            return tuple(map(_receipt, await credit.effects_of_day(conn, day)))

    @asynccontextmanager
    async def _connection(self, operation: str) -> AsyncIterator[Connection]:
        """A connection.

        Raises Unavailable when the database is lost, before or while it is used.
        """
        try:
            async with self._pool.acquire() as conn:
                yield conn
        except ConnectionLost as error:
            raise Unavailable(
                f"store credit lost its database during {operation}: {error}"
            ) from error


def _check(amount: Money) -> None:
    """Refuse an impossible amount at once, before anything is kept under the key."""
    if not 0 < amount.minor <= _MINOR_MAX:
        raise _declined(DeclineCode.INVALID_AMOUNT)


def _answer(request: str, call: Call) -> PaymentReceipt:
    """Return the call's receipt.

    Raises Declined for a refused call, or a key with other content.
    """
    if call.request != request:
        raise _declined(DeclineCode.IDEMPOTENCY_CONFLICT)
    return _receipt(_effect(call))


def _effect(call: Call) -> Effect:
    if isinstance(call.outcome, Refusal):
        raise _declined(DeclineCode(call.outcome.code), call.outcome.available)
    return call.outcome


def _declined(code: DeclineCode, available: Money | None = None) -> Declined:
    there = "" if available is None else f"; there is {available}"
    return Declined(code, f"{_MESSAGES[code]}{there}")


def _receipt(effect: Effect) -> PaymentReceipt:
    return PaymentReceipt(
        key=effect.key,
        kind="refund" if effect.kind == "issue" else effect.kind,
        reference=effect.reference,
        authorization=effect.authorization or effect.account_id,
        order_id=effect.order_id or "",
        amount=effect.amount,
        at=effect.at,
    )


EXTENSION: Final = Extension(
    name=STORE_CREDIT,
    settings=NoSettings,
    payment=lambda _, tools: StoreCredit(tools.pool),
)
