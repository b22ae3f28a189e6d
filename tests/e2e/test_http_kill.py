"""Programs ask over HTTP while everything is killed: with their keys, each thing is done once."""

from __future__ import annotations

import asyncio
import os
import random
from collections import Counter
from collections.abc import Awaitable, Iterable, Iterator
from dataclasses import dataclass
from time import monotonic
from typing import Any, Final

import httpx
import psutil
import pytest

from starter.http.front import Limits
from store.database import Pool
from tests.e2e.stack import Shell, Up, fresh_shell
from tests.support.builders import a_document

ORDERS: Final = int(os.environ.get("ORDERLOOM_TEST_KILL_ORDERS", "150"))
"""docs/testing.md tells how to try more of them."""
ROUNDS: Final = -(-ORDERS // 150)
PROGRAMS_AT_ONCE: Final = 8
CANCELLED: Final = frozenset(range(0, ORDERS, 5))
KILLED: Final = ("serve", "worker-1", "postgres", "temporal")
PATIENCE_S: Final = 150.0
STILL_ASKED: Final = 30
STALLED: Final = frozenset({408, 429, 500, 502, 503, 504})


@dataclass(frozen=True)
class Running:
    """A running stack, and the key of a shop's programs."""

    shell: Shell
    up: Up
    url: str
    token: str


@pytest.fixture(scope="module")
def running() -> Iterator[Running]:
    """One stack for both tests: of the first, nobody is asked about CUP; of the second, TEA."""
    with fresh_shell() as shell, shell.up() as up:
        for sku in ("TEA", "CUP"):
            shell.orderloom("stock", "receive", sku, "1000", "--new-location")
        scopes = ("orders:read", "orders:write", "aftersales:write")
        named = [part for scope in scopes for part in ("--scope", scope)]
        told = shell.orderloom("api-keys", "make", "shop", *named, "--per-minute", "100000")
        url = shell.info().http_url
        assert url is not None
        yield Running(shell, up, url, told["secret_text"])


class Programs:
    """What a shop's programs do: they ask again with the same key until they are answered."""

    def __init__(self, url: str, token: str) -> None:
        self._client = httpx.AsyncClient(
            base_url=url, headers={"Authorization": f"Bearer {token}"}, timeout=40
        )
        self.asked: Counter[str] = Counter()

    async def post(self, path: str, content: dict[str, Any], key: str, **headers: str) -> Any:
        """The answer to a change. It is asked for until there is one."""
        return await self._until_answered(
            "POST", path, json=content, headers={"Idempotency-Key": key, **headers}
        )

    async def get(self, path: str) -> Any:
        return await self._until_answered("GET", path)

    async def _until_answered(self, method: str, path: str, **sent: Any) -> Any:
        async with asyncio.timeout(PATIENCE_S):
            while True:
                self.asked[method] += 1
                try:
                    answer = await self._client.request(method, path, **sent)
                except httpx.TransportError:  # its server has died, or is not there yet
                    await asyncio.sleep(0.2)
                    continue
                told = answer.json()
                if answer.is_success:
                    return told
                again = told["retryable"] or told["code"] == "unreachable"
                assert again or answer.status_code in STALLED, told
                await asyncio.sleep(0.2)

    async def one(self, number: int) -> None:
        """Place an order, and cancel some of them."""
        document = a_document(
            channel_order_id=str(number),
            lines=[{"sku": "TEA", "quantity": 1, "unit_price": "9.99"}],
        )
        placed = await self.post("/v1/orders", document, f"place-{number}", Prefer="wait=2")
        assert placed["order_id"] == f"web-{number}"
        if number in CANCELLED:
            await self._decided(placed["order_id"])
            path = f"/v1/orders/{placed['order_id']}/cancel"
            why = {"reason": "ordered twice"}
            outcome = await self.post(path, why, f"cancel-{number}", **{"If-Match": "*"})
            if "command_id" in outcome:
                outcome = await self._done(outcome["command_id"])
            assert outcome["outcome"] == "cancelled", outcome

    async def _decided(self, order_id: str) -> None:
        while (await self.get(f"/v1/orders/{order_id}"))["state"] == "received":
            await asyncio.sleep(0.2)

    async def _done(self, command_id: str) -> Any:
        while (found := await self.get(f"/v1/commands/{command_id}"))["status"] == "running":
            await asyncio.sleep(0.2)
        return found["outcome"]

    async def all_at_work(self) -> None:
        """So many programs share the orders."""
        numbers = iter(range(ORDERS))

        async def work() -> None:
            for number in numbers:
                await self.one(number)

        await asyncio.gather(*(work() for _ in range(PROGRAMS_AT_ONCE)))
        async with asyncio.timeout(PATIENCE_S):
            for number in range(ORDERS):
                await self._decided(f"web-{number}")
        await self.close()

    async def close(self) -> None:
        await self._client.aclose()


async def killing(up: Up, chance: random.Random) -> None:
    """Each program once in each round, one after the other."""
    for name in [name for _ in range(ROUNDS) for name in chance.sample(KILLED, len(KILLED))]:
        await asyncio.sleep(chance.uniform(0.5, 2.0))
        again = up.said(f"{name} was started again")
        await asyncio.to_thread(up.kill, name)
        await asyncio.to_thread(up.wait_for, f"{name} was started again", times=again + 1)


async def beside(shell: Shell, up: Up, programs: Programs, chance: random.Random) -> None:
    async with asyncio.TaskGroup() as together:
        together.create_task(programs.all_at_work())
        together.create_task(killing(up, chance))


@pytest.mark.timeout(300 * ROUNDS)
def test_programs_that_ask_again_with_their_keys_get_each_thing_once(running: Running) -> None:
    seed = random.randrange(1_000_000)
    print(f"seed {seed}")  # shown when the test fails
    shell, token = running.shell, running.token
    programs = Programs(running.url, token)
    began = monotonic()
    asyncio.run(beside(shell, running.up, programs, random.Random(seed)))
    print(f"{ORDERS} orders after {monotonic() - began:.0f} s, asked: {dict(programs.asked)}")
    assert programs.asked["POST"] > ORDERS + len(CANCELLED), "nothing was asked twice"
    assert shell.ask(counted) == {
        "orders": ORDERS,
        "cancelled": len(CANCELLED),
        "keys of orders": ORDERS,
        "units taken": ORDERS - len(CANCELLED),
    }
    assert shell.orderloom("audit")["clean"]
    log = (shell.home / "logs" / "serve.log").read_text(encoding="utf-8")
    assert "POST /v1/orders" in log
    assert token not in log


async def asked_while_it_stands_still(
    url: str, token: str, still: Iterable[psutil.Process]
) -> list[float]:
    """Many requests of each kind at once, while PostgreSQL answers nobody: how long each took."""
    limits = httpx.Limits(max_connections=200)
    headers = {"Authorization": f"Bearer {token}"}
    async with httpx.AsyncClient(
        base_url=url, headers=headers, timeout=60, limits=limits
    ) as client:

        async def timed(method: str, path: str, **sent: Any) -> float:
            began = monotonic()
            answer = await client.request(method, path, **sent)
            assert answer.status_code == 503, answer.text
            if path.startswith("/v1"):
                assert answer.json()["retryable"], answer.text
            return monotonic() - began

        def placing(number: int) -> Awaitable[float]:
            document = a_document(("CUP", 1), channel_order_id=f"still-{number}")
            key = {"Idempotency-Key": f"still-{number}"}
            return timed("POST", "/v1/orders", json=document, headers=key)

        placed = await client.post(
            "/v1/orders",
            json=a_document(("CUP", 1), channel_order_id="before"),
            headers={"Idempotency-Key": "before"},
        )
        assert placed.is_success, placed.text
        for process in still:
            process.suspend()
        try:
            change = {"Idempotency-Key": "cancel-before", "If-Match": "*"}
            return await asyncio.gather(
                *(placing(number) for number in range(STILL_ASKED)),
                *(timed("GET", "/v1/orders/web-before") for _ in range(STILL_ASKED)),
                *(timed("GET", "/v1/orders") for _ in range(STILL_ASKED)),
                timed(
                    "POST", "/v1/orders/web-before/cancel", json={"reason": "no"}, headers=change
                ),
                timed("GET", "/readyz"),
            )
        finally:
            for process in still:
                process.resume()


def test_while_postgresql_stands_still_every_request_is_answered_within_its_limit(
    running: Running,
) -> None:
    shell = running.shell
    first = psutil.Process(shell.info().pids["postgres"])
    still = [first, *first.children(recursive=True)]
    took = asyncio.run(asked_while_it_stands_still(running.url, running.token, still))
    print(f"{len(took)} requests, answered after {min(took):.1f} to {max(took):.1f} s")
    assert max(took) < Limits().answer_seconds
    asyncio.run(again(Programs(running.url, running.token)))
    assert shell.ask(orders_there) == STILL_ASKED + 1
    assert shell.orderloom("audit")["clean"]


async def again(programs: Programs) -> None:
    """What was asked before, with the same keys: it is done now, if it was not then."""
    for number in range(STILL_ASKED):
        document = a_document(("CUP", 1), channel_order_id=f"still-{number}")
        placed = await programs.post("/v1/orders", document, f"still-{number}")
        assert placed["order_id"] == f"web-still-{number}"
    await programs.close()


async def orders_there(pool: Pool) -> int:
    found: int = await pool.fetchval(
        "select count(*) from customer_order where channel_order_id !~ '^[0-9]+$'"
    )
    return found


async def counted(pool: Pool) -> dict[str, int]:
    """What there is, and what it should be."""
    row = await pool.fetchrow(
        """
        select (select count(*) from customer_order where channel_order_id ~ '^[0-9]+$')
                   as "orders",
               (select count(*) from order_line where cancelled > 0 and sku = 'TEA')
                   as "cancelled",
               (select count(*) from request_key
                where path = 'POST /v1/orders' and key like 'place-%') as "keys of orders",
               (select sum(allocated)::bigint from stock where sku = 'TEA') as "units taken"
        """
    )
    assert row is not None
    return dict(row)
