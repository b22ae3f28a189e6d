"""Messages to customers: what they were told, what they would be told, and sending it again."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from pydantic import BaseModel, ConfigDict

from domain.errors import NotFound
from domain.messages.kinds import MessageKind, MessageState
from domain.messages.rendering import render
from store.database import Connection, Pool
from store.messages import facts, rows
from store.messages.rows import MessageRow


class ShownMessage(BaseModel):
    """A message as it would be read now. `to`: None where there is no address."""

    model_config = ConfigDict(frozen=True)

    order_id: str
    kind: MessageKind
    language: str
    to: str | None
    subject: str
    text: str
    html: str


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
        before: int | None = None,
        at_most: int = 100,
    ) -> Sequence[MessageRow]:
        """Messages, newest first: of an order, or in some states, `before` an event's id."""
        async with self._pool.acquire() as conn:
            return await rows.find(
                conn, order_id=order_id, states=states, before=before, at_most=at_most
            )

    async def get(self, message: str) -> MessageRow:
        """One message, such as web-1001:M57. Raises NotFound and InvalidInput."""
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

    async def send_again(self, message: str) -> MessageRow:
        """Have a message sent once more, as another mail. Raises NotFound and Refused."""
        order_id, event_id = rows.event_in(message)
        async with self._pool.acquire() as conn:
            await rows.send_again(conn, order_id, event_id)
        return await self.get(message)

    async def _rendered(
        self, conn: Connection, order_id: str, order_no: int, event_id: int, kind: MessageKind
    ) -> ShownMessage:
        told = await facts.told(conn, order_no, event_id, pages_url=self._pages_url)
        if told is None:
            raise NotFound(f"there is no event {event_id} of {order_id}")
        rendered = render(kind, told.facts)
        return ShownMessage(
            order_id=order_id,
            kind=kind,
            language=told.facts.language,
            to=told.email,
            subject=rendered.subject,
            text=rendered.text,
            html=rendered.html,
        )
