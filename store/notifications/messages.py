"""Events as they are sent and read: made when they are asked for, by the story and the order.

They are kept nowhere: what is erased from an order is in no event that is sent later.
"""

from __future__ import annotations

import logging
import traceback
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import cast

from domain.customers.care import UNLESS_SAID
from domain.customers.ids import customer_id
from domain.errors import OrderloomError
from domain.notifications.catalogue import (
    OWN_SOURCE,
    SOURCE,
    Message,
    data_of,
    sequence_text,
)
from domain.notifications.customer_catalogue import ToldCustomer, customer_data_of
from domain.notifications.event_types import CustomerEventType, OrderEventType
from store.database import Connection, DatabaseFault, Pool, load_queries
from store.faults import is_of_a_value
from store.views.snapshots import snapshots

logger = logging.getLogger(__name__)

_sql = load_queries(__file__)


@dataclass(frozen=True)
class EventOut:
    """An event in the sequence: a line of an order's story, or a change of a customer.

    `event_id`: the line's number, or the change's.
    """

    position: int
    order_no: int | None
    customer_no: int | None
    event_id: int
    type: str
    at: datetime

    @property
    def lane(self) -> int:
        """Whose events keep their sequence: the order's; below zero, the customer's."""
        return -(self.customer_no or 0) if self.order_no is None else self.order_no

    @property
    def message_id(self) -> str:
        """The same whenever it is sent.

        With its time: after an older backup was brought back, other events get numbers that
        receivers know.
        """
        since_1970 = self.at - datetime(1970, 1, 1, tzinfo=UTC)
        kind = "evt" if self.customer_no is None else "evt_c"
        return f"{kind}_{self.event_id}_{since_1970 // timedelta(microseconds=1):x}"


@dataclass
class Made:
    """By position: what is sent, and of the others why they cannot be made."""

    messages: dict[int, Message] = field(default_factory=dict)
    defects: dict[int, str] = field(default_factory=dict)


async def make(pool: Pool, events: Sequence[EventOut]) -> Made:
    """Make what is sent. One that cannot be made is a defect of ours, and stops no other one.

    Raises DatabaseFault where the database is away.
    """
    made = Made()
    try:
        await _make_into(made, pool, events)
    except Exception as error:  # noqa: BLE001 - whatever is wrong with one must not stop the others
        _raise_if_away(error)
        # Each alone, on a connection that has looked for currencies that were new here.
        for event in events:
            try:
                await _make_into(made, pool, [event])
            except Exception as defect:  # noqa: BLE001 - see above
                _raise_if_away(defect)
                made.defects[event.position] = _told(event, defect)
    return made


async def _make_into(made: Made, pool: Pool, events: Sequence[EventOut]) -> None:
    about_orders = [event for event in events if event.order_no is not None]
    about_customers = [event for event in events if event.order_no is None]
    if about_orders:
        await _make_of_orders(made, pool, about_orders)
    if about_customers:
        await _make_of_customers(made, pool, about_customers)


async def _make_of_customers(made: Made, pool: Pool, events: Sequence[EventOut]) -> None:
    async with pool.acquire() as conn:
        found = _sql.customers(
            conn,
            customer_nos=[event.customer_no for event in events],
            change_nos=[event.event_id for event in events],
        )
        rows = {row["change_no"]: row async for row in found}
    for event in events:
        row = rows[event.event_id]
        customer = ToldCustomer(
            customer_id=customer_id(row["customer_no"]),
            known_since=row["made_at"],
            erased=row["erased"],
            merged_into=None if row["merged_into"] is None else customer_id(row["merged_into"]),
            merged=tuple(customer_id(one) for one in row["merged"]),
            consent={} if row["erased"] else {**UNLESS_SAID, **row["consent"]},
            segments=tuple(row["segments"]),
        )
        data = customer_data_of(
            cast("CustomerEventType", event.type),
            customer,
            into=None if row["into_no"] is None else customer_id(row["into_no"]),
            segment=row["segment"],
        )
        made.messages[event.position] = Message(
            id=event.message_id,
            source=OWN_SOURCE,
            type=event.type,
            subject=customer.customer_id,
            time=moment_text(event.at),
            sequence=sequence_text(event.position),
            data=data.model_dump(mode="json"),
        )


async def _make_of_orders(made: Made, pool: Pool, events: Sequence[EventOut]) -> None:
    async with pool.acquire() as conn:
        found = _sql.lines(
            conn,
            order_nos=[event.order_no for event in events],
            event_ids=[event.event_id for event in events],
        )
        lines = {(row["order_no"], row["event_id"]): row async for row in found}
        orders = await snapshots(conn, sorted({row["order_id"] for row in lines.values()}))
    for event in events:
        line = lines[event.order_no, event.event_id]
        kind = cast("OrderEventType", event.type)
        order = orders[line["order_id"]]
        data = data_of(kind, order, line["what"], line["why"], line["data"])
        made.messages[event.position] = Message(
            id=event.message_id,
            source=SOURCE.format(seller=line["seller"]),
            type=event.type,
            subject=line["order_id"],
            time=moment_text(event.at),
            sequence=sequence_text(event.position),
            data=data.model_dump(mode="json"),
        )


def _raise_if_away(error: Exception) -> None:
    if isinstance(error, DatabaseFault) and not is_of_a_value(error):
        raise error


def _told(event: EventOut, defect: Exception) -> str:
    """Why it cannot be made. The log has the place, and no message that could repeat data."""
    kind = type(defect).__name__
    where = "".join(traceback.format_tb(defect.__traceback__))
    logger.error("event %s cannot be made: %s\n%s", event.message_id, kind, where)
    return f"defect: {defect if isinstance(defect, OrderloomError) else kind}"


async def read(
    conn: Connection,
    after: int,
    *,
    types: Sequence[str] | None,
    channels: Sequence[str] | None,
    sellers: Sequence[str] | None,
    at_most: int,
) -> list[EventOut]:
    """Events after a position, in their sequence. None: of all types, channels, sellers.

    All types are those about orders.
    """
    rows = _sql.read(
        conn,
        after=after,
        types=None if types is None else list(types),
        channels=None if channels is None else list(channels),
        sellers=None if sellers is None else list(sellers),
        at_most=at_most,
    )
    return [EventOut(**row) async for row in rows]


async def kept(conn: Connection, *, of_customers: bool = False) -> tuple[int, int]:
    """(first, last): after positions from `first` on no event is missing; the `last` there is.

    `of_customers`: nor one about a customer.
    """
    row = await _sql.kept(conn)
    return row["first_of_customers" if of_customers else "first"], row["last"]


def moment_text(at: datetime) -> str:
    """A time by RFC 3339, in UTC."""
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")
