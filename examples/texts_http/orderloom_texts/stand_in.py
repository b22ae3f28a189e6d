"""A company that sends texts, for tests: it keeps to the API of README.md, and can misbehave.

async with stand_in() as company:
    company.next = ["429", "lost"]
    texts = HttpTexts(company.url, "secret", "TeaShop")
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Literal

Misbehaviour = Literal["429", "500", "401", "lost", "half", "silent"]
"""`lost`: the text is sent, and its answer is not. `half`: of the answer. `silent`: no word."""

REFUSED = "+15550000000"


@dataclass
class Company:
    """`sent`: the texts that came to phones. `next`: how it answers the next calls, if not well."""

    url: str = ""
    sent: list[dict[str, str]] = field(default_factory=list)
    calls: list[str] = field(default_factory=list)
    next: list[Misbehaviour] = field(default_factory=list)
    known: dict[str, dict[str, Any]] = field(default_factory=dict)

    def answer(self, key: str, body: dict[str, str]) -> tuple[int, dict[str, str]]:
        """What it says to a call, which it knows by its key."""
        if body["to"] == REFUSED:
            return 422, {"error": f"{REFUSED} takes no texts"}
        if key not in self.known:
            self.sent.append(body)
            self.known[key] = {"body": body, "id": f"T{len(self.sent)}"}
            return 201, {"id": self.known[key]["id"]}
        if self.known[key]["body"] != body:
            return 409, {"error": "the key was used for another text"}
        return 200, {"id": self.known[key]["id"]}


@asynccontextmanager
async def stand_in() -> AsyncIterator[Company]:
    """The company on this machine, until the block ends."""
    company = Company()

    visits: set[asyncio.Task[Any]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if (visit := asyncio.current_task()) is not None:
            visits.add(visit)
        try:
            while await answered(reader, writer):
                pass
        except (asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            pass  # Who called has gone, or the tests have ended.
        finally:
            writer.close()

    async def answered(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        headers = dict(x.lower().split(": ", 1) for x in head.split("\r\n")[1:] if ": " in x)
        body = json.loads(await reader.readexactly(int(headers["content-length"])))
        company.calls.append(headers["idempotency-key"])
        how = company.next.pop(0) if company.next else None
        if how == "silent":
            await asyncio.sleep(3600)
        if how in ("429", "500", "401"):
            status, told = int(how), {"error": f"not now: {body['to']}"}
        else:
            status, told = company.answer(headers["idempotency-key"], body)
        if how == "lost":
            writer.transport.abort()
            return False
        content = json.dumps(told).encode()
        content = content[: len(content) // 2] if how == "half" else content
        start = f"HTTP/1.1 {status} x\r\ncontent-length: {len(content)}\r\n\r\n"
        writer.write(start.encode() + content)
        await writer.drain()
        return True

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    company.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1"
    try:
        yield company
    finally:
        server.close()
        for visit in visits:
            visit.cancel()
        await asyncio.gather(*visits, return_exceptions=True)
