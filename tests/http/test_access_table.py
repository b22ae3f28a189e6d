"""Every operation × every scope × somebody else's things, read from the OpenAPI document."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, NamedTuple
from urllib.parse import urlencode

import httpx
import pytest

from domain.access.keys import OF_NOBODY_ALLOWED, SCOPES, Scope, forbidden
from starter.http.openapi import operations
from tests.support.api import Api, Caller, problem
from tests.support.builders import an_order
from tests.support.jobs import send_file
from tests.support.shop import Shop

ROOT: Final = Path(__file__).parents[2]


class Operation(NamedTuple):
    """One operation of the document."""

    name: str
    method: str
    path: str
    scopes: tuple[Scope, ...]
    takes: bool
    takes_file: bool
    example: Any
    media: str
    """The type of the example."""
    asked: dict[str, Any]
    """An example of each parameter that has one."""

    async def ask(self, caller: Caller, **values: str) -> httpx.Response:
        # What a path names, its body names as well.
        body = self.example if isinstance(self.example, dict) else {}
        named = {**self.asked, **body, **values}
        path = re.sub(r"\{(\w+)\}", lambda name: str(named.get(name[1], "none")), self.path)
        query = {name: one for name, one in self.asked.items() if f"{{{name}}}" not in self.path}
        if self.media not in ("", "application/json"):
            return await send_file(caller, path, self.example, self.media)
        return await caller.send_once(
            f"{path}?{urlencode(query)}" if query else path,
            self.example,
            method=self.method,
            if_match="*",
        )


def all_operations() -> Iterator[Operation]:
    # The committed one, which another test compares: making it takes all processes a second.
    document = json.loads((ROOT / "docs" / "openapi.json").read_text(encoding="utf-8"))
    for path, method, operation in operations(document):
        scopes = operation["x-scopes"]
        yield Operation(
            *(operation["operationId"], method.upper(), path, tuple(scopes)),
            takes="requestBody" in operation,
            takes_file=bool(
                set(operation.get("requestBody", {}).get("content", ())) - {"application/json"}
            ),
            example=_example(operation)[1],
            media=_example(operation)[0],
            asked=_asked(operation),
        )


def _example(operation: dict[str, Any]) -> tuple[str, Any]:
    """Of what it takes: the type, and the example."""
    for media, content in operation.get("requestBody", {}).get("content", {}).items():
        for example in content.get("examples", {}).values():
            return media, example["value"]
    return "", None


def _asked(operation: dict[str, Any]) -> dict[str, Any]:
    return {
        one["name"]: one["schema"]["examples"][0]
        for one in operation.get("parameters", ())
        if one["in"] != "header" and "examples" in one["schema"]
    }


ALL: Final = {one.name: one for one in all_operations()}
GUARDED: Final = list(ALL)
BY_WHAT_IT_IS: Final = frozenset(
    {"listJobs", "getJob", "listJobItems", "getJobResult", "cancelJob"}
)
"""A job needs the scopes of what it does. `test_jobs.py` tries them."""

THEIRS: Final = [
    name
    for name in GUARDED
    if "{" in ALL[name].path and not forbidden(ALL[name].scopes, ["web"], None)
]
"""What a key of one channel may ask of one thing."""


@pytest.fixture
async def api(shop: Shop) -> Api:
    await shop.stocked("TEA", 1000)
    return Api(shop)


def test_every_operation_needs_a_scope_and_takes_an_example() -> None:
    for name in GUARDED:
        assert bool(ALL[name].scopes) != (name in BY_WHAT_IT_IS), name
        assert set(ALL[name].scopes) <= set(SCOPES), name
        assert (ALL[name].example is not None) == ALL[name].takes, name


async def test_without_its_scopes_nobody_gets_further(api: Api) -> None:
    for name in GUARDED:
        nobody = Caller(api.app, "", "")
        del nobody.headers["Authorization"]
        problem(await ALL[name].ask(nobody), 401, "no_key")
    for scope in SCOPES:
        others = await api.caller(*(set(SCOPES) - {scope}))
        for name in GUARDED:
            if scope in ALL[name].scopes:
                told = problem(await ALL[name].ask(others), 403, "missing_scope")
                assert scope in told["detail"], name


async def test_with_its_scopes_alone_it_is_answered(api: Api) -> None:
    for name in GUARDED:
        caller = await api.caller(*ALL[name].scopes)
        answer = await ALL[name].ask(caller)
        # A key hands out no more than it has, and this one has next to nothing.
        refused = answer.status_code == 403 and answer.json()["code"] != "beyond_key"
        assert not refused, (name, answer.text)
        assert answer.status_code not in (400, 401, 405, 422, 500), (name, answer.text)


async def test_what_is_somebody_elses_is_not_there(api: Api) -> None:
    everybody = await api.caller()
    theirs = an_order(("TEA", 2, "10.00"), channel="b2b")
    await everybody.placed(theirs)
    later = await everybody.send_once(
        f"/v1/orders/{theirs.order_id}/cancel", {"reason": "no"}, if_match="*", prefer="wait=0"
    )
    job = await everybody.send_once("/v1/exports/orders", {})
    values = {
        "order_id": theirs.order_id,
        "job_id": job.json()["job_id"],
        "part_id": f"{theirs.order_id}:1",
        "fulfilment_id": f"{theirs.order_id}:1",
        "return_id": f"{theirs.order_id}:R1",
        "claim_id": f"{theirs.order_id}:C1",
        "message": f"{theirs.order_id}:M1",
        "command_id": later.headers.get("location", "/none").rsplit("/", 1)[1],
    }
    for name in THEIRS:
        caller = await api.caller(*(ALL[name].scopes or ("orders:read",)), channels=["web"])
        answer = await ALL[name].ask(caller, **values)
        if name in BY_WHAT_IT_IS or not set(ALL[name].scopes) <= set(OF_NOBODY_ALLOWED):
            problem(answer, 404, "not_found")
        # And it is as if it had never been: the same words as for what is not there.
        nothing = {name: value.replace("b2b-", "web-") for name, value in values.items()}
        missing = await ALL[name].ask(caller, **nothing)
        assert missing.status_code == answer.status_code, name


async def test_lists_hold_nothing_of_somebody_else(api: Api) -> None:
    everybody = await api.caller()
    theirs = an_order(("TEA", 2, "10.00"), channel="b2b")
    await everybody.placed(theirs)
    looked = 0
    for name in GUARDED:
        one = ALL[name]
        if one.method == "GET" and "{" not in one.path and not forbidden(one.scopes, ["web"], None):
            caller = await api.caller(*(one.scopes or ("orders:read",)), channels=["web"])
            answer = await one.ask(caller)
            assert theirs.order_id not in answer.text, name
            looked += theirs.order_id in (await one.ask(everybody)).text
    assert looked > 0
