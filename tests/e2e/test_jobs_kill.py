"""A file of orders is imported while `serve` and worker are killed: each order is placed once."""

from __future__ import annotations

import json
import random
import time
from contextlib import ExitStack, closing
from typing import Any, Final

import httpx

from store.database import Pool
from tests.e2e.stack import Shell, Up, fresh_shell, until
from tests.support.builders import a_document

ORDERS: Final = 300
WRONG: Final = frozenset({7, 150, 299})
"""Lines that cannot be read."""

PATIENCE_S: Final = 120.0
KILLED: Final = ("serve", "worker-1", "serve", "temporal", "postgres")


class Program:
    """A program that asks until it is answered."""

    def __init__(self, url: str, token: str) -> None:
        self._client = httpx.Client(
            base_url=url, headers={"Authorization": f"Bearer {token}"}, timeout=40
        )

    def close(self) -> None:
        """Give its connections back."""
        self._client.close()

    def ask(self, method: str, path: str, **sent: Any) -> Any:
        """The answer, once there is one."""
        deadline = time.monotonic() + PATIENCE_S
        while True:
            try:
                answer = self._client.request(method, path, **sent)
            except httpx.TransportError:
                answer = None
            if answer is not None and answer.is_success:
                return answer.json()
            if answer is not None and answer.status_code < 500:
                assert answer.json()["retryable"], answer.text
            assert time.monotonic() < deadline, "nobody answers"
            time.sleep(0.2)

    def items(self, job_id: str) -> list[dict[str, Any]]:
        """What became of each item."""
        found: list[dict[str, Any]] = []
        query: dict[str, Any] = {"limit": 100}
        while True:
            page = self.ask("GET", f"/v1/jobs/{job_id}/items", params=query)
            found += page["items"]
            if not page["has_more"]:
                return found
            query["cursor"] = page["next_cursor"]


def a_file() -> str:
    lines = [
        json.dumps(
            a_document(
                channel_order_id=f"{number}",
                lines=[{"sku": "TEA", "quantity": 1, "unit_price": "9.99"}],
            )
        )
        for number in range(1, ORDERS + 1)
    ]
    for number in WRONG:
        lines[number - 1] = '{"no": "order"}'
    return "\n".join(lines)


def kill_while_it_works(shell: Shell, up: Up, program: Program, job_id: str) -> int:
    """Each program in turn, as the job gets on. Returns how many were killed while it ran."""
    killed = 0
    for name in KILLED:
        before = program.ask("GET", f"/v1/jobs/{job_id}")
        if before["ended_at"] is not None:
            break
        again = up.said(f"{name} was started again")
        up.kill(name)
        killed += 1
        up.wait_for(f"{name} was started again", times=again + 1)
        time.sleep(random.uniform(0.2, 0.8))
    return killed


def test_an_import_goes_on_where_it_stood_whatever_is_killed() -> None:
    with fresh_shell() as shell, shell.up() as up, ExitStack() as asking:
        shell.orderloom("stock", "receive", "TEA", "1000", "--new-location")
        scopes = ("orders:read", "orders:write")
        named = [part for scope in scopes for part in ("--scope", scope)]
        told = shell.orderloom("api-keys", "make", "shop", *named, "--per-minute", "100000")
        url = shell.info().http_url
        assert url is not None
        program = asking.enter_context(closing(Program(url, told["secret_text"])))
        headers = {"Content-Type": "application/jsonl", "Idempotency-Key": "the-file"}
        job = program.ask("POST", "/v1/imports/orders", content=a_file(), headers=headers)
        job_id = job["job_id"]
        until(lambda: program.ask("GET", f"/v1/jobs/{job_id}")["done"] > 0, "the import has begun")
        assert kill_while_it_works(shell, up, program, job_id) >= 2
        ended = until(
            lambda: (
                found if (found := program.ask("GET", f"/v1/jobs/{job_id}"))["ended_at"] else None
            ),
            "the import has ended",
            seconds_max=PATIENCE_S,
        )
        assert (ended["state"], ended["total"]) == ("done", ORDERS)
        assert (ended["done"], ended["refused"]) == (ORDERS - len(WRONG), len(WRONG))
        items = program.items(job_id)
        assert [one["number"] for one in items] == [*range(1, ORDERS + 1)]
        assert {one["number"] for one in items if one["outcome"] == "refused"} == WRONG
        assert {one["reference"] for one in items if one["outcome"] == "done"} == {
            f"web-{number}" for number in range(1, ORDERS + 1) if number not in WRONG
        }
        until(
            lambda: shell.ask(counted) == {"orders": ORDERS - len(WRONG), "undecided": 0},
            "every order is placed once and decided",
            seconds_max=PATIENCE_S,
        )
        assert shell.ask(allocated) == ORDERS - len(WRONG)
        assert shell.orderloom("audit")["clean"]


async def counted(pool: Pool) -> dict[str, int]:
    row = await pool.fetchrow(
        """
        select count(*) as orders, count(*) filter (where decision = 'received') as undecided
        from customer_order
        """
    )
    assert row is not None
    return dict(row)


async def allocated(pool: Pool) -> int:
    units: int = await pool.fetchval("select sum(allocated)::bigint from stock")
    return units
