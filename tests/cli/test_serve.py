"""`orderloom serve` as a program: what it answers, what it says, and how it ends."""

from __future__ import annotations

import asyncio
import json
import signal
from asyncio.subprocess import Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import pytest

from store.database import Pool
from tests.support import watching
from tests.support.command_line import SECONDS_MAX, Cli

LISTEN = ("--listen", "127.0.0.1:0")


@asynccontextmanager
async def serving(cli: Cli, *options: str) -> AsyncIterator[tuple[Process, httpx.AsyncClient]]:
    process = await cli.start("serve", *LISTEN, *options, "--json")
    assert process.stdout is not None
    line = await asyncio.wait_for(process.stdout.readline(), SECONDS_MAX)
    ready = json.loads(line or b"{}")
    assert ready.get("event") == "ready", (line, process.returncode)
    async with httpx.AsyncClient(base_url=ready["url"], timeout=20) as client:
        yield process, client
    if process.returncode is None:
        process.kill()
        await process.wait()


async def ended(process: Process) -> tuple[int, str]:
    """Send SIGTERM. Returns the exit code and the text on standard error."""
    process.send_signal(signal.SIGTERM)
    _, err = await asyncio.wait_for(process.communicate(), SECONDS_MAX)
    assert process.returncode is not None
    return process.returncode, err.decode()


async def test_it_answers_until_it_is_told_to_stop_and_logs_no_names(
    cli: Cli, unused_tcp_port: int
) -> None:
    """It tells its figures, too, on an address of their own."""
    where = f"127.0.0.1:{unused_tcp_port}"
    async with serving(cli, "--metrics", where) as (process, client):
        assert (await client.get("/livez")).json() == {"status": "ok"}
        ready = await client.get("/readyz")
        assert (ready.status_code, ready.json()["status"]) == (200, "ready")
        assert [one["server"] for one in ready.json()["servers"]] == ["postgresql", "temporal"]
        assert "swagger-ui" in (await client.get("/docs")).text
        asked = await client.get("/of/kim@example.com", headers={"X-Request-Id": "shop-7"})
        assert asked.json()["request_id"] == "shop-7"
        async with httpx.AsyncClient() as prometheus:
            figures = (await prometheus.get(f"http://{where}/metrics")).text
        assert 'orderloom_http_requests_total{method="GET",route="/livez",status="200"} 1.0' in (
            figures
        )
        assert watching.metrics_named("orderloom_") <= watching.told(figures)
        for line in ('server_up{server="postgresql"} 1.0', 'server_up{server="temporal"} 1.0'):
            assert f"orderloom_{line}" in figures
        assert (await client.get("/metrics")).status_code == 404
        code, err = await ended(process)
    assert code == 0
    lines = [json.loads(line) for line in err.splitlines()]
    (line,) = [one for one in lines if one.get("request_id") == "shop-7"]
    assert (line["status"], line["route"], line["level"]) == (404, "none", "info")
    assert "kim" not in err


async def test_it_says_which_server_is_away(cli: Cli, pool: Pool) -> None:
    cli.environment["TEMPORAL_ADDRESS"] = "127.0.0.1:9"
    async with serving(cli) as (_, client):
        ready = await client.get("/readyz")
        assert (ready.status_code, ready.json()["status"]) == (200, "degraded")
        (away,) = [one for one in ready.json()["servers"] if not one["answers"]]
        assert away["server"] == "temporal"
        # A database that another version of the program has changed counts as away, too.
        await pool.execute("drop table schema_migrations")
        ready = await client.get("/readyz")
        assert (ready.status_code, ready.json()["status"]) == (503, "away")
        assert (await client.get("/livez")).status_code == 200


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (("--listen", "here"), "--listen"),
        (("--listen", "192.0.2.1:1"), "--listen"),
        (("--listen", "fd://987"), "--listen"),
        (("--listen", "fd://one"), "--listen"),
        ((*LISTEN, "--metrics", "192.0.2.1:1"), "--metrics"),
        ((*LISTEN, "--trusted-proxy", "the proxy"), "--trusted-proxy"),
        ((*LISTEN, "--at-once", "0"), "--at-once"),
    ],
)
async def test_what_cannot_be_used_ends_with_2_and_a_sentence(
    cli: Cli, options: tuple[str, ...], told: str
) -> None:
    ended = await cli("serve", *options)
    assert (ended.code, ended.out) == (2, "")
    assert told in ended.err


async def test_without_a_database_it_ends_with_3_and_a_sentence(cli: Cli) -> None:
    cli.environment["DATABASE_URL"] = "postgresql://orderloom@127.0.0.1:9/none"
    ended = await cli("serve", *LISTEN)
    assert (ended.code, ended.out) == (3, "")
    assert "does not answer" in ended.err
