"""Channels as data, and orders found by the numbers that channels write; by the command line."""

from __future__ import annotations

import json
import uuid
from pathlib import Path
from typing import Any

import pytest

from domain.orders.messages import CancelRequest
from tests.support.builders import a_document
from tests.support.command_line import EXAMPLES, Cli
from tests.support.shop import Shop

AUDIT_CLEAN = "audit: clean"


def written(tmp_path: Path, *documents: dict[str, Any]) -> str:
    file = tmp_path / "orders.jsonl"
    file.write_text("\n".join(map(json.dumps, documents)), encoding="utf-8")
    return str(file)


def channels(tmp_path: Path, *some: dict[str, Any]) -> str:
    file = tmp_path / "channels.json"
    file.write_text(json.dumps({"channels": some}), encoding="utf-8")
    return str(file)


async def test_channels_are_imported_listed_and_imported_as_listed(
    cli: Cli, tmp_path: Path
) -> None:
    example = str(EXAMPLES / "channels.json")
    before, tried, still, told, listed, one, table = await cli.many(
        ("channels", "list", "--json"),
        ("channels", "import", example, "--dry-run"),
        ("channels", "list", "--json"),
        ("channels", "import", example),
        ("channels", "list", "--json"),
        ("channels", "show", "shopuk", "--json"),
        ("channels", "list"),
    )
    assert [each["channel"] for each in before.json["channels"]] == [
        *("b2b", "marketplace", "pos", "web")
    ]
    assert tried.out == "dry run: 2 channels set: pos, shopuk\n"
    assert still.out == before.out
    assert told.out == "2 channels set: pos, shopuk\n"
    assert one.json["channels"] == [
        {
            "channel": "shopuk",
            "kind": "web",
            "seller": "main",
            "currencies": ["GBP"],
            "policy": {"return_window": "P14D"},
            "retired": False,
        }
    ]
    assert "return_window" in table.out
    copy = tmp_path / "copy.json"
    copy.write_text(listed.out, encoding="utf-8")
    await cli.done("channels", "import", str(copy))
    assert (await cli.done("channels", "list", "--json")).out == listed.out


@pytest.mark.parametrize(
    ("channel", "told"),
    [
        ({"channel": "uk-web"}, "channels[0].channel: must be 2 to 16 small letters and digits"),
        ({"kind": "fax"}, "channels[0].kind: "),
        ({"seller": "nobody"}, "channels[0].seller: there is no seller nobody"),
        ({"locations": ["mian"]}, "channels[0].locations: there is no location mian"),
        ({"currencies": []}, "channels[0].currencies: "),
        ({"currencies": ["EUX"]}, "channels[0].currencies[0]: "),
        ({"policy": {"charge": "never"}}, "channels[0].policy.charge: "),
        ({"colour": "red"}, "channels[0].colour: "),
    ],
)
async def test_a_channel_that_is_wrong_names_the_fault_and_changes_nothing(
    cli: Cli, tmp_path: Path, channel: dict[str, Any], told: str
) -> None:
    before = (await cli.done("channels", "list", "--json")).out
    file = channels(tmp_path, {"channel": "shopuk", "kind": "web", **channel})
    ended = await cli("channels", "import", file)
    assert (ended.code, told in ended.err) == (2, True), ended.err
    assert (await cli.done("channels", "list", "--json")).out == before


async def test_what_a_channel_does_not_take_is_refused_with_the_field_and_the_rest_is_placed(
    cli: Cli, shop: Shop, tmp_path: Path
) -> None:
    await shop.stocked("TEA", 5)
    await cli.done(
        *("channels", "import"),
        channels(
            tmp_path,
            {"channel": "shopuk", "kind": "web", "currencies": ["GBP"]},
            {"channel": "shopde", "kind": "web", "providers": ["stripe"]},
            {"channel": "old", "kind": "web"},
        ),
    )
    taken = a_document(("TEA", 1), channel="old")
    await cli.done("place", written(tmp_path, taken))
    await cli.done("channels", "retire", "old")
    sent = [
        a_document(("TEA", 1), channel="nowhere"),
        a_document(("TEA", 1), channel="shopuk", currency="EUR"),
        a_document(("TEA", 1), channel="shopde"),
        a_document(("TEA", 1), channel="old"),
        a_document(("TEA", 1), channel="shopuk", currency="GBP"),
        taken,
    ]
    ended = await cli("place", written(tmp_path, *sent), "--json")
    assert ended.code == 2
    told = [(each["line"], each["field"], each["reason"]) for each in ended.json["problems"]]
    reasons = [
        ("channel", "there is no channel nowhere; there is b2b, marketplace, old"),
        ("currency", "shopuk sells in GBP, and not in EUR"),
        ("payment.provider", "shopde is paid by stripe, and not by sandbox"),
        ("channel", "old is retired and takes no new orders"),
    ]
    for at, ((line, field, reason), wanted) in enumerate(zip(told, reasons, strict=True), start=1):
        assert (line, field) == (at, wanted[0])
        assert reason.startswith(wanted[1])
    # What was taken in before is answered as it was.
    assert ended.json["summary"] == {"confirmed": 2, "malformed": 4}
    await cli.done("channels", "reopen", "old")
    await cli.done("place", written(tmp_path, sent[3]))
    for order in await shop.orders.list():
        await shop.aftersales.cancel(order.order_id, CancelRequest(reason="tried"))
    await shop.settled()
    assert (await cli.done("audit")).out.splitlines()[-1] == AUDIT_CLEAN


async def test_an_order_goes_by_what_its_channel_said_when_it_was_taken_in(
    cli: Cli, shop: Shop, tmp_path: Path
) -> None:
    await shop.stocked("TEA", 5)
    file = channels(tmp_path, {"channel": "till", "kind": "pos", "policy": {"charge": "manual"}})
    await cli.done("channels", "import", file)
    order = a_document(("TEA", 1), channel="till")
    order_id = f"till-{order['channel_order_id']}"
    await cli.done("place", written(tmp_path, order))
    await cli.done("channels", "import", channels(tmp_path, {"channel": "till", "kind": "pos"}))
    charged, again = await cli.many(
        ("charge", order_id, "--note", "by the till"),
        ("charge", order_id, "--note", "once more"),
    )
    assert charged.code == 0, charged.err
    assert "it was told so before" in again.err
    await shop.aftersales.cancel(order_id, CancelRequest(reason="tried"))
    await shop.settled()
    assert (await cli.done("audit")).out.splitlines()[-1] == AUDIT_CLEAN


async def test_an_order_is_found_by_its_number_as_the_channel_writes_it(
    cli: Cli, shop: Shop, tmp_path: Path
) -> None:
    await shop.stocked("TEA", 20)
    await cli.done("channels", "import", channels(tmp_path, {"channel": "shop2", "kind": "web"}))
    own = uuid.uuid4().hex[:8]
    numbers = [f"{own}", f"#{own}", f"SO/{own}/00042", f"№ {own}", f"n:{own}~2"]
    sent = [a_document(("TEA", 1), channel_order_id=number) for number in numbers]
    sent.append(a_document(("TEA", 1), channel="shop2", channel_order_id=own))
    placed = (await cli.done("place", written(tmp_path, *sent), "--json")).json
    assert placed["summary"] == {"confirmed": 6}
    ids = [each["order_id"] for each in placed["orders"]]
    assert ids == [
        *(f"web-{own}", f"web-~23{own}", f"web-SO~2f{own}~2f00042", f"web-~e2~84~96~20{own}"),
        *(f"web-n~3a{own}~7e2", f"shop2-{own}"),
    ]
    for number, order_id in zip(numbers[1:], ids[1:], strict=False):
        plain, by_channel, by_id = await cli.many(
            ("show", number, "--json"),
            ("show", f"web-{number}", "--json"),
            ("show", order_id, "--json"),
        )
        assert plain.json == by_channel.json == by_id.json
        assert plain.json["summary"]["channel_order_id"] == number
    several, one, listed, found = await cli.many(
        ("show", own),
        ("show", f"shop2-{own}"),
        ("orders",),
        ("warehouse", "tasks", "--order", f"#{own}", "--json"),
    )
    assert several.code == 1
    assert f"is the number of several orders: shop2-{own}, web-{own}; name one" in several.err
    assert f"number {own} of shop2, sold by main" in one.out
    assert all(number in listed.out for number in numbers)
    assert [task["order_id"] for task in found.json["tasks"]] == [f"web-~23{own}"]
    assert await shop.until(
        lambda: _in_temporal(shop, f"OrderNumber = '#{own}'"), "the order in Temporal's list"
    ) == [f"order:web-~23{own}"]
    await cli.done("warehouse", "pick", f"web-#{own}:1")
    for order_id in ids:
        await shop.aftersales.cancel(order_id, CancelRequest(reason="tried"))
    await shop.settled()
    assert (await cli.done("audit")).out.splitlines()[-1] == AUDIT_CLEAN


async def _in_temporal(shop: Shop, query: str) -> list[str]:
    return [run.id async for run in shop.temporal.list_workflows(query)]
