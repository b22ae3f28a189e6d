"""docs/messages.md: its commands say what stands there, and its tables are the program's."""

from __future__ import annotations

import json
import re
import shlex
from datetime import timedelta
from pathlib import Path

import pytest

from activities.duties import mail_duties
from activities.notifications.sequencing import EventSequence
from domain.messages.facts import Facts
from domain.messages.kinds import KINDS, USUAL, WISHED
from domain.messages.texts import TEXTED
from runtime.mail_settings import MailSettings, TextSettings
from starter.http.openapi import operations
from store.database import Pool
from tests.cli import test_crm_page as pages
from tests.database.messages.test_mail_server import USER, served
from tests.database.messages.test_messages import a_bounce
from tests.database.notifications.test_sending import a_certificate
from tests.support.bench import Bench
from tests.support.builders import an_order
from tests.support.command_line import Cli
from tests.support.mail_server import mail_server

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "messages.md"
TEXT = PAGE.read_text(encoding="utf-8")
SHOPS = {("POST", "/v1/shops/{channel}/messages/{message_no}/settle")}
"""Messages of shops are others."""

KIM = {"id": "KD-7", "name": "Kim Minji", "email": "kim@example.com", "locale": "en"}


async def test_the_commands_of_the_page_say_what_stands_there(
    database_url: str, pool: Pool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pages, "PAGE", PAGE)
    certificate = a_certificate(tmp_path, "localhost")
    async with mail_server(tls=served(certificate), user=USER) as server:
        there = {
            "ORDERLOOM_MAIL__URL": f"smtp://localhost:{server.port}",
            "ORDERLOOM_MAIL__USER": USER[0],
            "ORDERLOOM_MAIL__PASSWORD": USER[1],
            "ORDERLOOM_MAIL__SENDER": "orders@shop.example",
            "ORDERLOOM_MAIL__CA_FILE": str(certificate),
        }
        fields = {name.removeprefix("ORDERLOOM_MAIL__").lower(): x for name, x in there.items()}
        # The order is always of the same day, which the page names.
        asked = {**fields, "old_after": timedelta(days=36_500)}
        plan, post = mail_duties(pool, MailSettings.model_validate(asked), None)
        await plan.run()
        await pool.execute("update seller set looks = $1", {"display_name": "Tea Shop"})
        order = an_order(
            ("TEA", 1, "10.00"),
            customer=KIM,
            channel_order_id="1001",
            placed_at="2026-11-30T09:00:00Z",
        )
        await Bench(pool).take_in(order)
        await EventSequence(pool).advance()
        await plan.run()
        await post.run()
        (mail,) = server.read
        (tmp_path / "returned.eml").write_bytes(a_bounce(mail["Message-ID"]))
        cli = Cli({"DATABASE_URL": database_url, "ORDERLOOM_HOME": str(tmp_path), **there})
        run = 0
        for command, says in pages.shown():
            program, *arguments = shlex.split(command)
            into = tmp_path / arguments.pop() if ">" in arguments else None
            arguments = [
                str(tmp_path / one) if one.endswith((".eml", ".jinja")) else one
                for one in arguments
                if one != ">"
            ]
            assert program == "orderloom"
            out = (await cli.done(*arguments)).out
            if into is not None:
                into.write_text(out, encoding="utf-8")
                out = ""
            # The page's server is another one.
            out = out.replace("localhost is 127.0.0.1", "mail.example is 203.0.113.7")
            out = out.replace(f"port {server.port}", "port 465")
            assert pages.looks_like(says, out), f"{command} says:\n{out}"
            run += 1
    assert run == 10


async def test_the_sellers_of_the_page_are_taken(cli: Cli, tmp_path: Path) -> None:
    (block,) = re.findall(r"```json\n(.*?)```", TEXT, re.DOTALL)
    file = tmp_path / "sellers.json"
    file.write_text(block, encoding="utf-8")
    taken, shown = await cli.many(("sellers", "import", str(file)), ("sellers", "show", "main"))
    assert taken.code == 0, taken.err
    assert "documents with mails: shipped, refund" in shown.out


def rows(title: str) -> list[list[str]]:
    """The cells of the table under a title."""
    part = TEXT.split(f"\n## {title}\n")[1].split("\n## ")[0]
    return [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in part.splitlines()
        if line.startswith("|") and not line.startswith("|---")
    ][1:]


def test_all_settings_stand_on_the_page_and_no_others() -> None:
    table = TEXT.split("| setting `ORDERLOOM_MAIL__…` |")[1].split("\n\n")[0]
    told = re.findall(
        r"`([A-Z_]+)`", "".join(line.split("|")[1] for line in table.splitlines()[2:])
    )
    assert sorted(name.lower() for name in told) == sorted(MailSettings.model_fields)
    texts = [name.strip("`").removeprefix("ORDERLOOM_TEXTS__") for name, _ in rows("By text")]
    assert sorted(name.lower() for name in texts) == sorted(TextSettings.model_fields)
    (kinds,) = re.findall(r"`(\[.*?\])`", rows("By text")[1][1])
    assert tuple(json.loads(kinds)) == TEXTED


def test_all_kinds_stand_on_the_page_and_for_whom() -> None:
    told = rows("What is told")
    assert [kind.strip("`") for kind, *_ in told] == list(KINDS)
    for kind, _, web, pos, marketplace in told:
        ticked = [bool(web), bool(web), bool(pos), bool(marketplace)]
        channels = ("web", "b2b", "pos", "marketplace")
        assert ticked == [kind.strip("`") in USUAL[one] for one in channels], kind  # type: ignore[index]  # the page's own words
    for kind in WISHED:
        assert re.search(rf"`{kind}`.* who does not wish `delivery_updates`", TEXT)


def test_all_that_a_template_may_name_stands_on_the_page() -> None:
    part = TEXT.split("It may name ")[1].split(". What is not known")[0]
    named = set(re.findall(r"`(\w+)`", part))
    # Named otherwise, because parts have these names.
    fields = set(Facts.model_fields) - {"items", "address"} | {"goods", "goes_to"}
    assert named == fields | {"name", "support_email", "support_phone"}


def test_all_operations_of_the_page_are_there_with_these_scopes() -> None:
    document = json.loads((ROOT / "docs" / "openapi.json").read_text(encoding="utf-8"))
    known = {(x.upper(), path): tuple(one["x-scopes"]) for path, x, one in operations(document)}
    seen = set()
    for told, scopes in rows("Over HTTP"):
        path = re.findall(r"`[^`]*?(/v1/[^`]+)`", told)[0]
        for method in re.findall(r"\b(GET|PUT|POST|DELETE)\b", told):
            assert all(f"`{scope}`" in scopes for scope in known[method, path]), told
            seen.add((method, path))
    assert seen == {each for each in known if re.search(r"/(messages|message-)", each[1])} - SHOPS
