"""The stream by which open pages hear of changes: over a real socket, and of real sessions."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest

from starter.web.desk import live
from starter.web.screens.cookies import SESSION
from starter.web.screens.visits import BY_ITSELF
from store.database import Pool
from store.views import order_page
from tests.support.bench import Bench
from tests.support.browser import listening
from tests.support.builders import an_order
from tests.support.desk import Desk

_WITHIN_S = 20
_SEEN = "select seen_at from staff_session where ended_at is null"


class Told:
    """What a stream has said so far, as pairs of event and data."""

    def __init__(self, answer: httpx.Response) -> None:
        self._lines = answer.aiter_lines()

    async def next(self) -> tuple[str, str]:
        """The next event; ("", "") at the end of the stream."""
        async with asyncio.timeout(_WITHIN_S):
            async for line in self._lines:
                if line.startswith("event: "):
                    data = await anext(self._lines)
                    return line.removeprefix("event: "), data.removeprefix("data: ")
        return "", ""


@asynccontextmanager
async def streamed(desk: Desk, address: str, **marks: str) -> AsyncIterator[Told]:
    asked = "&".join(urlencode({"order": one, "mark": mark}) for one, mark in marks.items())
    cookies = {"Cookie": f"{SESSION}={desk.cookies.get(SESSION)}"}
    async with (
        httpx.AsyncClient(base_url=address, headers=cookies, timeout=_WITHIN_S) as browser,
        browser.stream("GET", f"/app/live?{asked}") as answer,
    ):
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith("text/event-stream")
        yield Told(answer)


async def written(bench: Bench, number: str, **fields: Any) -> str:
    order = an_order(("TEA", 1, "10.00"), channel_order_id=number, **fields)
    await bench.on_record(order)
    return order.order_id


async def happens(pool: Pool, order_id: str) -> None:
    await pool.execute(
        "insert into order_event (order_no, effect, what, who) "
        "values (order_no_of($1), gen_random_uuid()::text, 'put back', 'x')",
        order_id,
    )


async def test_a_change_is_told_from_the_mark_on_that_the_page_knows(pool: Pool) -> None:
    desk = await Desk(pool).signed_in("anna", "agent")
    first, second = [await written(Bench(pool), f"live-{n}") for n in (1, 2)]
    marks = await desk.here.orders.marks([first, second])
    async with (
        listening(desk.app) as address,
        streamed(desk, address, **{first: "older", second: marks[second]}) as told,
    ):
        assert await told.next() == ("changed", json.dumps({first: marks[first]}))
        await happens(pool, second)
        event, data = await told.next()
        now = await desk.here.orders.marks([second])
        assert (event, json.loads(data)) == ("changed", dict(now))
        assert now[second] != marks[second]
        (session,) = await desk.here.staff.sessions("anna")
        await desk.here.staff.end_session(session.session_no, who="an admin")
        assert (await told.next())[0] == "ended"
        assert await told.next() == ("", "")


@pytest.mark.parametrize("fault", [ConnectionResetError("away"), RuntimeError("a fault of ours")])
async def test_a_look_that_fails_ends_no_news(
    pool: Pool, monkeypatch: pytest.MonkeyPatch, fault: Exception
) -> None:
    desk = await Desk(pool).signed_in("anna", "agent")
    order_id = await written(Bench(pool), "live-fault")
    looks = 0
    marks = order_page.marks

    async def failing(*args: Any) -> dict[str, str]:
        nonlocal looks
        looks += 1
        if looks == 2:
            raise fault
        return await marks(*args)

    monkeypatch.setattr(order_page, "marks", failing)
    async with listening(desk.app) as address:
        known = "older"
        for _ in range(3):
            async with streamed(desk, address, **{order_id: known}) as told:
                while (news := await told.next()) != ("", ""):
                    known = json.loads(news[1])[order_id]
                    if looks > 2:
                        return
                    while looks < 2:
                        await asyncio.sleep(0.1)
                    await happens(pool, order_id)
    raise AssertionError("nothing is told any more")


async def test_nothing_is_told_of_what_is_somebody_elses(pool: Pool) -> None:
    desk = await Desk(pool).signed_in("anna", "agent", channels=["web"])
    mine, theirs = (
        await written(Bench(pool), "mine"),
        await written(Bench(pool), "theirs", channel="pos"),
    )
    async with (
        listening(desk.app) as address,
        streamed(desk, address, **{theirs: "older", "web-none": "x", mine: "older"}) as told,
    ):
        _, data = await told.next()
        assert list(json.loads(data)) == [mine]


async def test_who_may_less_than_before_is_asked_anew(pool: Pool) -> None:
    desk = await Desk(pool).signed_in("anna", "agent")
    async with listening(desk.app) as address, streamed(desk, address) as told:
        await pool.execute("update staff set channels = '{pos}' where login = 'anna'")
        assert await told.next() == ("", "")


async def test_without_a_session_that_is_all_that_is_said(pool: Pool) -> None:
    answer = await Desk(pool).get("/app/live?order=web-1&mark=x")
    assert answer.text == "event: ended\ndata: -\n\n"
    clerk = await Desk(pool).signed_in("cy", "agent")
    many = await clerk.get("/app/live?" + "&".join(f"order=x-{n}&mark=y" for n in range(60)))
    assert many.status_code == 429


async def test_a_browser_has_so_many_streams(pool: Pool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "_OF_A_SESSION_MAX", 1)
    desk = await Desk(pool).signed_in("anna", "agent")
    async with listening(desk.app) as address, streamed(desk, address):
        assert (await desk.get("/app/live")).status_code == 429


async def test_what_a_page_asks_by_itself_keeps_no_session_alive(pool: Pool) -> None:
    desk = await Desk(pool).signed_in("anna", "agent")
    order_id = await written(Bench(pool), "idle")
    await pool.execute("update staff_session set seen_at = seen_at - interval '1 hour'")
    before = await pool.fetchval(_SEEN)
    page = await desk.get(f"/app/orders/{order_id}", headers={BY_ITSELF: "1"})
    assert page.status_code == 200
    assert await pool.fetchval(_SEEN) == before
    await desk.get(f"/app/orders/{order_id}")
    assert await pool.fetchval(_SEEN) > before
    await pool.execute("update staff_session set seen_at = seen_at - interval '13 hours'")
    late = await desk.get(f"/app/orders/{order_id}", headers={BY_ITSELF: "1"})
    assert late.url.path == "/app/sign-in"
