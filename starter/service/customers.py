"""What is known of a person: shown, handed out whole, and erased."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final, Literal

from pydantic import BaseModel, ConfigDict

from domain.customers.ids import customer_id
from domain.errors import NotFound, Refused
from domain.payments.vouchers import Voucher
from store.customers import people
from store.customers.people import KnownFor, PersonsOrder
from store.database import Connection, Pool
from store.payments import credit_accounts, vouchers
from store.payments.credit_accounts import CreditAccount

_ABOUT: Final = ("customer", "billing", "note", "gift_message", "extra")


class ErasedOrder(BaseModel):
    """What became of one order's person. Its `documents` stay whole until `documents_until`.

    `waits`: the person has still to be known (`known_for`). It is erased as soon as that is over,
    and nobody has to ask again.
    """

    model_config = ConfigDict(frozen=True)

    order_id: str
    state: str
    outcome: Literal["erased", "erased_before", "waits"]
    known_for: KnownFor | None
    documents: int
    documents_until: date | None


class Erased(BaseModel):
    """What was erased of a customer, and what is kept. `credit`: accounts with a balance."""

    model_config = ConfigDict(frozen=True)

    orders: tuple[ErasedOrder, ...]
    credit: tuple[CreditAccount, ...]


@dataclass(frozen=True)
class Part:
    """Which orders of a person somebody may see. None: of all channels, of all sellers.

    Store credit belongs to the person as a whole: who sees a part has nothing to do with it.
    """

    channels: Collection[str] | None = None
    sellers: Collection[str] | None = None

    @property
    def is_all(self) -> bool:
        """It is the whole person."""
        return self.channels is None and self.sellers is None


ALL: Final = Part()


class Customers:
    """The persons behind orders, named by an id, ours or the channel's, or by a mail address.

    `documents_years`: documents stay whole for so long after the year of their issue.
    """

    def __init__(self, pool: Pool, *, documents_years: int = 10) -> None:
        self._pool = pool
        self._years = documents_years

    async def orders_of(
        self,
        customer: str,
        *,
        part: Part = ALL,
        after: int | None = None,
        at_most: int | None = None,
    ) -> Sequence[PersonsOrder]:
        """Their orders, newest first, with what is known of the person.

        `after`: behind the order with this number. Raises NotFound, and Refused
        (`several_customers`) for an id that is ours of one person and a channel's of another.
        """
        found = await self._orders(customer, part, after=after, at_most=at_most)
        if not found and after is None:
            raise _unknown(customer)
        return found

    async def _orders(
        self, customer: str, part: Part, *, after: int | None = None, at_most: int | None = None
    ) -> Sequence[PersonsOrder]:
        async with self._pool.acquire() as conn:
            return await _orders_of(conn, customer, part, after=after, at_most=at_most)

    async def _orders_or_credit_of(
        self, customer: str, part: Part, *, at_most: int | None = None
    ) -> Sequence[PersonsOrder]:
        """The same of one who may have nothing but store credit or a voucher, and no order."""
        found = await self._orders(customer, part, at_most=at_most)
        if found:
            return found
        named = await self._names(customer, found)
        if part.is_all and (await self._credit(named) or await self._vouchers(named)):
            return found
        raise _unknown(customer)

    async def _names(self, customer: str, orders: Iterable[PersonsOrder]) -> list[str]:
        """The ids under which a channel may know the person. Ours is another name for nobody."""
        async with self._pool.acquire() as conn:
            is_ours = (await people.namesake(conn, customer)).is_ours
        named = {order.customer_id for order in orders}
        return sorted(named if is_ours else {customer, *named})

    async def _credit(self, names: Iterable[str]) -> list[CreditAccount]:
        async with self._pool.acquire() as conn:
            return [x for one in names for x in await credit_accounts.find(conn, one)]

    async def _vouchers(self, names: Iterable[str]) -> list[Voucher]:
        """The vouchers and gift cards that are for one of them alone."""
        async with self._pool.acquire() as conn:
            return [x for one in names for x in await vouchers.listed(conn, customer_id=one)]

    async def export(
        self, customer: str, *, part: Part = ALL, orders_max: int | None = None
    ) -> dict[str, Any]:
        """What is stored about a person, as one document. Raises NotFound.

        Without the files of labels, and without payment companies' raw messages. Raises Refused
        where there are more orders than `orders_max`.
        """
        at_most = None if orders_max is None else orders_max + 1
        orders = await self._orders_or_credit_of(customer, part, at_most=at_most)
        if orders_max is not None and len(orders) > orders_max:
            raise Refused(
                f"there are more than {orders_max:,} orders: `orderloom customers export` hands "
                "out so many"
            )
        async with self._pool.acquire() as conn:
            about = [
                {
                    **order.model_dump(mode="json", exclude={"order_no"}),
                    **await people.told_about(conn, order.order_no),
                }
                for order in orders
            ]
            written = {} if not part.is_all else await people.written_about(conn, customer)
        ids = await self._names(customer, orders)
        credit = await self._credit(ids) if part.is_all else []
        given = await self._vouchers(ids) if part.is_all else []
        return {
            "customer": customer,
            "orders": about,
            "credit": [account.model_dump(mode="json") for account in credit],
            "vouchers": [voucher.model_dump(mode="json") for voucher in given],
            **{kind: written.get(kind, []) for kind in ("notes", "consent", "merges", "segments")},
        }

    async def erase(
        self,
        customer: str,
        *,
        who: str,
        why: str,
        part: Part = ALL,
        documents_years: int | None = None,
    ) -> Erased:
        """Erase a person: at once where an order has ended, else as soon as it has.

        Amounts, units and days stay, and documents stay whole for the rest of the year of issue and
        `documents_years` more. Asked for again, it says the same of what is left. Of a `part` of
        the person, only these orders are erased. Raises NotFound.
        """
        years = self._years if documents_years is None else documents_years
        await self._orders_or_credit_of(customer, part, at_most=1)
        async with self._pool.acquire() as conn, conn.transaction():
            # Who is just being merged with them is asked for as well; from then on nobody is.
            await people.hold(conn, customer)
            orders = await _orders_of(conn, customer, part)
            await people.ask(conn, [order.order_no for order in orders])
        named = await self._names(customer, orders)
        done = []
        for order in orders:
            async with self._pool.acquire() as conn, conn.transaction():
                await people.erase(conn, order.order_no, years=years, who=who, why=why)
                became = await _outcome(conn, order)
                if became.outcome == "waits" and order.asked_at is None:
                    await people.tell_asked(conn, order.order_no, who=who, why=why)
                done.append(became)
        if not part.is_all:
            return Erased(orders=tuple(done), credit=())
        if all(one.outcome != "waits" for one in done):
            async with self._pool.acquire() as conn:
                await people.erase_credit(conn, named)
        return Erased(orders=tuple(done), credit=tuple(await self._credit(named)))


def about(order: PersonsOrder) -> dict[str, Any]:
    """The parts of an order's document that are about its person, those that are given."""
    document = order.document
    shipping = document.get("shipping") or {}
    parts = {**{part: document.get(part) for part in _ABOUT}, "address": shipping.get("address")}
    return {part: value for part, value in parts.items() if value}


async def _orders_of(
    conn: Connection,
    customer: str,
    part: Part,
    *,
    after: int | None = None,
    at_most: int | None = None,
) -> Sequence[PersonsOrder]:
    named = await people.namesake(conn, customer)
    if named.namesake is not None:
        raise Refused(
            f"{customer} is our id of one customer, and a channel's id of another one, "
            f"{customer_id(named.namesake)}: name the one by a channel's id or a mail address, and "
            "the other by our id",
            reason="several_customers",
        )
    return await people.orders_of(
        conn,
        customer,
        channels=part.channels,
        sellers=part.sellers,
        after=after,
        at_most=at_most,
    )


def _unknown(customer: str) -> NotFound:
    return NotFound(
        f"there is no order of {customer!r}; write the customer's id as the channel has it,"
        " or a mail address"
    )


async def _outcome(conn: Connection, order: PersonsOrder) -> ErasedOrder:
    """How it stands by now, whoever did it."""
    now = await people.standing(conn, order.order_no)
    done: Literal["erased", "erased_before"] = "erased_before" if order.erased_at else "erased"
    return ErasedOrder(
        order_id=order.order_id,
        state=order.state,
        outcome="waits" if now.erased_at is None else done,
        known_for=now.known_for if now.erased_at is None else None,
        documents=now.documents,
        documents_until=now.until,
    )
