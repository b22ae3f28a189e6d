"""Messages to customers as rows: planned from events, taken by one sender each, and listed."""

from __future__ import annotations

import secrets
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from pydantic import BaseModel, ConfigDict

from domain.errors import NotFound, Refused
from domain.ids import message_ref
from domain.messages.bounces import BounceReport
from domain.messages.kinds import TELLS, UNTOLD, ChannelKind, MessageKind, MessageState
from domain.notifications.event_types import EventType
from store.database import Connection, Record, load_queries
from store.notifications import sequence

_sql = load_queries(__file__)

MAIL: Final = "mail"
"""By what a message is sent that is no text."""

_SECRET_BYTES: Final = 32


class MessageRow(BaseModel):
    """A message, and what became of it. `mail_id`: its Message-ID, once one was tried.

    `by`: `mail`, or the extension that sends texts; None until it is tried.
    """

    model_config = ConfigDict(frozen=True)

    order_id: str
    event_id: int
    kind: MessageKind
    state: MessageState
    why: str | None
    of_address: bool
    planned_at: datetime
    next_at: datetime
    tries: int
    round: int
    by: str | None
    sent_at: datetime | None
    mail_id: str | None
    language: str | None
    answer: str | None

    @property
    def message(self) -> str:
        """What it is called: `web-1001:M57`."""
        return message_ref(self.order_id, self.event_id)


@dataclass(frozen=True)
class Taken:
    """A message that one sender holds. `secret`: what ids of mails are made with.

    `mail_id`, `by`: the Message-ID under which, and the way by which an earlier sender may have
    sent it.
    """

    order_no: int
    event_id: int
    order_id: str
    seller: str
    kind: MessageKind
    tries: int
    round: int
    mail_id: str | None
    planned_at: datetime
    by: str | None
    secret: bytes


@dataclass(frozen=True)
class Ending:
    """What became of an attempt. `pause`: until the next one, where it is planned again."""

    state: MessageState
    why: str | None = None
    of_address: bool = False
    pause: timedelta | None = None
    mail_id: str | None = None
    language: str | None = None
    answer: str | None = None
    was_tried: bool = True
    """False: no server was asked, so it counts for no attempt."""
    by: str | None = None
    """By what it is tried next, where that changes."""


async def begin(conn: Connection) -> None:
    """Read events from now on, if nobody did: a mail server is set. Keeps the sequence going."""
    await sequence.wanted(conn)
    await _sql.begin(conn, drawn=secrets.token_bytes(_SECRET_BYTES))


async def plan(
    conn: Connection,
    told: Sequence[tuple[ChannelKind, EventType, MessageKind]],
    *,
    within: timedelta,
    old_after: timedelta,
    at_most: int,
) -> tuple[int, bool]:
    """Make messages of the next events. Returns how many, and whether there may be more."""
    by_channel: dict[str, list[str]] = {}
    for channel, event, _ in told:
        by_channel.setdefault(channel, []).append(event)
    row = await _sql.plan(
        conn,
        by_channel=by_channel,
        channels=[channel for channel, _, _ in told],
        types=[event for _, event, _ in told],
        kinds=[kind for _, _, kind in told],
        untold=list(UNTOLD),
        within=within,
        old_after=old_after,
        at_most=at_most,
    )
    return row["planned"], row["read"] == at_most


async def take(conn: Connection, holder: str, *, per_minute: int, lease: timedelta) -> Taken | None:
    """Take the next message that is due; None: none is, or as many as may be were sent just now.

    After `lease` another one may take it, unless `end` was called.
    """
    async with conn.transaction():
        turn = await _sql.turn(conn)
        if turn is None:
            return None
        row = await _sql.take(conn, holder=holder, per_minute=per_minute, lease=lease)
    return None if row is None else Taken(**row, secret=turn["secret"])


async def intend(
    conn: Connection,
    taken: Taken,
    holder: str,
    *,
    by: str,
    language: str,
    lease: timedelta,
    mail_id: str | None = None,
) -> bool:
    """Note that it is handed over now. False: somebody else has taken it meanwhile."""
    status = await _sql.intend(
        conn,
        order_no=taken.order_no,
        event_id=taken.event_id,
        holder=holder,
        by=by,
        mail_id=mail_id,
        language=language,
        pause=lease,
    )
    return bool(status == "UPDATE 1")


async def end(conn: Connection, taken: Taken, holder: str, ending: Ending) -> None:
    """Write down what became of it, unless somebody else has taken it meanwhile."""
    await _sql.end(
        conn,
        order_no=taken.order_no,
        event_id=taken.event_id,
        holder=holder,
        state=ending.state,
        why=ending.why,
        of_address=ending.of_address,
        pause=ending.pause,
        mail_id=ending.mail_id,
        language=ending.language,
        answer=ending.answer,
        was_tried=ending.was_tried,
        by=ending.by,
    )


async def refuses_mails(conn: Connection, email: str) -> bool:
    """Whether a server said, the last time, that this address takes no mails."""
    return bool(await _sql.refuses_mails(conn, email=email))


async def would_tell(conn: Connection, order_id: str, event: EventType) -> bool:
    """Whether such an event becomes a message to the order's customer."""
    tells: bool = await _sql.would_tell(conn, order_id=order_id, type=event)
    return tells


async def send_again(conn: Connection, order_id: str, event_id: int) -> None:
    """Have a message sent once more, as a mail of its own. Raises NotFound and Refused."""
    row = await _named(conn, order_id, event_id)
    if await _sql.again(conn, order_no=row["order_no"], event_id=event_id) != "UPDATE 1":
        raise Refused(f"{message_ref(order_id, event_id)} is about to be sent")


async def bounced(conn: Connection, report: BounceReport) -> str:
    """Write down what a mail that came back says; returns the message. Raises NotFound.

    One that is only late stays as it is.
    """
    for mail_id in report.mail_ids:
        if report.final:
            row = await _sql.bounced(
                conn, mail_id=mail_id, why=report.said, of_address=report.of_address
            )
        else:
            row = await _sql.by_mail(conn, mail_id=mail_id)
        if row is not None:
            return message_ref(row["order_id"], row["event_id"])
    raise NotFound("it is about no mail of ours, or about one that was sent again since")


async def find(
    conn: Connection,
    *,
    order_id: str | None = None,
    states: Collection[MessageState] | None = None,
    channels: Collection[str] | None = None,
    sellers: Collection[str] | None = None,
    before: int | None = None,
    at_most: int = 100,
) -> list[MessageRow]:
    """Messages, newest first, `before` the one with an event's id; None: of all."""
    rows = _sql.find(
        conn,
        order_id=order_id,
        states=None if states is None else list(states),
        channels=None if channels is None else list(channels),
        sellers=None if sellers is None else list(sellers),
        before_event=before,
        at_most=at_most,
    )
    return [MessageRow(**row) async for row in rows]


async def of_order(conn: Connection, order_id: str) -> list[MessageRow]:
    """What the customer of an order was told, newest first."""
    return await find(conn, order_id=order_id, at_most=1000)


async def of_customer(conn: Connection, customer_id: str, at_most: int = 100) -> list[MessageRow]:
    """What a customer was told of all orders, newest first: by the id that the channel gave."""
    rows = _sql.of_customer(conn, customer=customer_id, at_most=at_most)
    return [MessageRow(**row) async for row in rows]


async def kind_of(conn: Connection, order_id: str, event_id: int) -> tuple[int, MessageKind]:
    """The order's number, and the kind of a message of it. Raises NotFound."""
    row = await _named(conn, order_id, event_id)
    return row["order_no"], row["kind"]


async def example(conn: Connection, order_id: str, kind: MessageKind) -> tuple[int, int]:
    """(order's number, event's id) to show a kind with: of its latest event of that kind, if any.

    Raises NotFound where there is no such order.
    """
    types = [event for event, told in TELLS.items() if told == kind]
    row = await _sql.latest_event(conn, order_id=order_id, types=types)
    if row is None:
        raise NotFound(f"there is no order {order_id}")
    return row["order_no"], row["event_id"]


def event_in(message: str) -> tuple[str, int]:
    """(order id, event's id) of what a message is called. Raises NotFound."""
    order_id, _, number = message.partition(":M")
    if not order_id or not number.isdecimal() or len(number) > 18:
        raise NotFound(f"there is no message {message}; one is called such as web-1001:M57")
    return order_id, int(number)


async def _named(conn: Connection, order_id: str, event_id: int) -> Record:
    row = await _sql.named(conn, order_id=order_id, event_id=event_id)
    if row is None:
        raise NotFound(f"there is no message {message_ref(order_id, event_id)}")
    found: Record = row
    return found
