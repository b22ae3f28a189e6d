"""Orders that tell things, and a real mail server by which their customers hear of it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from activities.messages.planning import MessagePlan
from activities.messages.sending import MessagePost
from activities.messages.texts import Texts
from activities.notifications.sequencing import EventSequence
from domain.messages.kinds import told
from domain.orders.order import Order
from runtime.mail import Server
from runtime.mail_settings import MailSettings
from starter.service.messages import Messages
from store.database import Pool
from store.orders import events
from tests.support.bench import Bench
from tests.support.builders import an_order
from tests.support.mail_server import MailServer

CUSTOMER = {"id": "A", "name": "Mina Yoon", "email": "mina@x.example", "locale": "en"}


class Desk:
    """Orders that tell things, and customers who are told."""

    def __init__(self, pool: Pool, server: MailServer) -> None:
        self.pool = pool
        self.server = server
        self.messages = Messages(pool, "https://track.example")
        self._told = 0

    async def begin(
        self, lines: Sequence[tuple[str, int, str]] = (("TEA", 2, "10.00"),), **customer: Any
    ) -> Order:
        """An order of which nothing was told yet, while a mail server is set."""
        await self.plan()
        order = an_order(
            *lines,
            customer={**CUSTOMER, **customer},
            placed_at=datetime.now(UTC).isoformat(),
        )
        await Bench(self.pool).take_in(order)
        return order

    async def tell(self, order: Order, what: str, **data: Any) -> None:
        self._told += 1
        async with self.pool.acquire() as conn:
            await events.tell(
                conn, order.order_id, f"test:{self._told}", what, who="test", data=data
            )

    async def plan(self, **options: Any) -> None:
        await EventSequence(self.pool).advance()
        await MessagePlan(
            self.pool,
            told({}),
            **{"tell_within": timedelta(hours=1), "old_after": timedelta(days=7), **options},
        ).plan()

    def settings(self, **fields: Any) -> MailSettings:
        return MailSettings.model_validate(
            {
                "url": f"smtp://127.0.0.1:{self.server.port}",
                "sender": "orders@shop.example",
                "starttls": "never",
                **fields,
            }
        )

    def post(
        self, per_minute: int = 1000, texts: Texts | None = None, **fields: Any
    ) -> MessagePost:
        mail = self.settings(**fields)
        return MessagePost(
            self.pool,
            lambda: Server(mail),
            sender_for=mail.sender_for,
            pages_url="https://track.example",
            per_minute=per_minute,
            texts=texts,
        )

    async def send(self) -> int:
        await self.plan()
        return await self.post().send_due()

    async def due(self) -> None:
        """Time passes: what waits is due."""
        await self.pool.execute(
            "update message set next_at = moment() where state in ('planned', 'sending')"
        )

    async def states(self) -> list[str]:
        rows = await self.messages.list()
        return [row.state for row in reversed(rows)]
