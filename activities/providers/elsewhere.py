"""Payments that were taken before their orders came, by the shop that sends the orders.

The token of such an order names its payment there. The money is with the shop already, so an
authorization or a charge succeeds at once, and nobody is called. What is to be paid back is paid
back there: through the shop's client where it gave us access, and otherwise by a person: the step
asks one, and the answer `done` books it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, NoReturn, TypeVar

from activities.extension import Extension, NoSettings
from activities.payments.no_company import NoCompany
from activities.payments.provider import PaymentKind, PaymentReceipt
from activities.provider_errors import DeclineCode, Declined, Unavailable
from activities.shops.client import ODD, NotThere, Refunded, ShopClient, ShopFault, ShopSaysNo
from activities.shops.clients import ShopClients
from domain import ids
from domain.errors import InvalidInput
from domain.money import Money
from domain.orders.providers import ELSEWHERE
from store import clock
from store.database import DatabaseFault, Pool
from store.payments import elsewhere, payments
from store.shops import contacts

T = TypeVar("T")

STILL_AT_IT: Final = timedelta(minutes=5)
"""A refund whose call got no answer can still be made for so long, where the shop knows no keys."""


@dataclass(frozen=True)
class _Shop:
    """The shop that has the money of an order, and its own id of the order."""

    client: ShopClient
    subject: str


class Elsewhere(NoCompany):
    """A `PaymentProvider` without a company of its own: the shop is asked, where it can be.

    `clients`: left out, everything is paid back by hand.
    """

    def __init__(self, pool: Pool, clients: ShopClients | None = None) -> None:
        self._pool = pool
        self._clients = clients

    async def authorize(
        self, *, key: str, order_id: str, amount: Money, token: str
    ) -> PaymentReceipt:
        """The amount is there. Its reference is the token: the shop's name of the payment."""
        return _there(key, "authorize", token, token, order_id, amount)

    async def capture(self, *, key: str, authorization: str, amount: Money) -> PaymentReceipt:
        """The amount was taken before."""
        return _there(key, "capture", key, authorization, "", amount)

    async def void(self, *, key: str, authorization: str) -> PaymentReceipt:
        """Raises Declined: the money is taken already. It can be paid back, not released."""
        _ask_a_person(authorization)

    async def refund(self, *, key: str, authorization: str, amount: Money) -> PaymentReceipt:
        """Have the shop pay it back.

        Raises Declined where a person has to, and AMOUNT_TOO_LARGE where the shop has paid back
        something by itself that is not on record here: that may be the same money.
        """
        order_id = ids.order_of(key)
        shop = await self._shop(order_id, authorization)
        if shop is None:
            _ask_a_person(authorization, f"{amount} of it")
        try:
            made = await _asked(shop.client.refunds(shop.subject))
            if unknown := await self._unknown(order_id, made):
                raise Declined(
                    DeclineCode.AMOUNT_TOO_LARGE,
                    f"the shop has paid back {', '.join(str(one.amount) for one in unknown)} by "
                    "itself, which is not on record here yet",
                )
            if not shop.client.knows_keys:
                await self._begin(key)
            refunded = await _asked(shop.client.refund(shop.subject, key, amount))
        except ShopSaysNo as error:
            _ask_a_person(authorization, f"{amount} of it", why=f"the shop does not: {error}")
        return _receipt(refunded, authorization, order_id)

    async def lookup(
        self, *, key: str, kind: PaymentKind, authorization: str | None, since: datetime
    ) -> PaymentReceipt | None:
        """A refund, by its key. None for all else: a repeat of the call gets the same answer."""
        order_id = ids.order_of(key)
        if kind != "refund" or authorization is None:
            return None
        shop = await self._shop(order_id, authorization)
        if shop is None:
            return None
        found = [one for one in await self._refunds(shop) if one.key == key]
        return _receipt(found[0], authorization, order_id) if found else None

    async def operations(self, order_id: str) -> tuple[PaymentReceipt, ...]:
        """What the shop has paid back of an order: all else it does not tell us."""
        async with self._pool.acquire() as conn:
            made = await payments.of_order(conn, order_id)
        tokens = {
            one.reference
            for one in made
            if (one.kind, one.provider) == ("authorize", ELSEWHERE) and one.reference
        }
        found: list[PaymentReceipt] = []
        for token in sorted(tokens):
            shop = await self._shop(order_id, token)
            if shop is not None:
                refunds = await self._refunds(shop)
                found += [_receipt(one, token, order_id) for one in refunds]
        return tuple(sorted(found, key=lambda one: one.at))

    async def _shop(self, order_id: str, token: str) -> _Shop | None:
        """None: a person pays back there."""
        if self._clients is None:
            return None
        channel = order_id.partition("-")[0]
        async with self._pool.acquire() as conn:
            contact = await contacts.of_channel(conn, channel)
        if contact is None or not contact.options.refund_there:
            return None
        prefix = f"{contact.kind}-"
        subject = token.removeprefix(prefix)
        if not token.startswith(prefix) or not (subject.isascii() and subject.isdecimal()):
            return None
        return _Shop(self._clients.of(contact), subject)

    async def _refunds(self, shop: _Shop) -> Sequence[Refunded]:
        try:
            return await _asked(shop.client.refunds(shop.subject))
        except NotThere as error:
            raise Declined(DeclineCode.NOT_FOUND, str(error)) from error
        except ShopSaysNo as error:  # That says nothing of a refund which was sent before.
            raise Unavailable(f"the shop: {error}") from error

    async def _begin(self, key: str) -> None:
        """Raises Unavailable while a call for the same refund may be under way there."""
        async with self._pool.acquire() as conn:
            if not await payments.begin_call(conn, key, STILL_AT_IT):
                raise Unavailable("the shop may still be at it: it is asked again in some minutes")

    async def _unknown(self, order_id: str, made: Sequence[Refunded]) -> list[Refunded]:
        """What the shop has paid back by itself, and is not on record here.

        Also what it has paid although it had refused to, when we asked for it.
        """
        async with self._pool.acquire() as conn:
            known = await payments.of_order(conn, order_id)
        ours = {one.payment_key for one in known if one.open or one.done}
        return [
            one
            for one in made
            if one.key not in ours and not elsewhere.is_recorded(known, ELSEWHERE, one.reference)
        ]


async def _asked(call: Awaitable[T]) -> T:
    """What a shop answers. Raises ShopSaysNo, and Unavailable where nobody knows what it did."""
    try:
        return await call
    except (ShopSaysNo, *DatabaseFault):
        raise
    except ShopFault as fault:
        raise Unavailable(f"the shop: {fault}") from fault
    except (InvalidInput, *ODD) as error:
        raise Unavailable("the shop answered in a way that is not understood") from error


def _receipt(refunded: Refunded, authorization: str, order_id: str) -> PaymentReceipt:
    return PaymentReceipt(
        key=refunded.key,
        kind="refund",
        reference=refunded.reference,
        authorization=authorization,
        order_id=order_id,
        amount=refunded.amount,
        at=refunded.at,
    )


def _there(
    key: str, kind: PaymentKind, reference: str, authorization: str, order_id: str, amount: Money
) -> PaymentReceipt:
    return PaymentReceipt(
        key=key,
        kind=kind,
        reference=reference,
        authorization=authorization,
        order_id=order_id,
        amount=amount,
        at=clock.now(),
    )


def _ask_a_person(payment: str, amount: str = "what is left of it", why: str = "") -> NoReturn:
    reason = f"{why}; " if why else ""
    raise Declined(
        DeclineCode.REFUND_REFUSED,
        f"{reason}it was paid where it was sold, as {payment}: see whether {amount} was paid back "
        "there; pay it back where it was not, and answer done",
    )


EXTENSION: Final = Extension(
    name=ELSEWHERE,
    settings=NoSettings,
    payment=lambda _settings, tools: Elsewhere(tools.pool, tools.shops),
)
