"""Messages to customers by the command line: previewed, shown, sent again; settings are tried."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from activities.duties import mail_duties
from activities.notifications.sequencing import EventSequence
from runtime.mail_settings import MailSettings
from store.database import Pool
from tests.support.bench import Bench
from tests.support.builders import an_order
from tests.support.command_line import Cli

CUSTOMER = {"id": "A", "name": "Mina Yoon", "email": "mina@x.example", "locale": "de"}


async def test_a_message_is_previewed_listed_shown_and_sent_again(
    pool: Pool, database_url: str, tmp_path: Path
) -> None:
    mail = MailSettings(url=f"folder:{tmp_path}/mails", sender="orders@shop.example")
    plan, post = mail_duties(pool, mail, None)
    await plan.run()
    order = an_order(
        ("TEA", 1, "10.00"), customer=CUSTOMER, placed_at=datetime.now(UTC).isoformat()
    )
    await Bench(pool).take_in(order)
    await EventSequence(pool).advance()
    await plan.run()
    await post.run()
    cli = Cli(
        {
            "DATABASE_URL": database_url,
            "ORDERLOOM_HOME": str(tmp_path),
            "ORDERLOOM_MAIL__URL": f"folder:{tmp_path}/mails",
            "ORDERLOOM_MAIL__SENDER": "orders@shop.example",
        }
    )
    listed, previewed, tried = await cli.many(
        ("messages", "list", "--order", order.order_id, "--json"),
        ("messages", "preview", "shipped", "--order", order.order_id),
        ("messages", "test"),
    )
    (row,) = listed.json["messages"]
    assert (row["kind"], row["state"]) == ("received", "sent")
    assert "Guten Tag Mina Yoon," in previewed.out
    assert "ist unterwegs" in previewed.out
    assert (tried.code, tried.out) == (0, f"folder: ok ({tmp_path}/mails)\n")
    page = tmp_path / "mail.html"
    name = row["message"]
    shown, again, unknown, odd, table = await cli.many(
        ("messages", "show", name, "--html", str(page)),
        ("messages", "send-again", name),
        ("messages", "show", f"{order.order_id}:M0"),
        ("messages", "list", "--state", "lost"),
        ("messages", "list"),
    )
    assert "To: mina@x.example" in shown.out
    assert page.read_text(encoding="utf-8").startswith("<!doctype html>")
    assert again.code == 0
    assert (unknown.code, odd.code) == (1, 2)
    assert "received" in table.out
    await post.run()
    assert len(list((tmp_path / "mails").iterdir())) == 2
    away = Cli({**cli.environment, "ORDERLOOM_MAIL__URL": "smtp://127.0.0.1:1"})
    refused = await away(*("messages", "test", "--json"))
    assert refused.code == 1
    assert [one["what"] for one in refused.json["steps"]] == ["name", "TLS"]


async def test_a_template_is_printed_set_listed_and_reset(
    database_url: str, tmp_path: Path
) -> None:
    cli = Cli({"DATABASE_URL": database_url, "ORDERLOOM_HOME": str(tmp_path)})
    printed = await cli.done("messages", "template", "shipped", "--language", "de")
    file = tmp_path / "own.jinja"
    file.write_text(printed.out.replace("unterwegs", "los"), encoding="utf-8")
    wrong = tmp_path / "wrong.jinja"
    wrong.write_text(printed.out.replace("number", "nmae"), encoding="utf-8")
    of = ("--language", "de")
    refused, done, listed, reset, none, odd = await cli.many(
        ("messages", "set-template", "shipped", str(wrong), *of),
        ("messages", "set-template", "shipped", str(file), *of, "--by", "kim"),
        ("messages", "templates", "--json"),
        ("messages", "reset-template", "shipped", *of),
        ("messages", "templates"),
        ("messages", "bounce", str(file)),
    )
    assert (refused.code, done.code, reset.code) == (2, 0, 0)
    assert "nmae" in refused.err
    (own,) = listed.json["templates"]
    assert (own["seller"], own["kind"], own["language"], own["set_by"]) == (
        *("main", "shipped", "de", "kim"),
    )
    assert none.out == "no seller has a template of its own\n"
    assert (odd.code, "delivery status" in odd.err) == (2, True)


def test_without_a_mail_server_nobody_plans_and_nobody_reads(pool: Pool) -> None:
    assert mail_duties(pool, MailSettings(), None) == []
