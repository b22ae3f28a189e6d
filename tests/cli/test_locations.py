"""Locations, refusals and reasons by the command line."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

from tests.support.builders import an_order, shipping
from tests.support.command_line import EXAMPLES, Cli
from tests.support.shop import Shop

_TO_SEOUL = shipping("5.00")
GERMANY = {
    **_TO_SEOUL,
    "address": {**_TO_SEOUL["address"], "country": "DE", "postal_code": "20095"},
}


async def test_locations_are_imported_listed_and_imported_as_listed(
    cli: Cli, tmp_path: Path
) -> None:
    none, told, table, listed, shop = await cli.many(
        ("locations", "list"),
        ("locations", "import", str(EXAMPLES / "locations.json")),
        ("locations", "list"),
        ("locations", "list", "--json"),
        ("locations", "list", "--location", "shop", "--json"),
    )
    assert "no locations" in none.out
    assert told.out == "2 locations set\n"
    assert "mon tue wed thu fri, not on holidays of DE-BE (Europe/Berlin)" in table.out
    assert "DE express: 9.90 EUR, 400 km, 1 day" in table.out
    (one,) = shop.json["locations"]
    assert (one["location"], len(one["lanes"])) == ("shop", 2)
    copy = tmp_path / "copy.json"
    copy.write_text(listed.out, encoding="utf-8")
    again, same = await cli.many(
        ("locations", "import", str(copy), "--json"), ("locations", "list", "--json")
    )
    assert again.json == {"locations": ["main", "shop"]}
    assert same.out == listed.out


async def test_a_file_of_locations_that_is_wrong_names_each_fault_and_sets_nothing(
    cli: Cli, tmp_path: Path
) -> None:
    file = tmp_path / "locations.json"
    file.write_text(
        json.dumps(
            {
                "locations": [
                    {"location": "good"},
                    {"location": "idle", "calendar": {"working_days": []}},
                    {"location": "lost", "calendar": {"time_zone": "Mars"}, "parcels_a_day": -1},
                ]
            }
        ),
        encoding="utf-8",
    )
    ended, listed, missing = await cli.many(
        ("locations", "import", str(file)),
        ("locations", "list", "--json"),
        ("locations", "import", str(tmp_path / "none.json")),
    )
    assert ended.code == 2
    assert "locations[1].calendar.working_days: must name at least one day" in ended.err
    assert "locations[2].calendar.time_zone: must be an IANA time zone" in ended.err
    assert "locations[2].parcels_a_day" in ended.err
    assert listed.json == {"locations": []}
    assert (missing.code, "none.json" in missing.err) == (2, True)


async def test_an_order_is_explained_also_after_a_refusal(cli: Cli, shop: Shop) -> None:
    for location in ("main", "shop"):
        await shop.stocked("TEA", 5, location)
    await cli.done("locations", "import", str(EXAMPLES / "locations.json"))
    abroad = an_order(("TEA", 1))
    await shop.placed(abroad)
    explained = await cli.done("explain", abroad.order_id)
    assert "stock reserved" in explained.out
    assert "14.50 EUR" in explained.out
    assert "no lane leads from it to there" in explained.out
    order = an_order(("TEA", 2), shipping=GERMANY)
    part = await shop.placed(order)
    (first,) = [
        one["place"]["location"]
        for one in (await cli.done("explain", order.order_id, "--json")).json["sourcing"][0][
            "considered"
        ]
        if one["serves"]
    ]
    await shop.task("pick", part)
    refused = await cli.done("warehouse", "refuse", part, "--reason", "no room today", "--json")
    assert refused.json == {
        "part_id": part,
        "reported": "refused",
        "picked": {},
        "missing": {"1": 2},
        "refused": "no room today",
    }
    await shop.task("pick", f"{order.order_id}:2")
    _, again = (await cli.done("explain", order.order_id, "--json")).json["sourcing"]
    assert again["why"] == f"{first} refused: no room today"
    assert {one["place"]["location"]: one["serves"] for one in again["considered"]} == {
        first: 0,
        {"main": "shop", "shop": "main"}[first]: 2,
    }
    await asyncio.gather(shop.finish(order.order_id), shop.finish(abroad.order_id))
    await shop.settled()


async def test_what_cannot_be_explained_or_refused_says_why(cli: Cli) -> None:
    unknown, none, empty = await cli.many(
        ("explain", "web-none"),
        ("warehouse", "refuse", "web-none:1", "--reason", "x"),
        ("warehouse", "refuse", "web-none:1", "--reason", " "),
    )
    assert (unknown.code, "there is no order web-none" in unknown.err) == (1, True)
    assert (none.code, "there is no fulfilment web-none:1" in none.err) == (1, True)
    assert (empty.code, "--reason" in empty.err) == (2, True)


async def test_a_promise_is_by_date_and_counts_what_is_on_its_way(cli: Cli, shop: Shop) -> None:
    for location in ("main", "shop"):
        await shop.stocked("TEA", 5, location)
    to = ("--country", "DE", "--postal-code", "20095")
    _, _, told, text, unknown, nowhere, anywhere = await cli.many(
        ("locations", "import", str(EXAMPLES / "locations.json")),
        ("stock", "transfer", "main", "shop", "TEA=4", "--expected", "2099-01-05", "--id", "T-1"),
        ("promise", "TEA", "12", *to, "--json"),
        ("promise", "TEA", "12", *to),
        ("promise", "NONE", "1", *to),
        ("promise", "TEA", "1", "--country", "Germany"),
        ("promise", "TEA", "1", "--json"),
    )
    promised = told.json["promised"]
    assert [(one["quantity"], one["source"]) for one in promised] == [
        (5, "stock"),
        (1, "stock"),
        (4, "T-1"),
    ]
    assert promised[-1]["promise"]["leaves_on"] == "2099-01-05"
    assert told.json["missing"] == 2
    assert "2 of 12 cannot be promised" in text.out
    assert (unknown.code, "no stock is kept of NONE" in unknown.err) == (1, True)
    assert (nowhere.code, "country: must be an ISO 3166-1" in nowhere.err) == (2, True)
    # Only `main` has a lane to everywhere.
    assert [one["location"] for one in anywhere.json["promised"]] == ["main"]


async def test_locations_are_made_renamed_retired_and_removed(cli: Cli, shop: Shop) -> None:
    await shop.stocked("TEA", 5, "mian")
    (
        made,
        again,
        mars,
        renamed,
        retired,
        table,
        refused,
        reopened,
        removed,
        kept,
        typo,
    ) = await cli.many(
        ("locations", "add", "main"),
        ("locations", "add", "main", "--json"),
        ("locations", "add", "of mars"),
        ("locations", "rename", "mian", "main", "--merge", "--by", "anna"),
        ("locations", "retire", "main", "--json"),
        ("locations", "list"),
        ("stock", "receive", "TEA", "1", "--location", "main"),
        ("locations", "reopen", "main"),
        ("locations", "remove", "outlet"),
        ("locations", "remove", "main"),
        ("stock", "receive", "TEA", "1", "--location", "mainn"),
    )
    assert (made.code, again.json) == (0, {"location": "main"})
    assert (mars.code, "location: must be letters" in mars.err) == (2, True)
    assert renamed.out == "mian is main from now on; 5 units moved\n"
    assert retired.json["left"] == {"units": 5, "to_send": 0, "awaited": 0}
    assert table.out.count("retired") == 2
    assert (refused.code, "orderloom locations reopen main" in refused.err) == (1, True)
    assert reopened.out == "main is open\n"
    assert (removed.code, "there is no location outlet" in removed.err) == (1, True)
    assert (kept.code, "orderloom locations retire main" in kept.err) == (1, True)
    assert (typo.code, "did you mean main?" in typo.err) == (1, True)
    new, safe, listed = await cli.many(
        ("stock", "receive", "TEA", "1", "--location", "shop", "--new-location"),
        ("stock", "safety", "TEA", "2"),
        ("stock", "list", "--json"),
    )
    assert (new.code, safe.code) == (0, 0)
    assert {(x["location"], x["available"]) for x in listed.json["stock"]} == {
        ("main", 3),
        ("mian", 0),
        ("shop", 1),
    }
