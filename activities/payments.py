"""Money that is taken and given back. How each call is made safe stands in `money_calls`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from temporalio import activity

from activities.inventory import WHO
from activities.money_calls import Call, MoneyCalls, Planned, tell
from activities.payment_asks import Answer, Capture, Invoice, MayRefund, Refund
from activities.providers.payment import CreditIssuer, PaymentProvider, PaymentReceipt
from domain import accounts
from domain.amounts import Worth
from domain.documents import Kind, Seller
from domain.errors import Refused
from domain.money import Money
from store import documents, events, ledger, orders, payments, refunds, returns
from store.database import Connection, Pool
from store.locks import lock_order
from store.payments import BY_HAND, STORE_CREDIT, Intent, Payment


class Payments:
    """Captures and refunds, with the database pool and the payment providers (by name) injected."""

    def __init__(
        self, pool: Pool, providers: Mapping[str, PaymentProvider], seller: Seller | None = None
    ) -> None:
        self._pool = pool
        self._calls = MoneyCalls(pool, providers)
        self._seller = seller or Seller()

    @activity.defn
    async def capture_payment(self, ask: Capture) -> None:
        """Invoice and charge what ships, and book it. Type `declined`: the provider will not."""
        key = _key(f"{ask.fulfilment_id}:capture", ask.attempt, ask.by_hand)
        total = Money(minor=ask.worth.total, currency=ask.currency)

        async def book(conn: Connection, payment: Payment) -> None:
            await ledger.post(
                conn,
                effect=payment.payment_key,
                order_id=ask.order_id,
                memo=f"capture of {payment.amount}",
                currency=ask.currency,
                postings=accounts.captured(
                    payment.amount_minor,
                    prepaid=ask.prepaid,
                    by_credit=payment.provider == STORE_CREDIT,
                ),
            )
            await tell(conn, payment, "charged", _why(ask))
            tried = await payments.of_part(conn, ask.order_id, "capture", ask.fulfilment_id)
            if _succeeded(tried) == total.minor:
                moves = {line_id: {"charged": units} for line_id, units in ask.units.items()}
                await orders.move_lines(conn, ask.order_id, moves)

        async with self._pool.acquire() as conn, conn.transaction():
            await lock_order(conn, ask.order_id)
            planned = await self._begun(conn, ask.order_id, "capture", ask.fulfilment_id, key)
            if not planned:
                tried = await payments.of_part(conn, ask.order_id, "capture", ask.fulfilment_id)
                left = total.minor - _succeeded(tried)
                shares = await self._shares_of_capture(conn, ask, left)
                planned = await self._intend(
                    conn, ask.order_id, "capture", ask.fulfilment_id, key, ask.currency, shares
                )
                if not ask.prepaid and not tried:
                    await self._invoice(conn, ask, prepaid=False)
        await self._calls.perform_all(planned, self._capture, book)

    @activity.defn
    async def invoice_parcel(self, ask: Invoice) -> None:
        """Invoice goods that went out and were charged before."""
        effect = f"{ask.fulfilment_id}:invoiced"
        async with self._pool.acquire() as conn, conn.transaction():
            await lock_order(conn, ask.order_id)
            if await events.find(conn, ask.order_id, effect) is not None:
                return
            await events.tell(conn, ask.order_id, effect, "invoiced", who=WHO)
            await self._invoice(conn, ask, prepaid=True)

    async def _shares_of_capture(
        self, conn: Connection, ask: Capture, amount: int
    ) -> list[tuple[Payment | None, int]]:
        """Which authorizations pay how much: those made for the parcel, then in their sequence."""
        if ask.by_hand or amount == 0:
            return [(None, amount)]
        made = [p for p in await payments.authorizations(conn, ask.order_id) if p.room]
        own = [p for p in made if p.part_of == ask.fulfilment_id]
        shares: list[tuple[Payment | None, int]] = []
        for authorization in own + [p for p in made if p.part_of == ""]:
            share = min(amount, authorization.room)
            if share:
                shares.append((authorization, share))
                amount -= share
        if amount:
            short = Money(minor=amount, currency=ask.currency)
            raise Refused(f"{short} of {ask.fulfilment_id} is not authorized, or not any more")
        return shares

    def _capture(self, payment: Payment) -> Call:
        async def call(provider: PaymentProvider) -> PaymentReceipt:
            return await provider.capture(
                key=payment.payment_key,
                authorization=await self._calls.authorization(payment),
                amount=payment.amount,
            )

        return call

    @activity.defn
    async def may_refund(self, ask: MayRefund) -> Answer:
        """Whether anything of the order may be paid back at all, and why not."""
        async with self._pool.acquire() as conn:
            return Answer(why_not=await payments.why_no_refund(conn, ask.order_id))

    @activity.defn
    async def refund_payment(self, ask: Refund) -> None:
        """Owe it, pay it back, and book both. After a refusal it stays owed, and visible so."""
        first = f"{ask.refund_id}:refund"
        key = _key(first, ask.attempt, ask.by_hand)

        async def book(conn: Connection, payment: Payment) -> None:
            await ledger.post(
                conn,
                effect=payment.payment_key,
                order_id=ask.order_id,
                memo=f"refund of {payment.amount}",
                currency=ask.currency,
                postings=accounts.refund_issued(
                    payment.amount_minor, as_credit=payment.provider == STORE_CREDIT
                ),
            )
            await tell(conn, payment, "refunded", ask.by_hand or ask.why)
            if await refunds.issued(conn, ask.refund_id, payment.amount_minor):
                await _settle_refund(conn, ask)

        async with self._pool.acquire() as conn, conn.transaction():
            await lock_order(conn, ask.order_id)
            planned = await self._begun(conn, ask.order_id, "refund", ask.refund_id, key)
            if not planned:
                new = await _grant(conn, ask)
                owed = await refunds.find(conn, ask.refund_id)
                assert owed is not None
                shares = await self._shares_of_refund(conn, ask, owed.owed.minor)
                planned = await self._intend(
                    conn, ask.order_id, "refund", ask.refund_id, key, ask.currency, shares
                )
                if new and _credited(ask).total:  # else nothing was invoiced of it
                    await self._issue(conn, "credit_note", ask, ask.refund_id, _credited(ask))
        await self._calls.perform_all(planned, lambda p: self._refund(p, ask), book)

    async def _shares_of_refund(
        self, conn: Connection, ask: Refund, amount: int
    ) -> list[tuple[Payment | None, int]]:
        """Through which authorizations how much goes back: the last charged first."""
        if ask.by_hand or ask.to == STORE_CREDIT or amount == 0:
            return [(None, amount)]
        shares: list[tuple[Payment | None, int]] = []
        for authorization in reversed(await payments.authorizations(conn, ask.order_id)):
            share = min(amount, authorization.refundable)
            if share:
                shares.append((authorization, share))
                amount -= share
        if amount:
            short = Money(minor=amount, currency=ask.currency)
            raise Refused(f"{short} of {ask.refund_id} was paid by hand: pay it back by hand")
        return shares

    def _refund(self, payment: Payment, ask: Refund) -> Call:
        async def call(provider: PaymentProvider) -> PaymentReceipt:
            if payment.authorization_key is None:
                assert isinstance(provider, CreditIssuer)
                return await provider.issue(
                    key=payment.payment_key,
                    customer_id=ask.customer_id,
                    amount=payment.amount,
                    order_id=ask.order_id,
                    who=ask.who,
                    why=ask.why,
                )
            return await provider.refund(
                key=payment.payment_key,
                authorization=await self._calls.authorization(payment),
                amount=payment.amount,
            )

        return call

    async def _invoice(self, conn: Connection, ask: Capture | Invoice, *, prepaid: bool) -> None:
        """Goods went out: what they are worth is revenue. The caller sees to it that it is once."""
        await ledger.post(
            conn,
            effect=f"invoice:{ask.fulfilment_id}",
            order_id=ask.order_id,
            memo=f"{ask.fulfilment_id} shipped",
            currency=ask.currency,
            postings=accounts.invoiced(ask.worth, prepaid=prepaid),
        )
        moves = {line_id: {"invoiced": units} for line_id, units in ask.units.items()}
        await orders.move_lines(conn, ask.order_id, moves)
        await self._issue(conn, "invoice", ask, ask.fulfilment_id, ask.worth)

    async def _issue(
        self,
        conn: Connection,
        kind: Kind,
        ask: Capture | Invoice | Refund,
        part_id: str,
        worth: Worth,
    ) -> None:
        """Number the document, last of all: the numbers are one row for the whole shop."""
        await documents.issue(
            conn,
            kind=kind,
            order_id=ask.order_id,
            part_id=part_id,
            lines=ask.units,
            worth=worth,
            seller=self._seller,
            reason=ask.why if isinstance(ask, Refund) else "",
        )

    async def _begun(
        self, conn: Connection, order_id: str, kind: payments.Kind, part: str, key: str
    ) -> list[Planned]:
        """The intents that an earlier attempt of the same try has written."""
        return [
            Planned(payment, new=False)
            for payment in await payments.of_part(conn, order_id, kind, part)
            if payment.payment_key == key or payment.payment_key.startswith(f"{key}/")
        ]

    async def _intend(
        self,
        conn: Connection,
        order_id: str,
        kind: payments.Kind,
        part: str,
        key: str,
        currency: str,
        shares: Sequence[tuple[Payment | None, int]],
    ) -> list[Planned]:
        """An intent for each share: of an authorization, by hand, or of credit that is given."""
        planned = []
        for number, (authorization, amount) in enumerate(shares, start=1):
            by_hand = amount == 0 or key.endswith(f":{BY_HAND}")
            intent = Intent(
                key=key if number == 1 else f"{key}/{number}",
                kind=kind,
                amount=Money(minor=amount, currency=currency),
                provider=_provider_of(authorization, by_hand=by_hand),
                tender=authorization.tender if authorization else 1,
                authorization_key=authorization.payment_key if authorization else None,
                part_of=part,
            )
            planned.append(Planned(*await payments.intend(conn, order_id, intent)))
        return planned


def _succeeded(tried: Sequence[Payment]) -> int:
    """How much of a step has succeeded, by whatever tries."""
    return sum(payment.amount_minor for payment in tried if payment.state == "succeeded")


def _provider_of(authorization: Payment | None, *, by_hand: bool) -> str:
    if authorization is not None:
        return authorization.provider
    return BY_HAND if by_hand else STORE_CREDIT


def _key(first: str, attempt: int, by_hand: str | None) -> str:
    if by_hand is not None:
        return f"{first}:{BY_HAND}"
    return first if attempt == 1 else f"{first}:{attempt}"


def _credited(ask: Refund) -> Worth:
    return ask.worth if ask.credited is None else ask.credited


async def _grant(conn: Connection, ask: Refund) -> bool:
    """The customer is owed it from now on. False where it was granted before."""
    credited = _credited(ask)
    new = await refunds.grant(
        conn,
        refund_id=ask.refund_id,
        order_id=ask.order_id,
        kind=ask.kind,
        units=ask.units,
        worth=ask.worth,
        credited=credited,
        currency=ask.currency,
        reason=ask.why,
        who=ask.who,
    )
    if new:
        await ledger.post(
            conn,
            effect=f"granted:{ask.refund_id}",
            order_id=ask.order_id,
            memo=ask.why,
            currency=ask.currency,
            postings=accounts.refund_granted(ask.worth, credited),
        )
    return new


async def _settle_refund(conn: Connection, ask: Refund) -> None:
    """All of it was paid back: the units count as refunded."""
    moves = {line_id: {"refunded": units} for line_id, units in ask.units.items()}
    if ask.kind == "units":
        moves = {k: {"refunded": units, "conceded": units} for k, units in ask.units.items()}
    for line_id, units in ask.unconceded.items():
        moves.setdefault(line_id, {})["conceded"] = -units
    await orders.move_lines(conn, ask.order_id, moves)
    if ask.return_id is not None:
        await returns.set_state(conn, ask.return_id, "refunded")


def _why(ask: Capture) -> str:
    if ask.by_hand is not None:
        return ask.by_hand
    return "the whole order, before it ships" if ask.prepaid else f"{ask.fulfilment_id} shipped"
