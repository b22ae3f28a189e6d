"""Sends one message to its receiver: signed, once, within seconds, and to no inner address.

No redirect is followed, no proxy of the environment is used, and no answer is read to its end.
"""

from __future__ import annotations

import asyncio
import ssl
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from functools import cache
from typing import Final

import httpcore

from activities.notifications.targets import GuardedNetwork, TargetRefused, Targets
from domain.standard_webhooks import signature
from store import clock

ATTEMPT_SECONDS_MAX: Final = 15.0
ANSWER_BYTES_KEPT: Final = 500
ANSWER_BYTES_READ: Final = 16_384
_KEPT_ALIVE_MAX: Final = 20
_KEPT_ALIVE_S: Final = 30.0


@dataclass(frozen=True)
class Answer:
    """What came back. `status`: None where nothing did, and `error` says why."""

    status: int | None
    took_ms: int
    error: str = ""
    answer: str = ""
    retry_after: timedelta | None = None


def signed_headers(
    secrets: Sequence[str], message_id: str, at: datetime, body: bytes
) -> dict[str, str]:
    """The headers of a message that is sent at this time."""
    timestamp = int(at.timestamp())
    return {
        "content-type": "application/cloudevents+json",
        "user-agent": "Orderloom",
        "webhook-id": message_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": signature(secrets, message_id, timestamp, body),
    }


class Sender:
    """Sends messages over connections that are kept for the next ones."""

    def __init__(
        self,
        targets: Targets,
        *,
        seconds_max: float = ATTEMPT_SECONDS_MAX,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        """`tls`: whom it trusts; left out: whom the machine trusts."""
        self._targets = targets
        self._seconds_max = seconds_max
        self._pool = httpcore.AsyncConnectionPool(
            ssl_context=tls or _trusted(),
            # Receivers that hang must not take the connections of others.
            max_connections=None,
            max_keepalive_connections=_KEPT_ALIVE_MAX,
            keepalive_expiry=_KEPT_ALIVE_S,
            network_backend=GuardedNetwork(targets),
        )

    async def close(self) -> None:
        """Close all connections."""
        await self._pool.aclose()

    async def send(self, url: str, headers: Mapping[str, str], body: bytes) -> Answer:
        """Post it, once. Whatever goes wrong is an answer, within the seconds of an attempt."""
        began = time.monotonic()

        def took() -> int:
            return round((time.monotonic() - began) * 1000)

        try:
            self._targets.check_scheme(url)
            async with asyncio.timeout(self._seconds_max):
                status, answer, retry_after = await self._post(url, headers, body)
        except TargetRefused as refusal:
            return Answer(None, took(), f"not sent: {refusal}")
        except (TimeoutError, httpcore.TimeoutException):
            return Answer(None, took(), f"no answer within {self._seconds_max:g} s")
        except (httpcore.NetworkError, httpcore.ProtocolError, OSError) as error:
            told = str(error) or type(error).__name__
            return Answer(None, took(), f"no answer: {told}"[:300])
        except (httpcore.UnsupportedProtocol, ValueError) as error:
            return Answer(None, took(), f"not sent: {error}"[:300])
        if 200 <= status < 300:
            return Answer(status, took())
        redirected = " a redirect is not followed" if 300 <= status < 400 else ""
        return Answer(status, took(), f"answered {status}{redirected}", answer, retry_after)

    async def _post(
        self, url: str, headers: Mapping[str, str], body: bytes
    ) -> tuple[int, str, timedelta | None]:
        async with self._pool.stream(
            "POST", url, headers=list(headers.items()), content=body
        ) as response:
            read = b""
            async for part in response.aiter_stream():
                read += part
                if len(read) >= ANSWER_BYTES_READ:
                    break
            said = {name.lower(): value for name, value in response.headers}
            retry_after = _seconds(said.get(b"retry-after"))
            return response.status, _text(read[:ANSWER_BYTES_KEPT]), retry_after


@cache
def _trusted() -> ssl.SSLContext:
    """Whom the machine trusts. Reading that takes some time."""
    return ssl.create_default_context()


def _text(answer: bytes) -> str:
    return answer.decode("utf-8", errors="replace").replace("\x00", "\ufffd").strip()


def _seconds(value: bytes | None) -> timedelta | None:
    """What Retry-After says: seconds, or a date. None: nothing that can be understood."""
    if value is None:
        return None
    text = value.decode("ascii", errors="replace").strip()
    if text.isdecimal() and len(text) < 10:
        return timedelta(seconds=int(text))
    try:
        return max(timedelta(0), parsedate_to_datetime(text) - clock.now())
    except (ValueError, TypeError):
        return None
