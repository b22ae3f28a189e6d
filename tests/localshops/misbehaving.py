"""Serves a stand-in for a shop over real HTTP, and misbehaves as it is told."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Final

from aiohttp import web

from activities.shops.web import ANSWER_BYTES_MAX

WAYS: Final = (
    *("hang", "hang after", "429", "500", "500 after", "half", "close", "close after", "401"),
)
"""How an answer goes wrong. `after`: what was asked for has been done by then."""

Answer = Callable[[web.Request], Awaitable[web.Response]]


@dataclass
class Clock:
    """A shop's own clock. `apart`: so far from ours."""

    apart: timedelta = timedelta(0)

    def now(self) -> datetime:
        """The time there, in whole seconds."""
        return (datetime.now(UTC) + self.apart).replace(microsecond=0)


@dataclass
class Manners:
    """How the next requests are answered: `way` is asked for each; empty is as it should be."""

    way: Callable[[web.Request], str] = lambda _request: ""
    calls: list[str] = field(default_factory=list)
    """Each request, and how it was answered."""
    busy: int = 0
    busiest: int = 0
    """So many requests were being answered at the same time."""


@asynccontextmanager
async def serving(answer: Answer, manners: Manners, clock: Clock) -> AsyncIterator[str]:
    """The address of a shop, until the block ends."""

    async def handle(request: web.Request) -> web.StreamResponse:
        await request.read()
        manners.busy += 1
        manners.busiest = max(manners.busiest, manners.busy)
        try:
            return await respond(request)
        finally:
            manners.busy -= 1

    async def respond(request: web.Request) -> web.StreamResponse:
        way = manners.way(request)
        manners.calls.append(f"{request.method} {request.path} {way}".strip())
        match way:
            case "hang":
                await asyncio.sleep(3600)
            case "slow":
                await asyncio.sleep(0.2)
            case "late":  # Its caller has given up by then.
                await asyncio.sleep(4)
            case "huge":
                return web.Response(body=b" " * (ANSWER_BYTES_MAX + 1))
            case "404":
                return web.Response(status=404, text="<h1>Not found</h1>")
            case "408":
                return web.Response(status=408, text="<h1>Request timeout</h1>")
            case "429":
                return web.json_response({}, status=429, headers={"Retry-After": "1"})
            case "500":
                return web.Response(status=500, text="<h1>Fatal error</h1>")
            case "401":
                return web.json_response({"message": "who are you?"}, status=401)
            case "redirect":
                return web.Response(status=302, headers={"Location": "http://elsewhere.example/"})
            case "close":
                _drop(request)
        response = await answer(request)
        response.headers["Date"] = format_datetime(clock.now(), usegmt=True)
        match way:
            case "hang after":
                await asyncio.sleep(3600)
            case "500 after":
                return web.Response(status=500, text="<h1>Fatal error</h1>")
            case "close after":
                _drop(request)
            case "half":
                assert isinstance(response.body, bytes)
                return web.Response(
                    body=response.body[: len(response.body) // 2],
                    content_type="application/json",
                )
        return response

    app = web.Application(client_max_size=2**24)
    app.router.add_route("*", "/{path:.*}", handle)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        host, port = runner.addresses[0][:2]
        yield f"http://{host}:{port}"
    finally:
        await runner.cleanup()


def _drop(request: web.Request) -> None:
    if request.transport is not None:
        request.transport.close()
