"""Messages to customers: what they were told, what they would be told, and sending it again."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from pydantic import BaseModel, ConfigDict

from domain.errors import NotFound
from domain.messages.bounces import read_bounce
from domain.messages.examples import (
    the_poorest,
    the_richest,
    the_usual,
    what_can_be_inserted,
)
from domain.messages.kinds import MessageKind, MessageState
from domain.messages.rendering import LOGO, render, source_of
from domain.notifications.event_types import EventType
from domain.sellers import Language
from store.accounting import sellers
from store.database import Connection, Pool
from store.messages import facts, rows, templates
from store.messages.rows import MessageRow
from store.messages.templates import OwnTemplate


class ShownMessage(BaseModel):
    """A message as it would be read now. `to`: None where there is no address.

    `attached`: the number of the invoice or credit note that a mail brings with it.
    """

    model_config = ConfigDict(frozen=True)

    order_id: str
    kind: MessageKind
    language: str
    to: str | None
    subject: str
    text: str
    html: str
    attached: str | None = None


class Sample(BaseModel):
    """What a template makes of an order that was never placed."""

    model_config = ConfigDict(frozen=True)

    subject: str
    text: str
    html: str


class Bounced(BaseModel):
    """What was taken in. `message`: such as web-1001:M57. `final`: it will not be delivered."""

    model_config = ConfigDict(frozen=True)

    message: str
    final: bool
    status: str


class Messages:
    """What customers are told. A worker's relay sends; what is asked here counts for it at once.

    `pages_url`: where customers' pages are; None: no message has a link.
    """

    def __init__(self, pool: Pool, pages_url: str | None = None) -> None:
        self._pool = pool
        self._pages_url = pages_url

    async def list(
        self,
        *,
        order_id: str | None = None,
        states: Collection[MessageState] | None = None,
        channels: Collection[str] | None = None,
        sellers: Collection[str] | None = None,
        before: int | None = None,
        at_most: int = 100,
    ) -> Sequence[MessageRow]:
        """Messages, newest first: of an order, in some states, of some channels and sellers.

        `before` an event's id. None: of all.
        """
        async with self._pool.acquire() as conn:
            return await rows.find(
                conn,
                order_id=order_id,
                states=states,
                channels=channels,
                sellers=sellers,
                before=before,
                at_most=at_most,
            )

    async def get(self, message: str) -> MessageRow:
        """One message, such as web-1001:M57. Raises NotFound."""
        order_id, event_id = rows.event_in(message)
        async with self._pool.acquire() as conn:
            found = await rows.find(conn, order_id=order_id, before=event_id + 1, at_most=1)
        if not found or found[0].event_id != event_id:
            raise NotFound(f"there is no message {message}")
        return found[0]

    async def shown(self, message: str) -> ShownMessage:
        """A message as it would be sent now: its text is kept nowhere. Raises as `get` does."""
        order_id, event_id = rows.event_in(message)
        async with self._pool.acquire() as conn:
            order_no, kind = await rows.kind_of(conn, order_id, event_id)
            return await self._rendered(conn, order_id, order_no, event_id, kind)

    async def preview(self, kind: MessageKind, order_id: str) -> ShownMessage:
        """What a kind of message would say of an order now. Raises NotFound."""
        async with self._pool.acquire() as conn:
            order_no, event_id = await rows.example(conn, order_id, kind)
            return await self._rendered(conn, order_id, order_no, event_id, kind)

    async def would_tell(self, order_id: str, event: EventType) -> bool:
        """Whether such an event becomes a message to the order's customer."""
        async with self._pool.acquire() as conn:
            return await rows.would_tell(conn, order_id, event)

    async def send_again(self, message: str) -> MessageRow:
        """Have a message sent once more, as another mail. Raises NotFound and Refused."""
        order_id, event_id = rows.event_in(message)
        async with self._pool.acquire() as conn:
            await rows.send_again(conn, order_id, event_id)
        return await self.get(message)

    async def bounce(self, mail: bytes) -> Bounced:
        """Take in a mail that says what became of one of ours. Raises InvalidInput and NotFound.

        What could not be delivered is `bounced`; where the address takes no mails, nothing more is
        sent to it until somebody has it sent again.
        """
        report = read_bounce(mail)
        async with self._pool.acquire() as conn:
            found = await rows.bounced(conn, report)
        return Bounced(message=found, final=report.final, status=report.status)

    async def templates(self, seller: str | None = None) -> Sequence[OwnTemplate]:
        """Sellers' own templates."""
        async with self._pool.acquire() as conn:
            return await templates.find(conn, seller)

    async def template(self, seller: str, kind: MessageKind, language: Language) -> str:
        """A template as it is used: the seller's own one, or that of Orderloom. Raises NotFound."""
        async with self._pool.acquire() as conn:
            await sellers.get(conn, seller)
            own = await templates.source_of(conn, seller, kind, language)
        return source_of(kind, language) if own is None else own

    async def sample(
        self, seller: str, kind: MessageKind, language: Language, source: str | None = None
    ) -> Sample:
        """What a template makes of an order that was never placed, with the seller's looks.

        `source`: None: of the template as it is used. Raises NotFound, and InvalidInput as
        `set_template` does.
        """
        async with self._pool.acquire() as conn:
            found = await sellers.get(conn, seller)
            own = await templates.source_of(conn, seller, kind, language)
        if source is not None:
            _try(kind, language, source)
        shop = facts.shop_of(found)
        made = render(kind, the_usual(language, shop), own if source is None else source)
        html = made.html.replace(LOGO, found.looks.logo or LOGO)
        return Sample(subject=made.subject, text=made.text, html=html)

    async def what_can_be_inserted(
        self, seller: str, language: Language
    ) -> Sequence[tuple[str, str]]:
        """What a template can have, as it is written, and what it makes of such an order.

        "": a part that the sample shows. Raises NotFound.
        """
        async with self._pool.acquire() as conn:
            shop = facts.shop_of(await sellers.get(conn, seller))
        return what_can_be_inserted(the_usual(language, shop))

    async def set_template(
        self, seller: str, kind: MessageKind, language: Language, source: str, *, by: str
    ) -> None:
        """Use a seller's own template from now on. Raises NotFound.

        Raises InvalidInput for one that cannot be filled in: it is tried with an order of which all
        is known, and with one of which nothing is.
        """
        _try(kind, language, source)
        async with self._pool.acquire() as conn:
            await sellers.get(conn, seller)
            await templates.save(conn, seller, kind, language, source, who=by)

    async def reset_template(self, seller: str, kind: MessageKind, language: Language) -> None:
        """Use the template of Orderloom again. Raises NotFound where it is used."""
        async with self._pool.acquire() as conn:
            if not await templates.remove(conn, seller, kind, language):
                raise NotFound(f"{seller} has no template of its own for {kind} ({language})")

    async def _rendered(
        self, conn: Connection, order_id: str, order_no: int, event_id: int, kind: MessageKind
    ) -> ShownMessage:
        told = await facts.told(conn, order_no, event_id, kind, pages_url=self._pages_url)
        if told is None:
            raise NotFound(f"there is no event {event_id} of {order_id}")
        rendered = render(kind, told.facts, told.source)
        return ShownMessage(
            order_id=order_id,
            kind=kind,
            language=told.facts.language,
            to=told.email,
            subject=rendered.subject,
            text=rendered.text,
            html=rendered.html.replace(LOGO, told.logo or LOGO),
            attached=None if told.attached is None else told.attached.number,
        )


def _try(kind: MessageKind, language: Language, source: str) -> None:
    for one in (the_richest(language), the_poorest(language)):
        render(kind, one, source)
