"""All that is known of one customer, and finding customers. Reads only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from domain.customers.ids import customer_id, number_in, number_of
from domain.errors import NotFound, Refused
from domain.payments.vouchers import Voucher
from starter.service.customer_care import Consent, KeptNote, consents
from starter.service.customers import ALL, Part
from starter.service.segments import Segments
from store.customers import care, finding, pages
from store.customers.finding import CustomerKind, FoundCustomer, ListedCustomers
from store.customers.pages import Happening, KnownAs, OpenTask, Seen, Sums, TheirOrder
from store.database import Connection, Pool
from store.messages import rows as messages
from store.messages.rows import MessageRow
from store.payments import credit_accounts, vouchers
from store.payments.credit_accounts import CreditAccount


@dataclass(frozen=True)
class CustomerPage:
    """One customer. Lists have the latest `rows` at most; `tasks` the oldest.

    `merged`: the ids of others who are this person. It, `credit`, `vouchers`, `notes`, `consent`,
    `segments` and `messages` are of the person as a whole, for one who sees the whole person.
    """

    customer_id: str
    merged: Sequence[str]
    known_since: datetime
    known_as: Sequence[KnownAs]
    sums: Sequence[Sums]
    orders: Sequence[TheirOrder]
    happened: Sequence[Happening]
    tasks: Sequence[OpenTask]
    credit: Sequence[CreditAccount]
    vouchers: Sequence[Voucher]
    notes: Sequence[KeptNote]
    consent: Sequence[Consent]
    segments: Sequence[str]
    messages: Sequence[MessageRow]


class CustomerPages:
    """Customers by our own ids: `C41`. Who sees a part of the orders sees a part of the page."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def found(
        self, text: str, *, part: Part = ALL, after: int | None = None, at_most: int = 20
    ) -> Sequence[FoundCustomer]:
        """The customers that a text names, the newest first, behind the one with this number.

        By an id, ours or the channel's; a mail address; an order; the last four or more digits of
        a phone number; beginnings of names.
        """
        async with self._pool.acquire() as conn:
            return await finding.found(
                conn,
                text,
                channels=part.channels,
                sellers=part.sellers,
                after=after,
                at_most=at_most,
            )

    async def listed(
        self,
        *,
        kind: CustomerKind | None = None,
        segment: str | None = None,
        part: Part = ALL,
        after: int | None = None,
        at_most: int = 20,
        looks_at: int,
    ) -> ListedCustomers:
        """Customers of a kind, or in a segment as a worker saw it last; or all: the newest first.

        `after`: behind the one with this number. `looks_at`: so many are looked at, and no more.
        """
        async with self._pool.acquire() as conn:
            return await finding.listed(
                conn,
                kind=kind,
                segment=segment,
                channels=part.channels,
                sellers=part.sellers,
                after=after,
                at_most=at_most,
                looks_at=looks_at,
            )

    async def id_of(self, text: str, *, as_it_was: bool = False) -> str:
        """The id of the one customer whom an id, ours or the channel's, or a mail address names.

        `as_it_was`: of one who is merged into another their own. Raises NotFound, and Refused where
        it names several.
        """
        async with self._pool.acquire() as conn:
            number = number_in(text)
            if number is not None and await pages.customer(conn, number):
                return text
            numbers = await pages.own(conn, text) if as_it_was else []
            numbers = numbers or await pages.named(conn, text)
        if not numbers:
            raise NotFound(
                f"there is no customer {text!r}; `orderloom customers find` looks for names, "
                "phone numbers and orders"
            )
        if len(numbers) > 1:
            named = ", ".join(customer_id(one) for one in numbers)
            raise Refused(f"{text!r} names several customers: {named}", reason="several_customers")
        return customer_id(numbers[0])

    async def page(self, customer: str, *, part: Part = ALL, rows: int = 20) -> CustomerPage:
        """All that is known of a customer. Raises NotFound, also for one who is erased.

        The id of one who is merged into another leads to that one's page.
        """
        async with self._pool.acquire() as conn:
            found, seen = await _seen(conn, customer, part)
            sums = await seen.sums(conn)
            if not sums:
                raise _unknown(customer)
            known = await seen.known_as(conn)
            theirs = [str(one.value) for one in known if one.kind == "customer_id"]
            whole = sorted(theirs) if part.is_all else []
            number = found.customer_no
            ours = customer_id(number)
            return CustomerPage(
                customer_id=ours,
                merged=[customer_id(one) for one in found.merged] if part.is_all else [],
                known_since=found.made_at,
                known_as=known,
                sums=sums,
                orders=await seen.orders(conn, at_most=rows),
                happened=await seen.happened(conn, at_most=rows),
                tasks=await seen.tasks(conn, at_most=rows),
                credit=[x for one in whole for x in await credit_accounts.find(conn, one)],
                vouchers=[x for one in whole for x in await vouchers.listed(conn, customer_id=one)],
                notes=await care.notes(conn, number, at_most=rows) if part.is_all else [],
                consent=consents(await care.words(conn, number)) if part.is_all else [],
                segments=await Segments(self._pool).of(ours) if part.is_all else (),
                messages=await _messages(conn, whole, rows),
            )

    async def orders(
        self, customer: str, *, part: Part = ALL, after: int | None = None, at_most: int
    ) -> Sequence[TheirOrder]:
        """A customer's orders, newest first, behind the one with this number. Raises NotFound."""
        async with self._pool.acquire() as conn:
            _, seen = await _seen(conn, customer, part)
            found = await seen.orders(conn, after=after, at_most=at_most)
        if not found and after is None:
            raise _unknown(customer)
        return found

    async def check_seen(self, customer: str, *, part: Part = ALL) -> None:
        """Raises NotFound for a customer who is not there, or has no order that somebody sees."""
        async with self._pool.acquire() as conn:
            _, seen = await _seen(conn, customer, part)
            if not await seen.orders(conn, at_most=1):
                raise _unknown(customer)


async def _seen(conn: Connection, customer: str, part: Part) -> tuple[pages.CustomerRow, Seen]:
    found = await pages.customer(conn, number_of(customer))
    if found is None or found.erased_at is not None:
        raise _unknown(customer)
    return found, Seen(found.customer_no, part.channels, part.sellers)


async def _messages(conn: Connection, channel_ids: Sequence[str], at_most: int) -> list[MessageRow]:
    """What was sent to the customer under any of these ids, the latest first."""
    found = [x for one in channel_ids for x in await messages.of_customer(conn, one, at_most)]
    return sorted(found, key=lambda one: one.event_id, reverse=True)[:at_most]


def _unknown(customer: str) -> NotFound:
    return NotFound(f"there is no customer {customer}")
