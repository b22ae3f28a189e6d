"""What is known of a person: shown, handed out whole, and erased."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any, Final, Literal

from pydantic import BaseModel, ConfigDict

from domain.errors import NotFound
from store.customers import people
from store.customers.people import KnownFor, PersonsOrder
from store.database import Connection, Pool
from store.payments import credit_accounts
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


class Customers:
    """The persons behind orders. A customer is named by the channel's id, or by a mail address."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def orders_of(self, customer: str) -> Sequence[PersonsOrder]:
        """Their orders, newest first, with what is known of the person. Raises NotFound."""
        async with self._pool.acquire() as conn:
            found = await people.orders_of(conn, customer)
        if not found:
            raise _unknown(customer)
        return found

    async def _orders_or_credit_of(self, customer: str) -> Sequence[PersonsOrder]:
        """The same of one who may have nothing but store credit, and no order."""
        async with self._pool.acquire() as conn:
            found = await people.orders_of(conn, customer)
            if not found and not await credit_accounts.find(conn, customer):
                raise _unknown(customer)
        return found

    async def export(self, customer: str) -> dict[str, Any]:
        """What is stored about a person, as one document. Raises NotFound.

        Without the files of labels, and without payment companies' raw messages.
        """
        orders = await self._orders_or_credit_of(customer)
        async with self._pool.acquire() as conn:
            about = [
                {
                    **order.model_dump(mode="json", exclude={"order_no"}),
                    **await people.told_about(conn, order.order_no),
                }
                for order in orders
            ]
            ids = sorted({customer, *(order.customer_id for order in orders)})
            credit = [x for one in ids for x in await credit_accounts.find(conn, one)]
        return {
            "customer": customer,
            "orders": about,
            "credit": [account.model_dump(mode="json") for account in credit],
        }

    async def erase(self, customer: str, *, documents_years: int, who: str, why: str) -> Erased:
        """Erase a person: at once where an order has ended, else as soon as it has.

        Amounts, units and days stay, and documents stay whole for the rest of the year of issue and
        `documents_years` more. Asked for again, it says the same of what is left. Raises NotFound.
        """
        orders = await self._orders_or_credit_of(customer)
        async with self._pool.acquire() as conn:
            await people.ask(conn, [order.order_no for order in orders])
        done = []
        for order in orders:
            async with self._pool.acquire() as conn, conn.transaction():
                await people.erase(conn, order.order_no, years=documents_years, who=who, why=why)
                became = await _outcome(conn, order)
                if became.outcome == "waits" and order.asked_at is None:
                    await people.tell_asked(conn, order.order_no, who=who, why=why)
                done.append(became)
        names = sorted({customer, *(order.customer_id for order in orders)})
        async with self._pool.acquire() as conn:
            if all(one.outcome != "waits" for one in done):
                await people.erase_credit(conn, names)
            credit = [x for one in names for x in await credit_accounts.find(conn, one)]
        return Erased(orders=tuple(done), credit=tuple(credit))


def about(order: PersonsOrder) -> dict[str, Any]:
    """The parts of an order's document that are about its person, those that are given."""
    document = order.document
    shipping = document.get("shipping") or {}
    parts = {**{part: document.get(part) for part in _ABOUT}, "address": shipping.get("address")}
    return {part: value for part, value in parts.items() if value}


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
