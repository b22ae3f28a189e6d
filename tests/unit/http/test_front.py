"""What every HTTP request goes through: ids, bounds, problem documents; over real connections."""

from __future__ import annotations

import asyncio
import json
import logging
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

import httpx
import pytest
from fastapi import FastAPI, Request
from pydantic import BaseModel

from domain.errors import Conflict, Ending, InvalidInput, NotFound, Unreachable
from starter.http import app as applications
from starter.http.front import Front, Limits
from starter.http.health import Health
from starter.http.metrics import Metrics
from starter.http.problems import Problem
from starter.listening import protocol
from starter.listening.server import bound, serve
from tests.support.api import with_routes_of

LIMITS: Final = Limits(
    body_bytes=1000,
    bodies_bytes=1500,
    small_bytes=100,
    body_seconds=0.3,
    answer_seconds=1.0,
    ending_seconds=0.0,
)
REFUSALS: Final = {
    "input": (InvalidInput("no such day", where="placed_at"), 422, False),
    "conflict": (Conflict("other content"), 409, False),
    "missing": (NotFound("no order web-1"), 404, False),
    "ending": (Ending("ask again"), 409, True),
    "away": (Unreachable("PostgreSQL does not answer"), 503, True),
}


class Units(BaseModel):
    quantity: int


def odd_routes(app: FastAPI) -> None:
    """Routes that do what ours must not."""

    @app.get("/refuse/{name}")
    async def refuse(name: str) -> None:
        raise REFUSALS[name][0]

    @app.get("/breaks")
    async def breaks(name: str) -> None:
        raise ValueError(name)

    @app.get("/sleeps")
    async def sleeps() -> None:
        await asyncio.sleep(60)

    @app.get("/slowly/{seconds}")
    async def slowly(seconds: float) -> str:
        await asyncio.sleep(seconds)
        return "done"

    @app.post("/units")
    async def units(units: Units) -> Units:
        return units

    @app.post("/many-units")
    async def many_units(units: list[Units]) -> None:
        """Whatever they are."""

    @app.get("/who")
    async def who(request: Request) -> str | None:
        return None if request.client is None else request.client.host


@dataclass(frozen=True)
class Here:
    client: httpx.AsyncClient
    port: int
    metrics: Metrics
    stop: asyncio.Event

    async def raw(self, *parts: bytes, pause_s: float = 0) -> bytes:
        """All that is answered to these bytes, until the connection ends."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        for part in parts:
            writer.write(part)
            await writer.drain()
            await asyncio.sleep(pause_s)
        answer = await asyncio.wait_for(reader.read(), 10)
        writer.close()
        return answer


def written(answer: bytes, status: int) -> Problem:
    """The problem document of an answer as it stands on the wire."""
    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 %d " % status), head
    assert b"content-type: application/problem+json" in head
    told = Problem.model_validate_json(body)
    assert told.status == status
    return told


@cache
def with_odd_routes() -> FastAPI:
    app = applications.described()
    odd_routes(app)
    return app


@asynccontextmanager
async def served(*, proxies: tuple[str, ...] = (), at_once: int = 100) -> AsyncIterator[Here]:
    app, metrics = with_routes_of(with_odd_routes()), Metrics()
    app.state.health = Health({}, {})
    listening, stop = bound("127.0.0.1:0"), asyncio.Event()
    port = listening.getsockname()[1]
    serving = asyncio.create_task(
        serve(
            Front(app, limits=LIMITS, metrics=metrics),
            *(listening, stop),
            at_once=at_once,
            trusted_proxies=proxies,
        )
    )
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=10) as client:
        yield Here(client, port, metrics, stop)
    stop.set()
    await serving


@pytest.fixture
async def here() -> AsyncIterator[Here]:
    async with served() as here:
        yield here


def problem(answer: httpx.Response, status: int, code: str) -> dict[str, Any]:
    """The problem document, which must be whole."""
    assert (answer.status_code, answer.headers["content-type"]) == (
        status,
        "application/problem+json",
    ), answer.text
    told: dict[str, Any] = answer.json()
    assert (told["status"], told["code"], told["type"]) == (status, code, "about:blank")
    assert told["title"]
    assert told["detail"]
    assert told["request_id"] == answer.headers["x-request-id"]
    assert told["instance"] == answer.request.url.path
    assert told["retryable"] is ("retry-after" in answer.headers)
    return told


async def test_each_request_has_an_id_its_own_where_that_can_stand_in_a_log(here: Here) -> None:
    first, second = [await here.client.get("/livez") for _ in range(2)]
    ids = {answer.headers["x-request-id"] for answer in (first, second)}
    assert len(ids) == 2
    assert all(re.fullmatch(r"req_[0-9a-f]{32}", one) for one in ids)
    for own, kept in (("shop-42.a_B", True), ("a b", False), ("x" * 101, False), ("", False)):
        answer = await here.client.get("/livez", headers={"X-Request-Id": own})
        assert (answer.headers["x-request-id"] == own) is kept, own


@pytest.mark.parametrize("name", REFUSALS)
async def test_what_a_door_refuses_is_a_problem_document(here: Here, name: str) -> None:
    error, status, retryable = REFUSALS[name]
    told = problem(await here.client.get(f"/refuse/{name}"), status, error.kind)
    named = [{"pointer": "/placed_at", "code": "invalid_input", "detail": "no such day"}]
    assert told["errors"] == (named if name == "input" else [])
    assert told["detail"] == str(error)
    assert told["retryable"] is retryable


async def test_what_the_framework_refuses_is_one_too(here: Here) -> None:
    problem(await here.client.get("/nowhere"), 404, "not_found")
    answer = await here.client.post("/livez")
    problem(answer, 405, "method_not_allowed")
    assert answer.headers["allow"] == "GET, HEAD"
    told = problem(await here.client.post("/units", json={"quantity": "x"}), 422, "invalid_input")
    ((fault),) = told["errors"]
    assert (fault["pointer"], fault["code"]) == ("/body/quantity", "int_parsing")
    assert told["detail"] == "/body/quantity: must be a whole number"


@pytest.mark.parametrize(
    "body", [b"[" * 900, b'{"quantity":NaN}', b'{"quantity":', b"\xff", b'{"quantity":"\\ud800"}']
)
async def test_a_body_that_is_no_json_is_told_so(here: Here, body: bytes) -> None:
    headers = {"content-type": "application/json"}
    problem(await here.client.post("/units", content=body, headers=headers), 400, "not_json")


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"content-type": ""},
        {"content-type": "text/plain"},
        {"content-type": "application/x-www-form-urlencoded"},  # what curl says by itself
        {"content-type": "application/json", "content-encoding": "gzip"},
    ],
)
async def test_a_body_of_another_type_is_told_what_to_say(
    here: Here, headers: dict[str, str]
) -> None:
    answer = await here.client.post("/units", content=b'{"quantity":1}', headers=headers)
    problem(answer, 415, "not_json")


@pytest.mark.parametrize("kind", ["application/json; charset=utf-8", "Application/vnd.api+JSON"])
async def test_json_under_each_of_its_names_is_read(here: Here, kind: str) -> None:
    headers = {"content-type": kind}
    answer = await here.client.post("/units", content=b'{"quantity":1}', headers=headers)
    assert answer.status_code == 200, answer.text


async def test_an_answer_is_no_larger_than_a_request_with_many_faults(here: Here) -> None:
    answer = await here.client.post("/many-units", json=[{}] * 300)
    told = problem(answer, 422, "invalid_input")
    assert len(told["errors"]) == 100


@pytest.mark.parametrize("path", ["/livez", "/readyz"])
async def test_health_is_asked_by_head_too(here: Here, path: str) -> None:
    answer = await here.client.head(path)
    assert (answer.status_code, answer.content) == (200, b"")


async def test_nobody_is_sent_where_a_host_header_says(here: Here) -> None:
    problem(await here.client.get("/livez/", headers={"host": "evil.example"}), 404, "not_found")


async def test_a_defect_tells_its_id_and_nothing_else(
    here: Here, caplog: pytest.LogCaptureFixture
) -> None:
    told = problem(await here.client.get("/breaks?name=Kim"), 500, "defect")
    assert "Kim" not in json.dumps(told)
    (line,) = [one for one in caplog.records if one.levelno >= logging.ERROR]
    assert line.getMessage().startswith("a request has failed: ValueError\n")
    assert "in breaks" in line.getMessage()  # the place
    assert "Kim" not in str(line.__dict__)


async def test_no_answer_in_time_is_said(here: Here) -> None:
    told = problem(await here.client.get("/sleeps"), 503, "timed_out")
    assert "ask again with the same key" in told["detail"]
    assert (await here.client.get("/livez")).status_code == 200


async def test_a_body_that_is_too_large_is_refused_before_it_is_read_or_while_it_comes(
    here: Here,
) -> None:
    problem(await here.client.post("/units", content=b"x" * 1001), 413, "too_large")

    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(20):
            yield b"x" * 100

    problem(await here.client.post("/units", content=chunks()), 413, "too_large")
    lies = await here.raw(b"POST /units HTTP/1.1\r\nhost: x\r\ncontent-length: 9999999\r\n\r\n")
    assert lies.startswith(b"HTTP/1.1 413 ")
    assert b"connection: close" in lies.lower()


async def test_bodies_that_are_sent_together_take_so_much_memory_at_most(here: Here) -> None:
    head = b"POST /units HTTP/1.1\r\nhost: x\r\ncontent-length: 1000\r\n\r\n"
    held = asyncio.create_task(here.raw(head, b"x" * 999))
    await asyncio.sleep(0.1)
    refused = await here.client.post("/units", content=b"x" * 999)
    problem(refused, 503, "busy")
    assert refused.headers["connection"] == "close"
    holds_too = asyncio.create_task(here.raw(head, b"x" * 500))
    await asyncio.sleep(0.05)
    assert (await here.client.post("/units", json={"quantity": 1})).status_code == 200
    assert (await holds_too).startswith(b"HTTP/1.1 408 ")
    assert (await held).startswith(b"HTTP/1.1 408 ")
    answer = await here.client.post("/units", json={"quantity": 1, "note": "x" * 900})
    assert answer.status_code == 200


async def test_a_body_that_does_not_come_is_not_waited_for(here: Here) -> None:
    answer = await here.raw(b'POST /units HTTP/1.1\r\nhost: x\r\ncontent-length: 20\r\n\r\n{"q')
    assert answer.startswith(b"HTTP/1.1 408 ")
    assert b'"code":"too_slow"' in answer
    # One that leaves in the middle of it disturbs nobody.
    _, writer = await asyncio.open_connection("127.0.0.1", here.port)
    writer.write(b"POST /units HTTP/1.1\r\nhost: x\r\ncontent-length: 20\r\n\r\n{")
    await writer.drain()
    writer.close()
    assert (await here.client.get("/livez")).status_code == 200


async def test_a_head_that_does_not_come_is_not_waited_for(
    here: Here, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(protocol, "HEAD_SECONDS_MAX", 0.2)
    assert await here.raw() == b""
    assert await here.raw(b"GET /livez HTTP/1.1\r\nx-a: ", b"b", pause_s=0.05) == b""
    # The second request of a connection, too.
    both = await here.raw(b"GET /livez HTTP/1.1\r\nhost: x\r\n\r\n", b"GET /li", pause_s=0.05)
    assert both.count(b"HTTP/1.1 200 OK") == 1


async def test_a_flood_of_headers_is_refused(here: Here) -> None:
    begin = b"GET /livez HTTP/1.1\r\nhost: x\r\nconnection: close\r\n"
    large = b"".join(b"x-%d: %s\r\n" % (number, b"y" * 1000) for number in range(62))
    assert (await here.raw(begin, large, b"\r\n")).startswith(b"HTTP/1.1 200 ")
    # All of it is read before it is too much, so that nothing breaks the connection off.
    more = b"x-more: " + b"y" * (protocol.HEAD_BYTES_MAX - len(large))
    answer = await here.raw(begin, large, more, pause_s=0.1)
    assert written(answer, 431).code == "too_large"


@pytest.mark.parametrize(
    "request_", [b"\x16\x03\x01\x02\x00\r\n\r\n", b"GET\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n"]
)
async def test_what_is_no_http_ends_the_connection(here: Here, request_: bytes) -> None:
    answer = await here.raw(request_)
    assert answer == b"" or written(answer, 400).code == "not_http"
    assert (await here.client.get("/livez")).status_code == 200


async def test_head_is_answered_as_get_without_a_body(here: Here) -> None:
    whole = await here.client.get("/slowly/0")
    head = await here.client.head("/slowly/0")
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["content-length"] == whole.headers["content-length"]
    refused = await here.client.head("/refuse/missing")
    assert (refused.status_code, refused.content) == (404, b"")
    # The connection goes on, and nothing of a body is in its way.
    both = await here.raw(
        b"HEAD /slowly/0 HTTP/1.1\r\nhost: x\r\n\r\n",
        b"GET /slowly/0 HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n",
    )
    assert both.count(b"HTTP/1.1 200 OK") == 2
    assert both.count(b'"done"') == 1
    assert (await here.client.head("/units")).status_code == 405


async def test_more_connections_than_allowed_are_told_so() -> None:
    async with served(at_once=2) as here:
        idle = [await asyncio.open_connection("127.0.0.1", here.port) for _ in range(2)]
        answer = await here.client.get("/livez")
        told = Problem.model_validate(problem(answer, 503, "busy"))
        assert told.retryable
        assert (answer.headers["retry-after"], answer.headers["connection"]) == ("2", "close")
        assert answer.headers["x-request-id"] == told.request_id
        for _, writer in idle:
            writer.close()
            await writer.wait_closed()
        answers = [await here.client.get("/livez") for _ in range(3)]
        assert answers[-1].status_code == 200


async def test_what_a_proxy_says_of_its_client_is_believed_only_of_a_trusted_one() -> None:
    said = {"X-Forwarded-For": "203.0.113.7"}
    async with served() as here:
        assert (await here.client.get("/who", headers=said)).json() == "127.0.0.1"
    async with served(proxies=("127.0.0.0/8",)) as here:
        assert (await here.client.get("/who", headers=said)).json() == "203.0.113.7"


async def test_what_is_being_answered_when_it_stops_is_answered_and_nothing_more(
    here: Here,
) -> None:
    await here.client.get("/slowly/0")  # The first request of all puts the routes together.
    asked = asyncio.create_task(here.client.get("/slowly/0.2"))
    await asyncio.sleep(0.1)
    here.stop.set()
    assert (await asked).json() == "done"
    with pytest.raises(httpx.ConnectError):
        async with httpx.AsyncClient() as another:
            await another.get(f"http://127.0.0.1:{here.port}/livez")


async def test_figures_and_log_name_routes_and_nobody(
    here: Here, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "orderloom.http")
    await here.client.get("/refuse/missing?mail=kim@example.com")
    await here.client.get("/of/kim@example.com")
    await here.client.request("PROPFIND", "/livez")
    ours = [one for one in caplog.records if one.name == "orderloom.http"]
    told = [(one.__dict__["route"], one.__dict__["status"]) for one in ours]
    assert told == [("/refuse/{name}", 404), ("none", 404), ("/livez", 405)]
    transport = httpx.ASGITransport(here.metrics.application())
    async with httpx.AsyncClient(transport=transport, base_url="http://metrics") as prometheus:
        figures = (await prometheus.get("/")).text
    counted = 'orderloom_http_requests_total{method="GET",route="/refuse/{name}",status="404"} 1.0'
    assert counted in figures
    assert "orderloom_http_requests_under_way 0.0" in figures
    assert 'method="OTHER"' in figures
    assert "kim" not in figures + "".join(str(one.__dict__) for one in ours)
