"""`orderloom api-keys`: a key from its making to its end, as a person at the terminal meets it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from domain.access.key_text import parse
from domain.access.keys import SCOPES
from starter.service.access import Access
from store.database import Pool
from tests.support.command_line import Cli

ONCE = "This text is shown once, and kept nowhere: give it to the program now."


@pytest.fixture
def programs(database_url: str, tmp_path: Path) -> Cli:
    """Commands that find a database alone: keys need no Temporal."""
    return Cli(
        {
            "HOME": str(tmp_path),
            "ORDERLOOM_HOME": str(tmp_path / "none"),
            "DATABASE_URL": database_url,
            "LOGNAME": "anna",
        }
    )


async def test_a_key_is_made_shown_rotated_and_revoked(programs: Cli, pool: Pool) -> None:
    access = Access(pool)
    made = await programs.done(
        *("api-keys", "make", "web shop", "--scope", "orders:write", "--scope", "stock:read"),
        *("--channel", "web", "--channel", "pos", "--expires", "2199-01-01", "--per-minute", "30"),
    )
    text, once, *about = made.out.splitlines()
    parsed = parse(text)
    assert parsed is not None
    key_id = parsed.key_id
    assert once == ONCE
    assert about[0] == f"{key_id}: web shop, live"
    assert "  may: orders:write, stock:read" in about
    assert "  only for: channel pos, web" in about
    assert "  requests a minute: 30" in about
    assert "  last used: never" in about
    assert await access.grant(text) is not None

    listed, shown, rotated, again, last = await programs.many(
        ("api-keys", "list"),
        ("api-keys", "show", key_id),
        ("api-keys", "rotate", key_id, "--by", "bob", "--json"),
        ("api-keys", "show", key_id),
        ("api-keys", "rotate", key_id, "--old-ends-in", "0s"),
    )
    row = " ".join(listed.out.splitlines()[1].split())
    assert row.startswith(f"{key_id} web shop live orders:write, stock:read channel pos, web 20")
    assert shown.out.splitlines()[0] == about[0]
    assert "last used: never" not in shown.out
    second = rotated.json["secret_text"]
    assert rotated.json["key"]["secret_made_by"] == "bob"
    assert len(rotated.json["key"]["old_secrets_end_at"]) == 1
    assert "  old secrets work until: " in again.out
    third = last.out.splitlines()[0]
    assert "old secrets" not in last.out
    assert [await access.grant(one) is not None for one in (text, second, third)] == [
        *(False, False, True)
    ]

    revoked, none, everything, one = await programs.many(
        ("api-keys", "revoke", key_id, "--by", "bob"),
        ("api-keys", "list"),
        ("api-keys", "list", "--all", "--json"),
        ("api-keys", "show", key_id),
    )
    assert revoked.out == f"{key_id} (web shop) grants nothing any more\n"
    assert none.out == "there is no key; `orderloom api-keys make` makes one\n"
    (kept,) = everything.json["keys"]
    assert (kept["key_id"], kept["state"], kept["revoked_by"]) == (key_id, "revoked", "bob")
    assert "  revoked: " in one.out
    assert await access.grant(third) is None

    said = (listed, shown, again, revoked, none, everything, one)
    later = "".join(each.out + each.err for each in said)
    for shown_once in (text, second, third):
        secret = shown_once.rpartition("_")[2]
        assert secret not in later
    assert second not in rotated.out.replace(f'"secret_text": "{second}"', "")


async def test_a_short_form_is_kept_whole_and_told_short(programs: Cli) -> None:
    made = await programs.done(
        *("api-keys", "make", "admin", "--scope", "all:write", "--scope", "all:read", "--json")
    )
    assert made.json["key"]["scopes"] == list(SCOPES)
    assert made.json["key"]["made_by"] == "anna"
    shown = await programs.done("api-keys", "show", made.json["key"]["key_id"])
    assert "  may: all:read, all:write\n" in shown.out


async def test_keys_are_listed_in_pages(programs: Cli) -> None:
    for name in ("one", "two", "three"):
        await programs.done("api-keys", "make", name, "--scope", "orders:read")
    first = (await programs.done("api-keys", "list", "--limit", "2", "--json")).json
    assert ([key["name"] for key in first["keys"]], first["more"]) == (["three", "two"], True)
    second = await programs.done("api-keys", "list", "--after", first["after"], "--json")
    assert [key["name"] for key in second.json["keys"]] == ["one"]
    told = await programs.done("api-keys", "list", "--limit", "2")
    assert told.out.splitlines()[-1] == f"… and more: --after {first['after']} shows the next page"


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (("make", "x"), 2, "Missing option '--scope'"),
        (("make", "x", "--scope", "gifts:read"), 2, "key: scopes[0]: must be a capability"),
        (
            ("make", "x", "--scope", "stock:write", "--channel", "web"),
            *(2, "a key for some channels may not have stock:write; it may have orders:read"),
        ),
        (
            ("make", "x", "--scope", "orders:read", "--channel", "moon"),
            *(2, "channels: there is no channel moon; there is b2b, marketplace, pos, web"),
        ),
        (
            ("make", "x", "--scope", "orders:read", "--expires", "2026-01-01"),
            *(2, "expires_at: must be in the future"),
        ),
        (
            ("make", "x", "--scope", "orders:read", "--expires", "soon"),
            *(2, "--expires: 'soon' is no time"),
        ),
        (
            ("make", "x", "--scope", "orders:read", "--per-minute", "0"),
            *(2, "key: per_minute: must be 1 or more"),
        ),
        (("show", "nobody"), 1, "there is no key nobody; `orderloom api-keys list --all`"),
        (("rotate", "nobody", "--old-ends-in", "-1h"), 2, "--old-ends-in: '-1h' is no length of"),
        (("rotate", "nobody", "--old-ends-in", "400d"), 1, "there is no key nobody"),
        (("revoke", "abcdefghij12"), 1, "there is no key abcdefghij12"),
    ],
)
async def test_what_cannot_be_done_is_told_in_a_sentence(
    programs: Cli, arguments: tuple[str, ...], code: int, told: str
) -> None:
    ended = await programs("api-keys", *arguments)
    assert (ended.code, ended.out) == (code, "")
    assert told in ended.err
    as_json = await programs("api-keys", *arguments, "--json")
    assert as_json.code == code
    assert told in json.loads(as_json.err)["message"]


async def test_what_a_person_no_longer_has_is_taken_away(programs: Cli) -> None:
    added, changed, wrong = await programs.many(
        *(("staff", "add", "ben", "--name", "Ben", "--role", "agent", "--email", "b@example.com"),),
        ("staff", "change", "ben", "--email", "", "--time-zone", "Asia/Seoul", "--json"),
        ("staff", "change", "ben", "--name", "", "--email", "x"),
    )
    assert "b@example.com" in added.out
    told = json.loads(changed.out)
    assert (told["email"], told["time_zone"], told["name"]) == (None, "Asia/Seoul", "Ben")
    assert wrong.code != 0
