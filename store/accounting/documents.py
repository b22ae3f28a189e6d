"""Invoices and credit notes: issued in the transaction of their cause, and never changed.

Numbers run without a gap in each series (a seller, a kind, a format, and a year if the format has
one), also when many are issued at once or are rolled back: the series' counter is a row that stays
locked until the transaction ends. See store/locks.py: nothing may be locked after it.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import date, datetime
from typing import Any

from pydantic import BaseModel, ConfigDict

from domain.accounting.documents import Content, Earlier, Issued, Kind, compose
from domain.errors import Conflict, InvalidInput, NotFound
from domain.orders.amounts import NOTHING, Worth
from domain.orders.order import Order
from domain.orders.quantities import LineUnits
from domain.sellers import Seller
from domain.stored import stored
from domain.words import few
from store.database import Connection, Record, load_queries

__all__ = ["DocumentRow", "content_of", "get", "is_issued", "issue", "newest", "of_order"]

_sql = load_queries(__file__)


class DocumentRow(BaseModel):
    """A document as one line of a list; the total in minor units."""

    model_config = ConfigDict(frozen=True)

    number: str
    seller: str
    kind: Kind
    order_id: str
    part_id: str
    currency: str
    total_minor: int
    issued_on: date
    issued_at: datetime


async def issue(
    conn: Connection,
    *,
    kind: Kind,
    order_id: str,
    part_id: str,
    lines: LineUnits,
    worth: Worth,
    restocking: Worth = NOTHING,
    reason: str = "",
    about: str | None = None,
) -> str:
    """Issue the invoice of a fulfilment, or the credit note of a refund; returns its number.

    `about`: the line whose price a credit note without units lowers.

    Once per part: the same call again returns the same number. `lines`: line id → units; a credit
    note may have none. `restocking`: the fee for that, which `worth` is without. The caller
    holds the order's lock, and locks nothing after this.

    Raises NotFound for an unknown order, Conflict when the part has a document of another worth,
    and Refused for units or amounts that cannot be.
    """
    basis = await _sql.basis(conn, order_id=order_id, kind=kind, part_id=part_id)
    if basis is None:
        raise NotFound(f"there is no order {order_id}; `orderloom orders` lists what is there")
    if basis["number"] is not None:
        return _same(basis, part_id, worth)
    supplied_on = (basis["handed_over_on"] or basis["today"]) if kind == "invoice" else None
    content = content_of(
        basis,
        kind=kind,
        part_id=part_id,
        lines=lines,
        worth=worth,
        supplied_on=supplied_on,
        restocking=restocking,
        reason=reason,
        about=about,
    )
    number: str = await _sql.append(
        conn,
        kind=kind,
        order_id=order_id,
        part_id=part_id,
        currency=content.currency,
        worth=worth.model_dump(),
        content=content.model_dump(mode="json"),
    )
    return number


def content_of(
    basis: Mapping[str, Any],
    *,
    kind: Kind,
    part_id: str,
    lines: LineUnits,
    worth: Worth,
    supplied_on: date | None,
    restocking: Worth = NOTHING,
    reason: str = "",
    about: str | None = None,
) -> Content:
    """What is printed on a document, from all that the function `document_basis` has found."""
    return compose(
        stored(Order, basis["placed"]),
        kind=kind,
        part_id=part_id,
        units=lines,
        worth=worth,
        seller=Seller.stored(basis["seller"]),
        supplied_on=supplied_on,
        names=basis["names"],
        earlier=[Earlier.model_validate(one) for one in basis["earlier"]],
        restocking=restocking,
        reason=reason,
        about=about,
    )


def _same(basis: Record, part_id: str, worth: Worth) -> str:
    number: str = basis["number"]
    issued = Worth(**{name: basis[name] for name in Worth.model_fields})
    if issued != worth:
        raise Conflict(
            f"{part_id} has {number} already, of another worth: {issued} and not {worth}, in minor "
            "units; what was issued is credited, never changed"
        )
    return number


async def get(
    conn: Connection,
    number: str,
    *,
    seller: str | None = None,
    sellers: Collection[str] | None = None,
) -> Issued:
    """A document as it was issued. `sellers`: of one of these alone.

    Raises NotFound, and InvalidInput where several sellers have one of this number.
    """
    asked = {"number": number, "seller": seller, "sellers": _some(sellers)}
    rows = [row async for row in _sql.documents_numbered(conn, **asked)]
    if not rows:
        raise NotFound(
            f"there is no document {number}; `orderloom invoices` lists what has been issued"
        )
    if len({row["seller"] for row in rows}) > 1:
        codes = few([row["seller"] for row in rows], "seller")
        raise InvalidInput(f"{codes} each have a document {number}: say whose", where="--seller")
    row = rows[0]
    return Issued(number=row["number"], issued_on=row["issued_on"], **row["content"])


async def is_issued(conn: Connection, kind: Kind, part_id: str) -> bool:
    """Whether the part has its document of this kind."""
    return bool(await _sql.is_issued(conn, kind=kind, part_id=part_id))


async def of_order(
    conn: Connection,
    order_id: str,
    *,
    after: tuple[datetime, str] | None = None,
    at_most: int | None = None,
) -> list[DocumentRow]:
    """An order's documents in the order of their issue. Raises NotFound for an unknown order.

    `after`: behind the one that was issued then and has this number.
    """
    at, number = after or (None, None)
    found = _sql.documents_of(
        conn, order_id=order_id, after_at=at, after_number=number, at_most=at_most
    )
    rows = [DocumentRow(**row) async for row in found]
    if not rows and not await _sql.order_is_there(conn, order_id=order_id):
        raise NotFound(f"there is no order {order_id}; `orderloom orders` lists what is there")
    return rows


async def newest(
    conn: Connection,
    limit: int,
    *,
    kind: Kind | None = None,
    first: date | None = None,
    last: date | None = None,
    seller: str | None = None,
    sellers: Collection[str] | None = None,
    after: tuple[datetime, str, str] | None = None,
) -> list[DocumentRow]:
    """The documents of all orders, newest first, `limit` at most; or those of a seller.

    `first`, `last`: issued on these days. `sellers`: of one of these alone. `after`: behind the one
    that was issued then, has this number, and is of this seller.
    """
    at, number, whose = after or (None, None, None)
    rows = _sql.newest(
        conn,
        limit=limit,
        kind=kind,
        first=first,
        last=last,
        seller=seller,
        sellers=_some(sellers),
        after_at=at,
        after_number=number,
        after_seller=whose,
    )
    return [DocumentRow(**row) async for row in rows]


def _some(sellers: Collection[str] | None) -> list[str] | None:
    return None if sellers is None else sorted(sellers)
