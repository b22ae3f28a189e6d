"""Messages to customers: what they were told, as it would be read now, and sent once more."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query
from pydantic import BaseModel, ConfigDict, StringConstraints
from starlette.responses import Response

from domain.fields import Document
from domain.ids import order_of
from domain.messages.kinds import MessageKind, MessageState
from starter.http.callers import Caller, may
from starter.http.examples import example
from starter.http.once import Keyed
from starter.http.paging import Page, Paged
from starter.http.reading import StrictRoute
from starter.service.messages import Bounced, ShownMessage
from starter.service.service import Records
from store.messages.rows import MessageRow

router = APIRouter(prefix="/v1", tags=["events"], route_class=StrictRoute)


class ShownMessageRow(BaseModel):
    """A message, and what became of it. `why`: it was dropped or refused, or came back.

    `by`: `mail`, or the extension that sends texts. `mail_id`: its Message-ID, once one was tried.
    `tries`: since somebody wanted it (`round`).
    """

    model_config = ConfigDict(frozen=True)

    message: str
    order_id: str
    kind: MessageKind
    state: MessageState
    why: str | None
    planned_at: datetime
    sent_at: datetime | None
    tries: int
    round: int
    by: str | None
    language: str | None
    mail_id: str | None
    answer: str | None


class WholeMessage(ShownMessageRow):
    """The same, with its text as it would be sent now: no text is kept."""

    to: str | None
    subject: str
    text: str
    html: str
    attached: str | None
    """The number of the invoice or credit note that a mail brings with it."""


class MailThatCameBack(Document):
    """The whole mail with its headers, as a mail server sent it (RFC 3464)."""

    mail: Annotated[str, StringConstraints(min_length=1, max_length=1_000_000)]


_CAME_BACK = """\
Content-Type: multipart/report; report-type=delivery-status; boundary="b"

--b
Content-Type: message/delivery-status

Reporting-MTA: dns; mail.example

Final-Recipient: rfc822; kim@example.com
Action: failed
Status: 5.1.1

--b
Content-Type: text/rfc822-headers

Message-ID: <0123456789abcdef0123456789abcdef@shop.example>
--b--
"""


@router.get(
    "/messages", operation_id="listMessages", summary="List messages to customers, newest first"
)
async def list_messages(
    caller: Annotated[Caller, may("orders:read")],
    paged: Paged,
    order_id: Annotated[str | None, Query(max_length=300)] = None,
    state: MessageState | None = None,
) -> Page[ShownMessageRow]:
    """Of the key's channels and sellers. They name nobody and have no text."""
    if order_id is not None:
        await caller.check_order(order_id)
    asked: dict[str, Any] = {
        "order_id": order_id,
        "states": None if state is None else [state],
        "channels": caller.channels,
        "sellers": caller.sellers,
    }
    place = paged.after(asked)
    before = None if place is None else int(place[0])
    found = await caller.here.messages.list(**asked, before=before, at_most=paged.at_most)
    return paged.page(asked, found, place=lambda one: [one.event_id], show=_shown)


@router.post(
    "/messages/bounces",
    operation_id="takeBounce",
    summary="Take in a mail that came back",
    response_model=Bounced,
)
async def take_bounce(
    content: Annotated[MailThatCameBack, example({"mail": _CAME_BACK})],
    caller: Annotated[Caller, may("orders:write")],
    once: Keyed,
) -> Response:
    """What could not be delivered is `bounced`.

    Where the address takes no mails, nothing more is sent to it until a message is sent again.
    """
    caller.check_sees_all("a mail that came back")

    async def taken(here: Records) -> Bounced:
        return await here.messages.bounce(content.mail.encode("utf-8", errors="replace"))

    return await once.in_database(taken)


@router.get(
    "/messages/{message}",
    operation_id="getMessage",
    summary="Read a message as it would be sent now",
)
async def get_message(
    message: str,
    caller: Annotated[Caller, may("orders:read")],
    _: Annotated[Caller, may("customers:read")],
) -> WholeMessage:
    """Such as `web-1001:M57`. It has what its order says of the customer."""
    await caller.check_order(order_of(message))
    row = await caller.here.messages.get(message)
    shown = await caller.here.messages.shown(message)
    return WholeMessage(
        **_shown(row).model_dump(exclude={"language"}),
        language=shown.language,
        to=shown.to,
        subject=shown.subject,
        text=shown.text,
        html=shown.html,
        attached=shown.attached,
    )


@router.get(
    "/orders/{order_id}/message-previews/{kind}",
    operation_id="previewMessage",
    summary="Read what a kind of message would say of an order now",
)
async def preview_message(
    order_id: str,
    kind: Annotated[MessageKind, Path(examples=["shipped"])],
    caller: Annotated[Caller, may("orders:read")],
    _: Annotated[Caller, may("customers:read")],
) -> ShownMessage:
    """Of its latest event of that kind, if there is one. Nothing is sent."""
    await caller.check_order(order_id)
    return await caller.here.messages.preview(kind, order_id)


@router.post(
    "/messages/{message}/send-again",
    operation_id="sendMessageAgain",
    summary="Send a message once more, as another mail",
    response_model=ShownMessageRow,
)
async def send_again(
    message: str, caller: Annotated[Caller, may("orders:write")], once: Keyed
) -> Response:
    """Also one that was refused, dropped, or came back. A worker sends it."""
    await caller.check_order(order_of(message))

    async def again(here: Records) -> ShownMessageRow:
        return _shown(await here.messages.send_again(message))

    return await once.in_database(again)


def _shown(row: MessageRow) -> ShownMessageRow:
    return ShownMessageRow(
        message=row.message, **row.model_dump(include=set(ShownMessageRow.model_fields))
    )
