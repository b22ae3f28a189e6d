"""Another system that is told of every event, and fails at every tenth."""

from __future__ import annotations

import asyncio
import json
from contextlib import suppress
from http import HTTPStatus
from typing import Any, Final

from orderloom_client import models
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

_FAILS_EVERY: Final = 10


class Subscriber:
    """A small server.

    `taken`: each event that it has said yes to, in the sequence of coming. `wrong`: what is not
    signed, or not as the document says.
    """

    def __init__(self) -> None:
        self.secret = ""
        self.url = ""
        self.came = self.failed = self.repeated = 0
        self.taken: list[dict[str, Any]] = []
        self.wrong: list[str] = []
        self._seen: set[str] = set()
        self._done: set[str] = set()
        self._server: asyncio.Server | None = None
        self._answering: set[asyncio.Task[None]] = set()

    async def listen(self) -> None:
        """Listen on a free port of this machine."""
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0, limit=2**20)
        port = self._server.sockets[0].getsockname()[1]
        self.url = f"http://127.0.0.1:{port}/events"

    async def close(self) -> None:
        """Listen no more, and let go who is connected."""
        if self._server is not None:
            self._server.close()
        for task in self._answering:
            task.cancel()
        await asyncio.gather(*self._answering, return_exceptions=True)

    def lacks(self, ids: set[str]) -> set[str]:
        """Which of these events have not come."""
        return ids - self._done

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.get_running_loop().create_task(self._serve(reader, writer))
        self._answering.add(task)
        task.add_done_callback(self._answering.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode("ascii").split("\r\n")
                pairs = (line.partition(":") for line in head[1:])
                headers = {name.lower(): value.strip() for name, _, value in pairs}
                body = await reader.readexactly(int(headers["content-length"]))
                status = HTTPStatus(self._answer(headers, body))
                writer.write(
                    f"HTTP/1.1 {status} {status.phrase}\r\nContent-Length: 0\r\n\r\n".encode()
                )
                await writer.drain()
        writer.close()

    def _answer(self, headers: dict[str, str], body: bytes) -> int:
        """Verify it, read it by the model of its type, and keep it; every tenth fails at first."""
        self.came += 1
        try:
            Webhook(self.secret).verify(body, headers)
            event = json.loads(body)
            _read(event)
        except (
            WebhookVerificationError,
            AttributeError,
            LookupError,
            TypeError,
            ValueError,
        ) as fault:
            self.wrong.append(f"{fault!r}: {body[:200]!r}")
            return 400
        name = headers["webhook-id"]
        is_new = name not in self._seen
        self._seen.add(name)
        if is_new and len(self._seen) % _FAILS_EVERY == 0:
            self.failed += 1
            return 500
        if name in self._done:  # its answer was lost
            self.repeated += 1
            return 204
        self._done.add(name)
        told = ("id", "type", "subject", "sequence")
        self.taken.append({field: event[field] for field in told})
        return 204


def _read(event: dict[str, Any]) -> None:
    """By the class that the client has for this type of event, named as in the document."""
    parts = event["type"].replace("_", ".").split(".")
    model = getattr(models, "".join(part.capitalize() for part in parts))
    if model.from_dict(event).subject != event["subject"]:
        raise ValueError("its subject was not read")
