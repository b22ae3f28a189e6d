"""Orders that came by EDI: what their customers asked for, and what is to be told of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

from pydantic import TypeAdapter

from domain.accounting.documents import Issued
from domain.edi.answers import Parcel, Standing
from domain.edi.asked import AskedOrder
from domain.orders.people import Address
from domain.stored import stored
from store.database import Connection, Record, load_queries

_sql = load_queries(__file__)
_STANDS: Final = TypeAdapter(dict[str, Standing])


@dataclass(frozen=True)
class ToTell:
    """An order whose customer is told what becomes of it. `reason`: why it is not sent.

    `told`: how each line stood when the customer heard of it last. `latest`: what happened to it
    last, an event's id; `told_event`: what had happened to it then.
    """

    order_id: str
    order_no: int
    partner: str
    asked: AskedOrder
    is_answered: bool
    decision: str
    reason: str | None
    decided_at: datetime
    told: Mapping[str, Standing]
    latest: int
    told_event: int
    error: str | None
    """Why what is due could not be told."""


async def keep(conn: Connection, order_id: str, partner: str, asked: AskedOrder) -> None:
    """Keep how a customer wrote its order, in the transaction that takes it in."""
    await _sql.keep(conn, order_id=order_id, partner=partner, asked=asked.model_dump(mode="json"))


async def asked(conn: Connection, order_id: str) -> AskedOrder | None:
    """How its customer wrote it; None: it did not come by EDI."""
    found = await _sql.asked(conn, order_id=order_id)
    return None if found is None else AskedOrder.model_validate(found)


async def ask(conn: Connection, order_id: str, asked: AskedOrder) -> None:
    """Its customer wants something else from now on."""
    await _sql.ask(conn, order_id=order_id, asked=asked.model_dump(mode="json"))


async def known_skus(conn: Connection, skus: Sequence[str]) -> frozenset[str]:
    """Those of these SKUs that we sell."""
    return frozenset([row["sku"] async for row in _sql.known_skus(conn, skus=list(skus))])


async def placed(conn: Connection, order_id: str) -> Record | None:
    """How an order stands that is on record: digest, decision, state."""
    row: Record | None = await _sql.placed(conn, order_id=order_id)
    return row


async def to_tell(conn: Connection, after: str, at_most: int) -> list[ToTell]:
    """The next orders, by their ids, of which something can be told."""
    return [
        ToTell(
            order_id=row["order_id"],
            order_no=row["order_no"],
            partner=row["partner"],
            asked=AskedOrder.model_validate(row["asked"]),
            is_answered=row["answered_at"] is not None,
            decision=row["decision"],
            reason=row["reason"],
            decided_at=row["decided_at"],
            told=_STANDS.validate_python(row["told"] or {}),
            latest=row["latest"],
            told_event=row["told_event"],
            error=row["error"],
        )
        async for row in _sql.to_tell(conn, after=after, at_most=at_most)
    ]


async def lines(conn: Connection, order_no: int) -> tuple[dict[str, Standing], dict[str, str]]:
    """How each line stands, and its SKU, by line id."""
    rows = [row async for row in _sql.lines(conn, order_no=order_no)]
    stands = {
        row["line_id"]: Standing(row["wanted"], row["waiting"], row["promised_on"]) for row in rows
    }
    return stands, {row["line_id"]: row["sku"] for row in rows}


async def lines_of(conn: Connection, order_id: str) -> tuple[dict[str, Standing], dict[str, str]]:
    """The same, of an order by its id."""
    return await lines(conn, await _sql.number_of(conn, order_id=order_id))


async def parcels(conn: Connection, order_no: int) -> list[Parcel]:
    """Its parcels that have left."""
    address = await _sql.address(conn, order_no=order_no)
    to = None if address is None else stored(Address, address)
    return [
        Parcel(
            shipment_id=row["fulfilment_id"],
            left_at=row["handed_over_at"],
            carrier=row["carrier"],
            tracking_number=row["tracking_number"],
            units=_units(row["units"]),
            location=row["location"],
            to=to,
        )
        async for row in _sql.parcels(conn, order_no=order_no)
    ]


def _units(found: Mapping[str, Any] | None) -> dict[str, int]:
    return {line_id: int(units) for line_id, units in (found or {}).items()}


async def bills(conn: Connection, order_no: int) -> list[Issued]:
    """Its invoices and credit notes, oldest first."""
    return [
        Issued.model_validate(
            {**row["content"], "number": row["number"], "issued_on": _day(row["issued_on"])}
        )
        async for row in _sql.bills(conn, order_no=order_no)
    ]


def _day(day: date) -> str:
    return day.isoformat()


async def told(
    conn: Connection,
    order_id: str,
    stands: Mapping[str, Standing],
    event: int,
    *,
    since: int | None = None,
) -> bool:
    """Its customer is told how it stands. `event`: what happened to it until then.

    False: it was told something since that other event, in between.
    """
    lines = _STANDS.dump_python(dict(stands), mode="json")
    return (
        await _sql.told(conn, order_id=order_id, told=lines, event=event, since=since) is not None
    )


async def cannot_be_told(conn: Connection, order_id: str, error: str | None) -> None:
    """A person is needed until what is due of it can be told; None: it can."""
    await _sql.cannot_be_told(conn, order_id=order_id, error=error)


async def latest(conn: Connection, order_id: str) -> int:
    """What happened to it last: the id of an event."""
    event: int = await _sql.latest(conn, order_id=order_id)
    return event


async def ended(conn: Connection, order_id: str) -> None:
    """Nothing of it is told any more."""
    await _sql.ended(conn, order_id=order_id)
