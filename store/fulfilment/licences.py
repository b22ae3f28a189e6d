"""Codes that are sold: each is given out once, and is then a secret of the order's customer."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from pydantic import BaseModel, ConfigDict

from domain.errors import IllegalTransition
from domain.orders.charges import Charges
from domain.orders.quantities import LineUnits
from store.database import Connection, load_queries
from store.orders import events

_sql = load_queries(__file__)

_ALL: Final = 1_000_000_000


class Given(BaseModel):
    """A code that an order's customer has. `revoked_at`: it was paid back, and is good no more."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    line_id: str
    fulfilment_id: str
    sku: str
    code: str
    given_at: datetime
    revoked_at: datetime | None


class CodesOfSku(BaseModel):
    """How many codes of a SKU there are at a location. Revoked ones are among the given ones."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    sku: str
    location: str
    free: int
    given: int
    revoked: int


async def add(conn: Connection, codes: Sequence[tuple[str, str]], location: str) -> dict[str, int]:
    """Add codes, as (SKU, code). Returns SKU → how many of them are new.

    The caller receives as many units of stock in the same transaction.
    """
    rows = _sql.add(
        conn,
        skus=[sku for sku, _ in codes],
        codes=[code for _, code in codes],
        location=location,
    )
    return {row["sku"]: row["units"] async for row in rows}


async def give(conn: Connection, fulfilment_id: str) -> None:
    """Give out the codes of a fulfilment, in the transaction of its hand-over; a repeat gives none.

    Raises IllegalTransition where the stock said that there are more codes than there are.
    """
    lacking = await _sql.give(conn, fulfilment_id=fulfilment_id)
    if lacking:
        raise IllegalTransition(
            f"{lacking} codes for {fulfilment_id} are lacking, although the stock says that they "
            "are there: `orderloom codes import` adds codes; never count them as stock by hand"
        )


async def of_order(conn: Connection, order_id: str) -> list[Given]:
    """The codes that an order's customer was given, in that sequence."""
    return [Given(**row) async for row in _sql.of_order(conn, order_id=order_id)]


async def revoke(
    conn: Connection,
    order_id: str,
    request_id: str,
    units: LineUnits,
    charges: Charges,
    *,
    who: str,
    why: str,
) -> None:
    """Revoke the codes of units that are paid back, and tell it, once for each request.

    `charges`: with that taken into account. Where the customer has paid for no unit of a line any
    more, all its codes go, also those in whose place others were given out.
    """
    if not units:
        return
    counts = [count if charges.concedable(k) else _ALL for k, count in units.items()]
    rows = _sql.revoke(conn, order_id=order_id, line_ids=list(units), quantities=counts)
    revoked = {row["line_id"]: row["units"] async for row in rows}
    if revoked:
        await events.tell(
            conn,
            order_id,
            f"revoke:{request_id}",
            "codes revoked",
            who=who,
            why=why,
            data={"units": revoked},
        )


async def counts(conn: Connection, sku: str | None = None) -> list[CodesOfSku]:
    """How many codes there are, of one SKU or of all."""
    return [CodesOfSku(**row) async for row in _sql.counts(conn, sku=sku)]
