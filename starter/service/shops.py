"""Shops that send their orders here: connects them, and takes what they send.

A message is kept before it is answered, and worked through later by the workers' relay, so that the
answer waits only for the row that keeps it.
"""

from __future__ import annotations

import asyncio
import builtins
import json
import logging
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final, Literal

from pydantic import BaseModel, ConfigDict

from domain.errors import InvalidInput, NotFound, Unreachable
from domain.shops.connections import NewShop, Shop
from domain.shops.signatures import is_ping, signed_test, verify
from store.database import DatabaseFault, Pool
from store.shops import connections, contacts, messages, telling
from store.shops.messages import ShopMessage

logger = logging.getLogger(__name__)

BODY_BYTES_MAX: Final = 2_000_000

KEEP_SECONDS_MAX: Final = 4.0
"""Shopify waits 5 seconds for an answer, and counts what is later as a failure of ours."""


class ShopAnswer(BaseModel):
    """The answer to a shop. `status` is HTTP's: 200 if the message is kept, now or before.

    401: its signature does not fit. 404: no shop is connected with this channel. 413: it is too
    large. 503: not now; the shop is to send it again.
    """

    model_config = ConfigDict(frozen=True)

    status: Literal[200, 401, 404, 413, 503]
    message: str


class Shops:
    """Connections of channels with shops, and their messages."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def receive(
        self, channel: str, headers: Mapping[str, str], body: bytes, *, now: datetime
    ) -> ShopAnswer:
        """Take a request's raw body with its headers, whose names have small letters.

        Never raises for its content: what cannot be read is kept, and becomes a task.
        """
        if len(body) > BODY_BYTES_MAX:
            return ShopAnswer(status=413, message=f"has more than {BODY_BYTES_MAX} bytes")
        try:
            async with asyncio.timeout(KEEP_SECONDS_MAX):
                said = await self._keep(channel, headers, body, now)
        except NotFound as error:
            return ShopAnswer(status=404, message=str(error))
        except InvalidInput as error:
            logger.warning("a message of the shop of %s is refused: %s", channel, error)
            return ShopAnswer(status=401, message=str(error))
        except (Unreachable, TimeoutError, *DatabaseFault) as fault:
            logger.warning("a message of the shop of %s cannot be kept now: %s", channel, fault)
            return ShopAnswer(status=503, message="cannot be kept now; send it again")
        return ShopAnswer(status=200, message=said)

    async def _keep(
        self, channel: str, headers: Mapping[str, str], body: bytes, now: datetime
    ) -> str:
        async with self._pool.acquire() as conn:
            kind, secrets = await connections.secrets_of(conn, channel)
            if is_ping(kind, body):
                return "here"
            envelope = verify(kind, headers, body, secrets, now=now)
            new = await messages.keep(
                conn, channel, envelope.message_id, envelope.topic, body, envelope.sent
            )
        return "kept" if new else "kept before"

    async def try_out(self, channel: str, *, now: datetime) -> ShopAnswer:
        """Sign a message with the newest secret, and take it in by the way of the shop's own ones.

        It says nothing that is read of an order. Raises NotFound where no shop is connected.
        """
        async with self._pool.acquire() as conn:
            kind, secrets = await connections.secrets_of(conn, channel)
        body = json.dumps({"test": now.isoformat()}).encode()
        return await self.receive(channel, signed_test(kind, body, secrets[0], now), body, now=now)

    async def list(self) -> Sequence[Shop]:
        """All shops that are connected, by their channels."""
        async with self._pool.acquire() as conn:
            return await connections.find(conn)

    async def get(self, channel: str) -> Shop:
        """The shop of a channel. Raises NotFound."""
        async with self._pool.acquire() as conn:
            return await connections.get(conn, channel)

    async def connect(self, channel: str, wanted: NewShop, *, by: str) -> Shop:
        """Connect a channel with its shop, or set all there is to know about that.

        Raises NotFound for a channel that is not there, and InvalidInput where it does not take
        what these orders are paid by.
        """
        async with self._pool.acquire() as conn, conn.transaction():
            await connections.connect(conn, channel, wanted, by=by)
            return await connections.get(conn, channel)

    async def disconnect(self, channel: str) -> None:
        """Take no more messages; those that were kept stay. Raises NotFound."""
        async with self._pool.acquire() as conn:
            await connections.disconnect(conn, channel)

    async def check(self, channel: str, *, again: bool = False) -> Shop:
        """Have a worker ask the shop at once: whether it answers, and what our access may do.

        `again`: also tell it once more what it refused. Returns it as it stands: when the worker
        has asked, `check_wanted_at` is None again. Raises NotFound for one that cannot be asked.
        """
        async with self._pool.acquire() as conn, conn.transaction():
            await contacts.want_check(conn, channel)
            if again:
                await telling.tell_again(conn, channel)
            return await connections.get(conn, channel)

    async def dismiss(self, channel: str, names: Sequence[str] | None, note: str) -> int:
        """A person has seen to what the shop refused: parcels and SKUs of these names, or all.

        Returns how many that were. Raises NotFound where there is none.
        """
        async with self._pool.acquire() as conn:
            count = await telling.dismiss(conn, channel, names, note)
        if not count:
            raise NotFound(f"the shop of {channel} has refused nothing of that")
        return count

    async def messages(
        self,
        channel: str | None = None,
        *,
        failed: bool = False,
        after: int | None = None,
        at_most: int = 100,
    ) -> builtins.list[ShopMessage]:
        """What shops have sent, the newest first. `failed`: only what needs a person.

        `after`: behind the one with this number.
        """
        async with self._pool.acquire() as conn:
            return await messages.find(conn, channel, failed=failed, after=after, at_most=at_most)

    async def settle(self, channel: str, message_no: int, note: str) -> None:
        """A person has dealt with a message. Raises NotFound for one that is not waiting."""
        async with self._pool.acquire() as conn:
            await messages.settle(conn, channel, message_no, note)
