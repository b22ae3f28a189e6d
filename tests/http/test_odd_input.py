"""Whatever is sent, nothing fails: each value of each example in turn becomes something odd."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, Final

import pytest

from tests.http.test_access_table import ALL, Operation
from tests.support.api import Api, Caller, problem
from tests.support.shop import Shop

ODD: Final[tuple[Any, ...]] = (
    *(None, True, "", " ", "x", "\x00", "\ud800", "\u202e", "é" * 5000, "٣", "NaN", "1e400"),
    *(-1, 0, 2**31, 2**63, 10**400, 1.5, 1e300, [], {}, [[]], {"": 0}, {"\x00": -1}),
    *("9999-12-31", "0000-01-01T00:00:00Z", "2026-11-28T00:00:00+99:99", "../..", "%00"),
)
GOODS: Final = (
    *("stock", "stock-levels", "transfers", "items", "kits", "locations", "baskets"),
    *("suppliers", "supplier-terms", "purchase-orders", "warehouse-tasks", "fulfilments"),
    *("returns", "carrier-events", "parcels"),
)
"""The nouns of paths that are tried here; `make fuzz-api` tries the others, too."""


def bent(content: Any) -> Iterator[Any]:
    """The content, with each of its values in turn replaced by odd ones, and with odd names."""
    yield from ODD
    if isinstance(content, dict):
        for name, value in content.items():
            yield from ({**content, name: other} for other in bent(value))
            yield dict.fromkeys((name.upper(), "\x00"), value)
    if isinstance(content, list):
        for place, value in enumerate(content):
            yield from ([*content[:place], other, *content[place + 1 :]] for other in bent(value))
        yield content * 2


@pytest.mark.parametrize("noun", GOODS)
async def test_nothing_odd_makes_it_fail(shop: Shop, noun: str) -> None:
    await shop.stocked("TEA-ASSAM-250", 10)
    caller = await Api(shop).caller()
    found = [one for one in ALL.values() if one.path.split("/")[2] == noun]
    assert found
    for one in found:
        await bend(caller, one)


async def bend(caller: Caller, one: Operation) -> None:
    """Ask for an operation in all odd ways."""
    paths = [one.path.replace("{", "").replace("}", "")]
    if "{" in one.path:
        begin, _, rest = one.path.partition("{")
        end = rest.partition("}")[2]
        odd = ("%00", "%ED%A0%80", "..%2f..", "é", "a%2Fb", "x" * 300, "web-1:99999999999", "%20")
        paths += [f"{begin}{text}{end}" for text in odd]
    for path in paths:
        for query in (
            "",
            "?limit=99999999999999999999",
            "?cursor=AAAA",
            "?sku=%00",
            "?quantity=-1",
        ):
            answer = await caller.send_once(f"{path}{query}", one.example, method=one.method)
            assert answer.status_code < 500, (path, query, answer.text)
    for content in bent(one.example) if one.takes else ():
        answer = await caller.request(
            one.method,
            paths[0],
            content=json.dumps(content),
            headers={"Idempotency-Key": "k", "Content-Type": "application/json"},
        )
        assert answer.status_code < 500, (content, answer.text)


@pytest.mark.parametrize("kind", ["application/json", "text/plain", ""])
async def test_a_body_that_is_no_json_is_told_so_whether_one_is_wanted_or_not(
    shop: Shop, kind: str
) -> None:
    caller = await Api(shop).caller()
    for one in ALL.values():
        if one.method == "POST" and not one.takes_file:
            path = one.path.replace("{", "").replace("}", "")
            for body in (b"{bad", b"a=b", b"\xff", b"[" * 100_000):
                headers = {"Idempotency-Key": "k", "Content-Type": kind}
                answer = await caller.post(path, content=body, headers=headers)
                problem(answer, 400 if kind == "application/json" else 415, "not_json")
