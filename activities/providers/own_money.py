"""Store credit, gift cards and vouchers as payment companies.

The token of a tender is the id of an account of store credit, or the code of a gift card or of a
voucher, of which an order keeps a digest alone. They live in our own database and follow the rules
of other companies: each key has one statement and one effect, and its first answer is kept, a
refusal as well as a success. Keys are kept for ever, and an authorized amount stays authorized
until it is spent or released, even where a gift card expires meanwhile.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import date, datetime, timedelta
from typing import ClassVar, Final

from activities.payments.provider import Capabilities, PaymentKind, PaymentReceipt
from activities.provider_errors import DeclineCode, Declined, Unavailable
from domain.money import Money
from domain.payments.vouchers import OwnKind
from store.database import Connection, ConnectionLost, Pool
from store.payments import credit
from store.payments.credit import Call, Effect, Refusal, request_of

_MINOR_MAX: Final = 2**63 - 1
_FOR_EVER: Final = timedelta(days=3650)

_MESSAGES: Final[Mapping[str, str]] = {
    DeclineCode.INSUFFICIENT_FUNDS: "there is not enough {money}",
    DeclineCode.AMOUNT_TOO_LARGE: "the amount is above what is left to capture, refund or count",
    DeclineCode.CURRENCY_MISMATCH: "the {noun} is in another currency",
    DeclineCode.ALREADY_VOIDED: "what was held of the {noun} was released before",
    DeclineCode.NOT_FOUND: "there is no such {noun} or authorization of this seller",
    DeclineCode.INVALID_AMOUNT: "an amount must be more than zero and fit in 63 bits",
    DeclineCode.IDEMPOTENCY_CONFLICT: "the key was used before for a call with other content",
    "blocked": "the {noun} is blocked",
    "over": "the {noun} has expired",
    "of_another": "the {noun} is for another customer",
    "used": "the {noun} is for one order, and another one has it",
}
"""What each refusal means, of which money."""


class OwnMoney:
    """A `PaymentProvider` whose state is in the database."""

    kind: ClassVar[OwnKind]
    noun: ClassVar[str]
    money: ClassVar[str]
    """What there is too little of, where the balance is too low."""

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
        self.check(amount)
        request = request_of("authorize", order_id=order_id, amount=amount, token=token)
        async with self.connection("authorize") as conn:
            call = await credit.authorize(
                conn,
                key=key,
                request=request,
                kind=self.kind,
                token=token,
                order_id=order_id,
                amount=amount,
            )
        return self.answer(request, call)

    async def capture(self, *, key: str, authorization: str, amount: Money) -> PaymentReceipt:
        """Spend part or all of an authorized amount."""
        self.check(amount)
        request = request_of("capture", authorization=authorization, amount=amount)
        async with self.connection("capture") as conn:
            call = await credit.capture(
                conn, key=key, request=request, authorization=authorization, amount=amount
            )
        return self.answer(request, call)

    async def void(self, *, key: str, authorization: str) -> PaymentReceipt:
        """Release the uncaptured amount and close the authorization to further captures."""
        request = request_of("void", authorization=authorization)
        async with self.connection("void") as conn:
            call = await credit.void(conn, key=key, request=request, authorization=authorization)
        return self.answer(request, call)

    async def refund(self, *, key: str, authorization: str, amount: Money) -> PaymentReceipt:
        """Put part or all of a captured amount back on the account."""
        self.check(amount)
        request = request_of("refund", authorization=authorization, amount=amount)
        async with self.connection("refund") as conn:
            call = await credit.refund(
                conn, key=key, request=request, authorization=authorization, amount=amount
            )
        return self.answer(request, call)

    async def lookup(
        self,
        *,
        key: str,
        kind: PaymentKind,
        authorization: str | None,
        since: datetime,
    ) -> PaymentReceipt | None:
        """Look up the money call; the key alone finds it here."""
        async with self.connection("lookup") as conn:
            call = await credit.call(conn, key)
        return None if call is None else _receipt(self._effect(call))

    async def operations(self, order_id: str) -> tuple[PaymentReceipt, ...]:
        """Every effect there is for this order, oldest first."""
        async with self.connection("operations") as conn:
            return tuple(map(_receipt, await credit.effects_of_order(conn, self.kind, order_id)))

    async def list_day(self, day: date) -> tuple[PaymentReceipt, ...]:
        """Every effect of one day (UTC) on orders, oldest first. Credit given away is no part."""
        async with self.connection("list_day") as conn:
            return tuple(map(_receipt, await credit.effects_of_day(conn, self.kind, day)))

    @asynccontextmanager
    async def connection(self, operation: str) -> AsyncIterator[Connection]:
        """A connection.

        Raises Unavailable when the database is lost, before or while it is used.
        """
        try:
            async with self._pool.acquire() as conn:
                yield conn
        except ConnectionLost as error:
            raise Unavailable(
                f"the {self.noun} lost its database during {operation}: {error}"
            ) from error

    def check(self, amount: Money) -> None:
        """Refuse an impossible amount at once, before anything is kept under the key."""
        if not 0 < amount.minor <= _MINOR_MAX:
            raise self._declined(DeclineCode.INVALID_AMOUNT)

    def answer(self, request: str, call: Call) -> PaymentReceipt:
        """Return the call's receipt.

        Raises Declined for a refused call, or a key with other content.
        """
        if call.request != request:
            raise self._declined(DeclineCode.IDEMPOTENCY_CONFLICT)
        return _receipt(self._effect(call))

    def _effect(self, call: Call) -> Effect:
        if isinstance(call.outcome, Refusal):
            raise self._declined(call.outcome.code, call.outcome.available)
        return call.outcome

    def _declined(self, code: str, available: Money | None = None) -> Declined:
        there = "" if available is None else f"; there is {available}"
        known = DeclineCode(code) if code in set(DeclineCode) else DeclineCode.CARD_DECLINED
        return Declined(known, f"{_MESSAGES[code].format(noun=self.noun, money=self.money)}{there}")


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
