"""Sends each text by one call, whose key the company knows it by. README.md has the API."""

from __future__ import annotations

import json
from typing import Any, Final

import httpcore

from activities.provider_errors import DeclineCode, Declined, TimedOut, Unavailable

TIMEOUT_S: Final = 10.0
_TAKEN: Final = (200, 201)
_REFUSED: Final = (400, 404, 410, 422)
"""The number takes no texts, or is none. All else is asked again later."""

_CONFLICT: Final = 409


class HttpTexts:
    """A `TextSender`."""

    def __init__(
        self, url: str, token: str, sender: str, *, timeout_seconds: float = TIMEOUT_S
    ) -> None:
        self._url = f"{url.rstrip('/')}/messages"
        self._token = token
        self._sender = sender
        self._timeouts = dict.fromkeys(("connect", "read", "write", "pool"), timeout_seconds)
        self._pool = httpcore.AsyncConnectionPool(keepalive_expiry=15.0)

    async def send(self, *, key: str, to: str, text: str) -> str:
        """Send a text, once for the key. Raises Declined, TimedOut and Unavailable."""
        try:
            answer = await self._pool.request(
                "POST",
                self._url,
                headers={
                    "authorization": f"Bearer {self._token}",
                    "content-type": "application/json",
                    "idempotency-key": key,
                },
                content=json.dumps({"from": self._sender, "to": to, "text": text}).encode(),
                extensions={"timeout": self._timeouts},
            )
        except httpcore.TimeoutException as error:
            raise TimedOut("no answer in time") from error
        except (httpcore.NetworkError, httpcore.ProtocolError, OSError) as error:
            raise Unavailable(str(error) or type(error).__name__) from error
        told = _told(answer.content)
        if answer.status in _TAKEN and "id" in told:
            return f"sent as {told['id']}"
        said = str(told.get("error", ""))[:200]
        if answer.status == _CONFLICT:
            raise Declined(DeclineCode.IDEMPOTENCY_CONFLICT, said)
        if answer.status in _REFUSED:
            raise Declined(DeclineCode.NOT_SERVICEABLE, said or f"HTTP {answer.status}")
        raise Unavailable(f"HTTP {answer.status} {said}".strip())

    async def close(self) -> None:
        """Close the connections. A worker does so at its end."""
        await self._pool.aclose()


def _told(content: bytes) -> dict[str, Any]:
    """The answer's JSON; nothing where it is none, or only half of one."""
    try:
        found = json.loads(content)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
