"""Events over HTTP: read, followed, and subscribed to within what a key may see."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest

from starter.listening.server import bound, serve
from tests.support.api import Api, Caller, problem
from tests.support.builders import an_order
from tests.support.shop import Shop

RECEIVER = {"url": "https://receiver.example/hook"}


@pytest.fixture
async def api(shop: Shop) -> Api:
    await shop.stocked("TEA", 1000)
    return Api(shop)


@pytest.fixture
async def caller(api: Api) -> Caller:
    return await api.caller()


async def read_until(caller: Caller, event_type: str, after: int) -> list[dict[str, Any]]:
    for _ in range(300):
        answer = await caller.get("/v1/events", params={"after": after})
        events: list[dict[str, Any]] = answer.json()["events"]
        if any(event["type"] == event_type for event in events):
            return events
        await asyncio.sleep(0.1)
    raise AssertionError(f"no {event_type}")


async def test_events_are_read_on_from_a_position_in_their_sequence(caller: Caller) -> None:
    start = (await caller.get("/v1/events")).json()
    assert start["events"] == []
    order = an_order(("TEA", 1, "10.00"))
    await caller.placed(order)
    events = await read_until(caller, "orderloom.order.confirmed.v1", start["position"])
    assert [event["type"] for event in events] == [
        "orderloom.order.received.v1",
        "orderloom.order.confirmed.v1",
    ]
    assert {event["subject"] for event in events} == {order.order_id}
    assert events[1]["data"]["order"]["state"] == "confirmed"
    last = int(events[0]["sequence"])
    again = (await caller.get("/v1/events", params={"after": last})).json()["events"]
    assert [event["id"] for event in again] == [events[1]["id"]]
    few = {"after": start["position"], "types": ["orderloom.order.confirmed.v1"]}
    assert len((await caller.get("/v1/events", params=few)).json()["events"]) == 1
    problem(await caller.get("/v1/events", params={"after": 2**62}), 422, "invalid_input")
    for odd in ("-1", "evt_1", "9" * 30, str(2**62)):
        answer = await caller.get("/v1/events", headers={"Last-Event-ID": odd})
        problem(answer, 422, "invalid_input")


async def test_a_key_of_one_channel_reads_what_is_of_it(api: Api, caller: Caller) -> None:
    start = (await caller.get("/v1/events")).json()["position"]
    mine = an_order(("TEA", 1, "10.00"))
    theirs = an_order(("TEA", 1, "10.00"), channel="b2b")
    of_web = await api.caller("events:read", channels=["web"])
    for order in (theirs, mine):
        await caller.placed(order)
    events = await read_until(of_web, "orderloom.order.confirmed.v1", start)
    assert {event["subject"] for event in events} == {mine.order_id}


@asynccontextmanager
async def listening(api: Api, caller: Caller) -> AsyncIterator[httpx.AsyncClient]:
    """The same caller over a real connection: only there a stream flows."""
    socket, stop = bound("127.0.0.1:0"), asyncio.Event()
    serving = asyncio.create_task(serve(api.app, socket, stop, at_once=10))
    async with httpx.AsyncClient(
        base_url=f"http://127.0.0.1:{socket.getsockname()[1]}",
        headers={
            "Authorization": caller.headers["Authorization"],
            "Accept": "text/event-stream",
        },
        timeout=30,
    ) as client:
        yield client
    stop.set()
    await serving


async def told(answer: httpx.Response, until: str) -> list[tuple[str, str]]:
    """The ids and types of the events of a stream, up to one of a type."""
    found: list[tuple[str, str]] = []
    position = kind = ""
    async for line in answer.aiter_lines():
        name, _, value = line.partition(": ")
        if name == "id":
            position = value
        elif name == "event":
            kind = value
        elif name == "data":
            assert json.loads(value)["type"] == kind
            found.append((position, kind))
            if kind == until:
                break
    return found


async def test_a_stream_tells_what_happens_and_goes_on_where_it_broke_off(
    api: Api, caller: Caller
) -> None:
    confirmed = "orderloom.order.confirmed.v1"
    async with listening(api, caller) as client:
        async with client.stream("GET", "/v1/events") as answer:
            assert answer.headers["content-type"].startswith("text/event-stream")
            await caller.placed(an_order(("TEA", 1, "10.00")))
            first = await told(answer, confirmed)
        assert [kind for _, kind in first] == ["orderloom.order.received.v1", confirmed]
        # While nobody listens, more happens.
        await caller.placed(an_order(("TEA", 1, "10.00")))
        where = {"Last-Event-ID": first[-1][0]}
        async with client.stream("GET", "/v1/events", headers=where) as answer:
            second = await told(answer, confirmed)
    assert [kind for _, kind in second] == [kind for _, kind in first]
    assert int(second[0][0]) == int(first[-1][0]) + 1


async def test_an_event_that_cannot_be_made_stops_no_reader_and_is_told(
    api: Api, shop: Shop, caller: Caller
) -> None:
    start = (await caller.get("/v1/events")).json()["position"]
    odd, good = an_order(("TEA", 1, "10.00")), an_order(("TEA", 1, "10.00"))
    await caller.placed(odd)
    await read_until(caller, "orderloom.order.confirmed.v1", start)
    await shop.pool.execute(
        "update customer_order set currency = 'QQD' where order_id = $1", odd.order_id
    )
    await caller.placed(good)
    await read_until(caller, "orderloom.order.confirmed.v1", start)
    read = (await caller.get("/v1/events", params={"after": start})).json()
    assert {event["subject"] for event in read["events"]} == {good.order_id}
    assert read["left_out"] == [start + 1, start + 2]
    comments = []
    async with (
        listening(api, caller) as client,
        client.stream("GET", "/v1/events", params={"after": start}) as answer,
    ):
        async for line in answer.aiter_lines():
            if line.startswith(": "):
                comments.append(line)
            if len(comments) == 2:
                break
    assert comments == [f": the event at {start + n} cannot be made now" for n in (1, 2)]


async def test_a_stream_ends_with_its_key(api: Api, caller: Caller) -> None:
    reader = await api.caller("events:read")
    async with listening(api, reader) as client, client.stream("GET", "/v1/events") as answer:
        lines = answer.aiter_lines()
        await anext(lines)
        await api.here.access.revoke(reader.key_id, who="test")
        await caller.placed(an_order(("TEA", 1, "10.00")))
        async with asyncio.timeout(20):
            assert [line async for line in lines if line.startswith("data")] == []


async def test_a_stream_tells_as_much_as_there_is_whatever_one_look_may_read(
    api: Api, caller: Caller
) -> None:
    start = (await caller.get("/v1/events")).json()["position"]
    for _ in range(4):
        await caller.placed(an_order(("TEA", 1, "10.00")))
        await read_until(caller, "orderloom.order.confirmed.v1", start)
    few = {"after": start, "limit": 1}
    last = (await caller.get("/v1/events")).json()["position"]
    async with listening(api, caller) as client:
        began = asyncio.get_running_loop().time()
        async with client.stream("GET", "/v1/events", params=few) as answer:
            async for line in answer.aiter_lines():
                if line == f"id: {last}":
                    break
        assert asyncio.get_running_loop().time() - began < 4


async def test_one_key_does_not_take_the_streams_of_others(
    api: Api, caller: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("starter.http.streams.OF_A_KEY_MAX", 1)
    async with listening(api, caller) as client:
        async with client.stream("GET", "/v1/events") as first:
            lines = first.aiter_lines()
            await anext(lines)  # it flows
            async with client.stream("GET", "/v1/events") as another:
                await another.aread()
                problem(another, 429, "too_many_streams")
            other = await api.caller("events:read")
            theirs = {"Authorization": other.headers["Authorization"]}
            async with client.stream("GET", "/v1/events", headers=theirs) as second:
                assert second.status_code == 200
        for _ in range(50):
            async with client.stream("GET", "/v1/events") as again:
                if again.status_code == 200:
                    break
            await asyncio.sleep(0.1)
        assert again.status_code == 200


async def test_a_subscription_is_made_once_and_its_secret_told_once(caller: Caller) -> None:
    made = await caller.send_once("/v1/subscriptions", RECEIVER, key="k")
    assert made.status_code == 201, made.text
    assert made.json()["secret"].startswith("whsec_")
    id_ = made.json()["subscription"]["subscription_id"]
    assert (
        id_
        in problem(
            await caller.send_once("/v1/subscriptions", RECEIVER, key="k"), 409, "already_made"
        )["detail"]
    )
    path = f"/v1/subscriptions/{id_}"
    for answer in (await caller.get(path), await caller.get("/v1/subscriptions")):
        assert "whsec_" not in answer.text
    paused = await caller.send_once(path, {"state": "paused"}, method="PUT")
    assert (paused.json()["state"], paused.json()["url"]) == ("paused", RECEIVER["url"])
    rotated = await caller.send_once(f"{path}/rotate")
    assert rotated.json()["subscription"]["secrets"] == 2
    assert (await caller.send_once(f"{path}/drop-old-secrets")).json()["secrets"] == 1
    assert (await caller.send_once(f"{path}/test")).status_code == 202
    for part in ("attempts", "undelivered"):
        assert (await caller.get(f"{path}/{part}")).status_code == 200
    assert (await caller.request("DELETE", path)).status_code == 204
    problem(await caller.get(path), 404, "not_found")


async def test_an_address_that_may_not_be_is_refused_and_the_key_is_free(caller: Caller) -> None:
    plain = {"url": "ftp://receiver.example/hook"}
    problem(await caller.send_once("/v1/subscriptions", plain, key="k"), 422, "invalid_input")
    assert (await caller.send_once("/v1/subscriptions", RECEIVER, key="k")).status_code == 201


async def test_a_key_subscribes_to_no_more_than_it_sees(api: Api, caller: Caller) -> None:
    of_web = await api.caller("events:read", "events:write", channels=["web"])
    beyond = {**RECEIVER, "channels": ["web", "b2b"]}
    problem(await of_web.send_once("/v1/subscriptions", beyond), 403, "beyond_key")
    mine = (await of_web.send_once("/v1/subscriptions", RECEIVER)).json()["subscription"]
    assert mine["channels"] == ["web"]
    everything = (await caller.send_once("/v1/subscriptions", RECEIVER)).json()["subscription"]
    listed = (await of_web.get("/v1/subscriptions")).json()["items"]
    assert [one["subscription_id"] for one in listed] == [mine["subscription_id"]]
    theirs = f"/v1/subscriptions/{everything['subscription_id']}"
    problem(await of_web.get(theirs), 404, "not_found")
    problem(await of_web.send_once(f"{theirs}/replay", {"position": 0}), 404, "not_found")
    wider = await of_web.send_once(
        f"/v1/subscriptions/{mine['subscription_id']}", {"channels": None}, method="PUT"
    )
    assert wider.json()["channels"] == ["web"]
