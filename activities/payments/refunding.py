"""How a granted refund is paid back: through the companies, as credit of ours, or by hand.

A company may have paid back a part of an order's money without Orderloom. Where a company refuses
because too little is left, and wherever money of the order goes another way, or went, the companies
are asked what they have paid back. That is recorded, and what is left of the refund is paid.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final

from activities.payments.contracts import Refund
from activities.payments.exchange_money import nothing_to_exchange, to_exchange
from activities.payments.money_calls import (
    Call,
    MoneyCalls,
    Planned,
    begun,
    none_open,
    refusal_of,
    tell,
)
from activities.payments.provider import CreditIssuer, PaymentProvider, PaymentReceipt
from activities.payments.shares import intend_shares, no_company_has, shares_of_refund, try_key
from activities.provider_errors import DeclineCode, Declined, OutcomeUnknown, Unavailable
from domain import ids
from domain.accounting import accounts
from domain.errors import Conflict, NotFound, Refused
from domain.payments.elsewhere import PaidBack
from store.accounting import ledger
from store.aftersales import returns
from store.database import Connection, Pool
from store.locks import lock_order
from store.orders import orders
from store.payments import disputes, elsewhere, exchanges_before, payments, refunds
from store.payments.payments import OWN_MONEY, STORE_CREDIT, Payment

ROUNDS_MAX: Final = 20
"""So often a refund goes on with less, as a company pays back by itself at the same time."""


@dataclass(frozen=True)
class _Next:
    """The calls to make next. `refusal`: there is none to make, and the company has said no."""

    owed: refunds.ToPay
    calls: Sequence[Planned] = field(default_factory=tuple)
    refusal: Declined | None = None


class Refunding:
    """Pays refunds that were granted, with the pool and the money calls injected."""

    def __init__(self, pool: Pool, calls: MoneyCalls) -> None:
        self._pool = pool
        self._calls = calls

    async def pay(self, ask: Refund) -> None:
        """Pay a granted refund, and book it. If the company refuses, the refund stays owed."""
        async with self._pool.acquire() as conn:
            owed = await _owed(conn, ask.refund_id)
            made = await payments.of_order(conn, owed.order_id)
        ask = ask.model_copy(update={"to": ask.to or owed.pay_to})
        order_id = owed.order_id
        if owed.unissued and (ask.by_hand or ask.to in OWN_MONEY or _went_another_way(made)):
            # The company would refuse to pay back too much, but does not know of money that goes
            # another way. So it is asked first what it has paid back by itself.
            with suppress(*((OutcomeUnknown, NotFound) if ask.by_hand else ())):
                await self._hear_of_others(order_id)
        asked = False
        for _ in range(ROUNDS_MAX):
            todo = await self._next(ask)
            if todo.calls:
                try:
                    await self._calls.perform_all(
                        todo.calls,
                        lambda payment: self._refund(payment, owed),
                        lambda payment: self._calls.settling(payment, _Booking(ask, owed)),
                    )
                except Declined as error:
                    if error.code != DeclineCode.AMOUNT_TOO_LARGE:
                        raise
                asked = False
            elif todo.refusal is None:
                break
            elif asked or todo.refusal.code != DeclineCode.AMOUNT_TOO_LARGE:
                raise todo.refusal
            else:
                await self._hear_of_others(order_id)
                asked = True
        if todo.owed.unissued:
            raise todo.refusal or no_company_has(todo.owed)

    async def _next(self, ask: Refund) -> _Next:
        """What this try has to do next. Its intents are on record, so a repeat goes on with them.

        Where a company had less left than was asked for, that is less than was asked for.
        """
        order_id = ids.order_of(ask.refund_id)
        # Another way of paying back is another call, also for a refund that was refused before.
        way = f":{ask.to}" if ask.to in OWN_MONEY else ""
        key = try_key(f"{ask.refund_id}:refund{way}", ask.attempt, ask.by_hand)
        async with self._pool.acquire() as conn, conn.transaction():
            await lock_order(conn, order_id)
            owed = await _owed(conn, ask.refund_id)
            if owed.is_exchange:
                if ask.by_hand:
                    await nothing_to_exchange(conn, owed)
                else:
                    if why_not := await exchanges_before.why_no_refund(conn, order_id):
                        raise Refused(why_not)
                    await to_exchange(conn, owed, _Booking(ask, owed))
                owed = await _owed(conn, ask.refund_id)
            made = await payments.of_order(conn, order_id)
            tried = [p for p in made if (p.kind, p.part_of) == ("refund", ask.refund_id)]
            mine = begun(tried, key)
            if calls := [each for each in mine if each.payment.open]:
                return _Next(owed, calls)
            refused = [p.payment for p in mine if not p.payment.done]
            refusals = [refusal_of(payment) for payment in refused]
            firm = [no for no in refusals if no.code != DeclineCode.AMOUNT_TOO_LARGE]
            if firm:
                return _Next(owed, refusal=firm[0])
            if owed.unissued == 0 or (mine and not refused):
                return _Next(owed)  # Also where an earlier try's outcome came late.
            if not mine:
                none_open(tried)
                if ask.to == STORE_CREDIT and not ask.by_hand:
                    await orders.check_known(conn, order_id)
            if not ask.by_hand:
                await _check_not_disputed(conn, order_id)
            shares = [
                (authorization, amount)
                for authorization, amount in shares_of_refund(payments.in_turn(made), ask, owed)
                if amount < _least_refused(refused, authorization)
            ]
            if not shares:
                return _Next(owed, refusal=refusals[-1])
            calls = await intend_shares(
                conn,
                order_id,
                "refund",
                ask.refund_id,
                key,
                owed.currency,
                shares,
                first=len(mine) + 1,
                given_as=STORE_CREDIT if ask.to is None else ask.to,
            )
            return _Next(owed, calls)

    async def _hear_of_others(self, order_id: str) -> None:
        """Ask the companies what they have paid back of an order, and record it.

        Raises OutcomeUnknown when one does not answer, or cannot be understood yet.
        """
        async with self._pool.acquire() as conn:
            made = await payments.of_order(conn, order_id)
        companies = {
            each.provider for each in made if each.captured and each.provider not in OWN_MONEY
        }
        for name in sorted(companies):
            for receipt in await self._calls.provider(name).operations(order_id):
                if receipt.kind == "refund" and not _is_ours(receipt, made):
                    await self._record(name, receipt)

    async def _record(self, provider: str, receipt: PaymentReceipt) -> None:
        refund = PaidBack(
            reference=receipt.reference,
            authorization=receipt.authorization,
            amount=receipt.amount,
        )
        try:
            async with self._pool.acquire() as conn, conn.transaction():
                await elsewhere.record(conn, provider, refund, who=provider, why="")
        except Conflict as error:  # Another refund is under way: its outcome is known soon.
            raise Unavailable(str(error)) from error

    def _refund(self, payment: Payment, owed: refunds.ToPay) -> Call:
        async def call(provider: PaymentProvider) -> PaymentReceipt:
            if payment.authorization_key is None:
                assert isinstance(provider, CreditIssuer)
                async with self._pool.acquire() as conn:
                    customer_id = await orders.customer_id(conn, payment.order_id)
                return await provider.issue(
                    key=payment.payment_key,
                    customer_id=customer_id,
                    amount=payment.amount,
                    order_id=payment.order_id,
                    who=owed.who,
                    why=owed.reason,
                )
            return await provider.refund(
                key=payment.payment_key,
                authorization=await self._calls.authorization(payment),
                amount=payment.amount,
            )

        return call


@dataclass(frozen=True)
class _Booking:
    """All that follows from the success of a refund's call, in the transaction of its outcome."""

    ask: Refund
    owed: refunds.ToPay

    async def __call__(self, conn: Connection, payment: Payment) -> None:
        await ledger.post(
            conn,
            effect=payment.payment_key,
            order_id=payment.order_id,
            memo=f"refund of {payment.amount}",
            currency=payment.currency,
            postings=accounts.refund_issued(
                payment.amount_minor,
                way=accounts.money_at(payment.provider),
                by_bank=await disputes.given_by_bank(conn, payment),
            ),
        )
        await tell(conn, payment, "refunded", self.ask.by_hand or self.owed.reason)
        if await refunds.issued(conn, self.ask.refund_id, payment.amount_minor) and (
            self.owed.kind == "return"
        ):
            await returns.set_state(conn, self.ask.refund_id, "refunded")


def _went_another_way(made: Sequence[Payment]) -> bool:
    """Whether some of an order's money was paid back by hand, or as credit of ours."""
    return any(
        payment.kind == "refund"
        and payment.authorization_key is None
        and (payment.open or payment.done)
        for payment in made
    )


def _is_ours(receipt: PaymentReceipt, made: Sequence[Payment]) -> bool:
    """Whether a company's refund is one of ours that is done, or may be."""
    return any(
        payment.kind == "refund"
        and (payment.payment_key == receipt.key and (payment.open or payment.done))
        for payment in made
    )


def _least_refused(refused: Sequence[Payment], authorization: Payment | None) -> float:
    """The least amount of which a company said that it is too much, of an authorization."""
    key = None if authorization is None else authorization.payment_key
    amounts = [each.amount_minor for each in refused if each.authorization_key == key]
    return min(amounts, default=float("inf"))


async def _owed(conn: Connection, refund_id: str) -> refunds.ToPay:
    """A refund that was granted. Raises NotFound."""
    owed = await refunds.find(conn, refund_id)
    if owed is None:
        raise NotFound(f"no refund {refund_id} was granted")
    return owed


async def _check_not_disputed(conn: Connection, order_id: str) -> None:
    """Nothing is paid back while a bank has taken money back, or might: that would pay twice."""
    why_not = await payments.why_no_refund(conn, order_id)
    if why_not:
        raise Refused(why_not)
