"""A receiver of events on this machine, which can misbehave; it keeps what it got."""

from __future__ import annotations

import asyncio
import json
import ssl
import threading
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field
from ipaddress import ip_network
from typing import Any, Final, Literal

from activities.notifications.sending import Sender
from activities.notifications.targets import Targets
from store.database import Pool

HERE: Final = Targets([ip_network("127.0.0.0/8"), ip_network("::1/128")], plain_http=True)
"""Messages may be sent to this machine, and without TLS."""


@dataclass(frozen=True)
class Got:
    """One request."""

    headers: Mapping[str, str]
    body: bytes

    @property
    def event(self) -> dict[str, Any]:
        """The CloudEvent in it."""
        event: dict[str, Any] = json.loads(self.body)
        return event


@dataclass(frozen=True)
class Reply:
    """What it answers: as told, or not at all (`hang`, `close`), or a byte at a time (`drip`)."""

    status: int = 204
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    how: Literal["at once", "hang", "close", "drip"] = "at once"


Behaviour = Callable[[int, Got], Reply]
"""The number of the request, from 1, and what came → the answer."""


class Receiver:
    """Listens until it is closed. `all`: each request; `taken`: those that it said yes to."""

    def __init__(self, behaviour: Behaviour = lambda _number, _got: Reply()) -> None:
        self.behaviour = behaviour
        self.all: list[Got] = []
        self.taken: list[Got] = []
        self.url = ""
        self._open: set[asyncio.StreamWriter] = set()

    @property
    def types(self) -> list[str]:
        """The types of the events that it said yes to, without what all of them have."""
        return [short(got.event["type"]) for got in self.taken]

    def by_order(self) -> dict[str, list[str]]:
        """Order id → the sequences of the events that it said yes to, as they came."""
        found: dict[str, list[str]] = defaultdict(list)
        for got in self.taken:
            found[got.event["subject"]].append(got.event["sequence"])
        return dict(found)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._open.add(writer)
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            while await self._one(reader, writer):
                pass
        writer.close()
        self._open.discard(writer)

    async def _one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("ascii").split("\r\n")
        headers = {k.lower(): v.strip() for k, _, v in (line.partition(":") for line in head[1:])}
        got = Got(headers, await reader.readexactly(int(headers["content-length"])))
        self.all.append(got)
        reply = self.behaviour(len(self.all), got)
        if reply.how == "close":
            return False
        if reply.how == "hang":
            await asyncio.sleep(3600)
        lines = [f"HTTP/1.1 {reply.status} x", f"content-length: {len(reply.body)}"]
        lines += [f"{name}: {value}" for name, value in reply.headers.items()]
        writer.write("\r\n".join([*lines, "", ""]).encode())
        if reply.how == "drip":
            for byte in reply.body:
                writer.write(bytes([byte]))
                await writer.drain()
                await asyncio.sleep(0.05)
        else:
            if 200 <= reply.status < 300:
                self.taken.append(got)
            writer.write(reply.body)
        await writer.drain()
        return True

    def close(self) -> None:
        """Drop everybody who is connected."""
        for writer in self._open:
            writer.close()


@asynccontextmanager
async def receiving(
    behaviour: Behaviour = lambda _number, _got: Reply(), *, tls: ssl.SSLContext | None = None
) -> AsyncIterator[Receiver]:
    """A receiver on a free port of this machine, until the block ends."""
    receiver = Receiver(behaviour)
    tasks: set[asyncio.Task[None]] = set()

    def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.ensure_future(receiver.serve(reader, writer))
        tasks.add(task)
        task.add_done_callback(tasks.discard)

    server = await asyncio.start_server(accept, "127.0.0.1", 0, ssl=tls, limit=2**20)
    port = server.sockets[0].getsockname()[1]
    receiver.url = f"{'https' if tls else 'http'}://localhost:{port}/events?key=abc"
    try:
        yield receiver
    finally:
        server.close()
        receiver.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


@asynccontextmanager
async def sending(seconds_max: float = 2.0) -> AsyncIterator[Sender]:
    """A sender that may send to this machine."""
    sender = Sender(HERE, seconds_max=seconds_max)
    try:
        yield sender
    finally:
        await sender.close()


def short(type_: str) -> str:
    """`order.confirmed` of `orderloom.order.confirmed.v1`."""
    return type_.removeprefix("orderloom.").removesuffix(".v1")


@contextmanager
def receiving_beside(behaviour: Behaviour) -> Iterator[Receiver]:
    """The same for a test without a loop: it listens in a thread of its own."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="receiver", daemon=True)
    thread.start()
    listening = receiving(behaviour)
    try:
        yield asyncio.run_coroutine_threadsafe(listening.__aenter__(), loop).result()
    finally:
        asyncio.run_coroutine_threadsafe(listening.__aexit__(None, None, None), loop).result()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


class EveryTenth:
    """Says no to every tenth event, once."""

    def __init__(self) -> None:
        self.seen: set[str] = set()

    def __call__(self, _number: int, got: Got) -> Reply:
        name = got.headers["webhook-id"]
        is_new = name not in self.seen
        self.seen.add(name)
        return Reply(500) if is_new and len(self.seen) % 10 == 0 else Reply()


async def missing_in(receiver: Receiver, pool: Pool) -> list[str]:
    """What a receiver that wants everything has not got, or not in the sequence of its order.

    Also what has no position yet.
    """
    if await pool.fetchval(
        "select exists (select from order_event, event_sequence where xact >= horizon)"
    ):
        return ["the newest have no positions yet"]
    rows = await pool.fetch(
        "select order_id, position from event_out join customer_order using (order_no) "
        "order by position"
    )
    expected: dict[str, list[str]] = {}
    for row in rows:
        expected.setdefault(row["order_id"], []).append(f"{row['position']:020d}")
    # An event may come twice where its answer was lost: the first time counts.
    got = {order_id: list(dict.fromkeys(each)) for order_id, each in receiver.by_order().items()}
    return [
        f"{order_id}: {len(got.get(order_id, []))} of {len(each)}"
        if set(got.get(order_id, [])) != set(each)
        else f"{order_id}: out of sequence"
        for order_id, each in expected.items()
        if got.get(order_id) != each
    ]
