"""A stand-in for Stripe: localstripe, with what it lacks (`company`), behind faults on demand."""

from __future__ import annotations

import asyncio
import json
import re
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any, Final, Literal

import aiohttp
from aiohttp import web

from tests.localstripe.company import Answer, Call, Company, refused

What = Literal[
    "reset before",
    "reset after",
    "slow before",
    "slow after",
    "500 before",
    "500 after",
    "429",
    "twice",
    "canned",
]

LATE_S: Final = 5.0
"""How late a slow answer is, or how late a slow request arrives, if somebody waits so long."""


@dataclass
class Fault:
    """What goes wrong with the next calls of a method, path and key (patterns for all of it).

    before: the call does not arrive, but for "slow before", which arrives when nobody waits any
    more. after: it is carried out, and its answer is lost or late; "500 after" is what Stripe then
    answers to this key for good. canned: `answer` is given instead.
    """

    what: What
    method: str
    path: str
    key: str = ".*"
    times: int = 1
    answer: Answer | None = None

    def fits(self, call: Call) -> bool:
        """It is this call's turn."""
        return (
            self.times > 0
            and self.method == call.method
            and re.fullmatch(self.path, call.path) is not None
            and re.fullmatch(self.key, call.key or "") is not None
        )


@dataclass
class StandIn:
    """Where it is, what goes wrong there, and what was asked."""

    url: str
    company: Company
    faults: list[Fault] = field(default_factory=list)
    calls: list[Call] = field(default_factory=list)
    _under_way: int = 0

    async def clear(self) -> None:
        """An empty account without faults."""
        self.faults.clear()
        await self.company.clear()
        self.calls.clear()

    def fail(
        self, what: What, method: str, path: str, *, times: int = 1, answer: Answer | None = None
    ) -> None:
        """Let the next calls go wrong."""
        self.faults.append(Fault(what, method, path, times=times, answer=answer))

    async def quiet(self) -> None:
        """Until nothing is under way, nor what nobody waits for any more."""
        while self._under_way:
            await asyncio.sleep(0.01)

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Answer one request."""
        self._under_way += 1
        try:
            return await self._handle(request)
        finally:
            self._under_way -= 1

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        call = Call(
            request.method,
            request.path,
            [*request.query.items()],
            [(name, str(value)) for name, value in (await request.post()).items()],
            request.headers.get("Idempotency-Key"),
            request.headers.get("Authorization", ""),
        )
        self.calls.append(call)
        fault = self._fault(call)
        if fault is None:
            return _written(await self.company.answer(call))
        answer = await self._go_wrong(fault, call, request)
        if answer is None:
            if request.transport is not None:
                request.transport.abort()
            return web.Response()
        return _written(answer)

    async def _go_wrong(self, fault: Fault, call: Call, request: web.Request) -> Answer | None:
        match fault.what:
            case "reset before":
                return None
            case "500 before":
                return Answer(500, {"error": {"type": "api_error", "message": "Sorry"}})
            case "429":
                return refused("rate_limit", "Too many requests", status=429)
            case "canned":
                assert fault.answer is not None
                return fault.answer
            case "slow before":
                await _nobody_waits(request)
            case "twice":
                await self.company.answer(call)
        answer = await self.company.answer(call)
        match fault.what:
            case "reset after":
                return None
            case "slow after":
                await _nobody_waits(request)
            case "500 after":
                answer = Answer(500, {"error": {"type": "api_error", "message": "Sorry"}})
                if call.key is not None:
                    self.company.kept[call.key] = (call, answer)
        return answer

    def _fault(self, call: Call) -> Fault | None:
        for fault in self.faults:
            if fault.fits(call):
                fault.times -= 1
                return fault
        return None

    async def books(self) -> dict[str, list[tuple[str, int]]]:
        """Order → kind and amount of what localstripe itself has for it. A void counts 0."""
        intents = await self._there("payment_intents")
        bookings = await self._there("balance_transactions")
        refunds = await self._there("refunds")
        books: dict[str, list[tuple[str, int]]] = {}
        for intent in intents:
            found = books.setdefault(intent["metadata"].get("orderloom_order", ""), [])
            charge = intent["latest_charge"]
            if charge is None or charge["status"] != "succeeded":
                continue
            found.append(("authorize", intent["amount"]))
            # What a capture does not take is a refund that nobody asked for.
            left = [
                refund["amount"]
                for refund in refunds
                if refund["charge"] == charge["id"] and not refund["metadata"]
            ]
            found += [
                ("capture", booking["amount"] - sum(left))
                for booking in bookings
                if booking["source"] == charge["id"]
            ]
            found += [
                ("refund", refund["amount"])
                for refund in refunds
                if refund["charge"] == charge["id"] and refund["metadata"]
            ]
            if intent["status"] == "canceled":
                found.append(("void", 0))
        return books

    async def make_card(self, number: str) -> str:
        """A token of a card with this number, as Stripe's pages on testing name them."""
        card = {"number": number, "exp_month": "12", "exp_year": "2031", "cvc": "123"}
        form = [("type", "card"), *((f"card[{name}]", value) for name, value in card.items())]
        made = await self.company.answer(Call("POST", "/v1/payment_methods", form=form))
        return str(made.body["id"])

    async def _there(self, what: str) -> list[dict[str, Any]]:
        async with self.company.session.get(
            f"{self.company.url}/v1/{what}",
            params={"limit": "1000000"},
            headers={"Authorization": "Bearer sk_test_books"},
        ) as answer:
            found: list[dict[str, Any]] = (await answer.json())["data"]
            return found


@asynccontextmanager
async def stand_in(port: int = 0) -> AsyncIterator[StandIn]:
    """A running stand-in, with a localstripe of its own."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.localstripe.server"),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        start_new_session=True,  # Ctrl-C is not for it
    )
    try:
        assert process.stdout is not None
        its_port = int(await process.stdout.readline())
        async with aiohttp.ClientSession() as session:
            here = StandIn("", Company(session, f"http://127.0.0.1:{its_port}"))
            app = web.Application()
            app.router.add_route("*", "/{path:.*}", here.handle)
            runner = web.AppRunner(app, access_log=None, shutdown_timeout=0)
            await runner.setup()
            site = web.TCPSite(runner, "127.0.0.1", port)
            await site.start()
            host, opened = runner.addresses[0][:2]
            here.url = f"http://{host}:{opened}"
            try:
                yield here
            finally:
                await runner.cleanup()
    finally:
        process.terminate()
        await process.wait()


async def _nobody_waits(request: web.Request) -> None:
    with suppress(TimeoutError):
        async with asyncio.timeout(LATE_S):
            while request.transport is not None:
                await asyncio.sleep(0.01)


def _written(answer: Answer) -> web.Response:
    return web.Response(
        status=answer.status, text=json.dumps(answer.body), content_type="application/json"
    )
