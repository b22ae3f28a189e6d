"""All that is known of one customer, for one who speaks with them. Reads only."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, Final, Literal

from pydantic import BaseModel, ConfigDict

from store.database import Connection, load_queries

_sql = load_queries(__file__)

KnownKind = Literal[
    "customer_id",
    "name",
    "email",
    "phone",
    "company",
    "tax_number",
    "locale",
    "address",
    "billing",
    "channel",
    "seller",
]

KNOWN_MAX: Final = 20
"""Of each kind of what is known, so many are shown."""


class _Row(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class CustomerRow(_Row):
    """A customer. `key`: by which orders are recognised as theirs. `merged`: others, who are it."""

    customer_no: int
    key: str
    made_at: datetime
    erased_at: datetime | None
    merged: tuple[int, ...]


class Sums(_Row):
    """What a customer's orders in one currency come to, in minor units.

    `orders_not_kept`: rejected, or cancelled as a whole; `ordered` is without these.
    """

    currency: str
    orders: int
    orders_not_kept: int
    ordered_minor: int
    paid_minor: int
    paid_back_minor: int
    owed_back_minor: int
    units_delivered: int
    units_returned: int
    first_order_at: datetime
    last_order_at: datetime

    @property
    def returned_percent(self) -> Decimal:
        """Of a hundred units that were delivered, so many came back."""
        if not self.units_delivered:
            return Decimal("0.0")
        share = Decimal(100 * self.units_returned) / self.units_delivered
        return share.quantize(Decimal("0.1"), ROUND_HALF_UP)


class KnownAs(_Row):
    """One name, mail address and so on. `value`: a text, or the fields of an address."""

    kind: KnownKind
    value: str | dict[str, Any]
    orders: int
    last_order_id: str
    last_at: datetime


class TheirOrder(_Row):
    """One of a customer's orders, on one line."""

    order_no: int
    order_id: str
    channel: str
    seller: str
    channel_order_id: str
    placed_at: datetime
    state: str
    fulfilment_status: str
    currency: str
    total_minor: int
    paid_minor: int
    paid_back_minor: int


class Happening(_Row):
    """A return, a claim or a refund, with its state. Only a refund has an amount."""

    kind: Literal["return", "claim", "refund"]
    order_id: str
    id: str
    state: str
    reason: str
    currency: str | None
    amount_minor: int | None
    at: datetime


class OpenTask(_Row):
    """What somebody has still to do about an order."""

    kind: Literal["attention", "hold", "claim", "return", "refund", "dispute"]
    order_id: str
    id: str
    what: str
    since: datetime


@dataclass(frozen=True)
class Seen:
    """Whose orders are looked at: one customer's, of these channels and sellers; None: of all."""

    customer_no: int
    channels: Collection[str] | None = None
    sellers: Collection[str] | None = None

    @property
    def _asked(self) -> dict[str, Any]:
        return {
            "customer_no": self.customer_no,
            "channels": None if self.channels is None else sorted(self.channels),
            "sellers": None if self.sellers is None else sorted(self.sellers),
        }

    async def sums(self, conn: Connection) -> list[Sums]:
        """What the orders come to, per currency."""
        return [Sums(**row) async for row in _sql.sums(conn, **self._asked)]

    async def known_as(self, conn: Connection) -> list[KnownAs]:
        """Names, mail addresses and so on, of each kind the latest first."""
        rows = _sql.known_as(conn, at_most=KNOWN_MAX, **self._asked)
        return [KnownAs(**row) async for row in rows]

    async def orders(
        self, conn: Connection, *, after: int | None = None, at_most: int
    ) -> list[TheirOrder]:
        """The orders, newest first, behind the one with the number `after`."""
        rows = _sql.orders(conn, after=after, at_most=at_most, **self._asked)
        return [TheirOrder(**row) async for row in rows]

    async def happened(self, conn: Connection, *, at_most: int) -> list[Happening]:
        """Returns, claims and refunds, the latest first."""
        return [
            Happening(**row) async for row in _sql.happened(conn, at_most=at_most, **self._asked)
        ]

    async def tasks(self, conn: Connection, *, at_most: int) -> list[OpenTask]:
        """What somebody has still to do, the oldest first."""
        return [OpenTask(**row) async for row in _sql.tasks(conn, at_most=at_most, **self._asked)]


async def customer(conn: Connection, customer_no: int) -> CustomerRow | None:
    """The customer with this number, or whom that one is merged into; None: there is none."""
    row = await _sql.customer(conn, customer_no=customer_no)
    return None if row is None else CustomerRow(**row)


async def own(conn: Connection, text: str) -> list[int]:
    """The numbers of the customers whom an id or a guest's mail address is of, merged or not."""
    return [row["customer_no"] async for row in _sql.own(conn, text=text)]


async def named(conn: Connection, text: str) -> list[int]:
    """The numbers of the customers that a channel's id or a mail address is of.

    Of one who is merged into another, the number of that one.
    """
    return [row["customer_no"] async for row in _sql.named(conn, text=text) if row["customer_no"]]
