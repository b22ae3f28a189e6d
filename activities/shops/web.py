"""Speaks HTTP to shops: within seconds, to no inner address, and follows no redirect.

Requests carry what opens the shop to us, so neither they nor their headers get into any message.
"""

from __future__ import annotations

import asyncio
import json
import ssl
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from functools import cache
from typing import Any, Final, TypeVar

import httpcore

from activities.notifications.targets import GuardedNetwork, TargetRefused, Targets
from activities.shops.client import ShopAway, ShopRefuses
from runtime.retries import retry_context

T = TypeVar("T")

CALL_SECONDS_MAX: Final = 20.0
ANSWER_BYTES_MAX: Final = 16 * 1024 * 1024
WAIT_MAX: Final = timedelta(hours=1)
"""A shop that asks for a longer pause is asked again after so long, all the same."""

_TRIES: Final = 3
_SAID_CHARACTERS_MAX: Final = 200


@dataclass(frozen=True)
class Reply:
    """What a shop answered. `at`: the time by its clock; None: it did not say."""

    status: int
    body: bytes
    at: datetime | None

    def json(self) -> Any:
        """Its JSON. Raises ShopAway for half of one: what was asked may have been done."""
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError):
            raise ShopAway("it answered with something that is not whole JSON") from None


class Web:
    """Calls over connections that are kept for the next ones."""

    def __init__(
        self,
        targets: Targets,
        *,
        seconds_max: float = CALL_SECONDS_MAX,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._targets = targets
        self._seconds_max = seconds_max
        self._pool = httpcore.AsyncConnectionPool(
            ssl_context=tls or _trusted(),
            max_connections=None,  # A shop that hangs must not take the connections of others.
            max_keepalive_connections=20,
            keepalive_expiry=15.0,
            network_backend=GuardedNetwork(targets),
        )

    async def close(self) -> None:
        """Close all connections."""
        await self._pool.aclose()

    async def call(
        self, method: str, url: str, headers: Mapping[str, str], content: Any = None
    ) -> Reply:
        """Send a request, once. `content` goes as JSON.

        Raises ShopAway where there is no answer, and for 408, 429 and 5xx; ShopRefuses for 401, 403
        and a redirect. Answers with any other status are returned.
        """
        body = None if content is None else json.dumps(content).encode()
        sent = {
            "accept": "application/json",
            "user-agent": "Orderloom",
            **({} if body is None else {"content-type": "application/json"}),
            **headers,
        }
        try:
            self._targets.check_scheme(url)
            async with asyncio.timeout(self._seconds_max):
                return await self._read(method, url, sent, body)
        except TargetRefused as refusal:
            raise ShopRefuses(f"not asked: {refusal}") from None
        except (TimeoutError, httpcore.TimeoutException):
            raise ShopAway(f"no answer within {self._seconds_max:g} s") from None
        except (httpcore.NetworkError, httpcore.ProtocolError, OSError) as error:
            said = str(error) or type(error).__name__
            raise ShopAway(f"no answer: {said}"[:_SAID_CHARACTERS_MAX], at_once=True) from None
        except (httpcore.UnsupportedProtocol, ValueError):
            raise ShopRefuses("not asked: its address cannot be used") from None

    async def _read(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes | None
    ) -> Reply:
        async with self._pool.stream(
            method, url, headers=list(headers.items()), content=body
        ) as response:
            said = {name.lower(): value for name, value in response.headers}
            read = bytearray()
            async for part in response.aiter_stream():
                read += part
                if len(read) > ANSWER_BYTES_MAX:
                    raise ShopAway(f"it answered with more than {ANSWER_BYTES_MAX} bytes")
        reply = Reply(response.status, bytes(read), _date(said.get(b"date")))
        check(reply, _pause(said.get(b"retry-after"), reply.at))
        return reply


def check(reply: Reply, after: timedelta | None) -> None:
    """Raises the fault that an answer is, whoever gave it."""
    status = reply.status
    if status in (401, 403):
        raise ShopRefuses(f"it does not let us in ({status}){_message(reply)}")
    if 300 <= status < 400:
        raise ShopRefuses(f"it sends us to another address ({status}): connect it with that one")
    if status == 429:
        raise ShopAway("it asks for a pause (429)", after=after)
    if status == 408:
        raise ShopAway("it did not read all of what was asked (408)")
    if status >= 500:
        raise ServerFault(f"it answered {status}{_message(reply)}", reply, after)


class ServerFault(ShopAway):
    """5xx: some programs say no in that way, and their body tells."""

    def __init__(self, message: str, reply: Reply, after: timedelta | None) -> None:
        super().__init__(message, after=after, at_once=after is None)
        self.reply = reply


async def again(ask: Callable[[], Awaitable[T]]) -> T:
    """Ask what changes nothing, and once more where the shop failed at once."""
    async for attempt in retry_context(
        on=lambda error: isinstance(error, ShopAway) and error.at_once,
        attempts=_TRIES,
        timeout=CALL_SECONDS_MAX,
        wait_initial=0.2,
        wait_max=2.0,
        wait_jitter=0.2,
    ):
        with attempt:
            return await ask()
    raise AssertionError("every attempt returns or raises")


@cache
def _trusted() -> ssl.SSLContext:
    return ssl.create_default_context()


def _message(reply: Reply) -> str:
    """What a program says of its error, where it does in JSON."""
    try:
        content = json.loads(reply.body)
    except (ValueError, RecursionError):
        return ""
    said = content.get("message") if isinstance(content, dict) else None
    return f": {said}"[:_SAID_CHARACTERS_MAX] if isinstance(said, str) and said else ""


def _date(value: bytes | None) -> datetime | None:
    try:
        at = parsedate_to_datetime((value or b"").decode("ascii", "replace"))
    except (ValueError, TypeError):
        return None
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)


def _pause(value: bytes | None, at: datetime | None) -> timedelta | None:
    """What Retry-After says: seconds, or a date by the shop's clock."""
    text = (value or b"").decode("ascii", "replace").strip()
    if text.replace(".", "", 1).isdecimal() and len(text) < 10:
        return min(timedelta(seconds=float(text)), WAIT_MAX)
    until = _date(value)
    if until is None or at is None:
        return None
    return min(max(timedelta(0), until - at), WAIT_MAX)
