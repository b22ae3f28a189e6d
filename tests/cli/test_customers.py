"""Who ordered, by the command line: shown, handed out, and erased."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from activities.customers.retention import Persons
from store.database import Pool
from store.orders import orders
from tests.support.bench import Bench
from tests.support.builders import an_order
from tests.support.command_line import Cli
from tests.support.planted import CUSTOMER, WORDS, found_in, planted

WHY = ("--reason", "asked for by letter", "--by", "dpo")
EMAIL = CUSTOMER["email"].upper()


@pytest.fixture
def cli(database_url: str, tmp_path: Path) -> Cli:
    """Commands that find a database and nothing else: no Temporal is asked for."""
    home = str(tmp_path)
    return Cli({"HOME": home, "ORDERLOOM_HOME": f"{home}/none", "DATABASE_URL": database_url})


@pytest.fixture
async def rejected(pool: Pool) -> str:
    """An order that has ended: there was nothing of what it wanted."""
    order = an_order(("TEA", 3), **planted())
    await Bench(pool).reserve(order)
    return order.order_id


async def test_a_person_is_shown_and_handed_out(cli: Cli, rejected: str) -> None:
    shown = (await cli.done("customers", "orders", EMAIL)).out
    assert shown.startswith(f"{rejected}: rejected, received ")
    assert "  where it goes: Ottokar Plumperquatsch, Nebelhorn Lagerhaus, Dudelsack" in shown
    assert "  gift message: for dear aunt Wilhelmtrude\n" in shown
    assert shown.endswith("1 order\n")
    (order,) = (await cli.done("customers", "orders", CUSTOMER["id"], "--json")).json["orders"]
    assert order["about"]["address"]["city"] == "Unterammerwinkel"
    assert order["known_for"] is None
    handed_out = (await cli.done("customers", "export", CUSTOMER["id"])).out
    assert json.loads(handed_out)["orders"][0]["order_id"] == rejected
    assert set(found_in(handed_out)) == set(WORDS)


async def test_a_customer_is_found_and_has_a_page(cli: Cli, rejected: str, pool: Pool) -> None:
    table = (await cli.done("customers", "find", "zwirbel")).out
    assert "C1        Xaverine Zwirbelhuber  xaverine@zwirbelhuber.example" in table
    (hit,) = (await cli.done("customers", "find", "7766554", "--json")).json["customers"]
    assert (hit["customer_id"], hit["last_order_id"]) == ("C1", rejected)
    for named in ("C1", CUSTOMER["id"], EMAIL):
        page = (await cli.done("customers", "show", named)).out
        assert "  mail address: xaverine@zwirbelhuber.example\n" in page
        assert "  billed to: Balduina Federkiel, Tintenfassallee 3, Pergamentheim, DE\n" in page
        assert "1 order in USD: ordered 0.00 USD, paid 0.00 USD" in page
    told = (await cli.done("customers", "show", "C1", "--json")).json
    assert (told["orders"][0]["state"], told["orders"][0]["total"]) == ("rejected", "30.00")
    assert told["sums"][0]["returned_percent"] == "0.0"
    other = {**CUSTOMER, "id": "other"}
    await Bench(pool).take_in(an_order(("TEA", 1), **{**planted(), "customer": other}))
    several = await cli("customers", "show", EMAIL, "--json")
    assert (several.code, json.loads(several.err)["reason"]) == (1, "several_customers")
    nobody = await cli("customers", "show", "nobody")
    assert "there is no customer 'nobody'; `orderloom customers find`" in nobody.err
    assert (await cli.done("customers", "find", "nobody")).out == "no customers\n"


async def test_notes_consent_and_merges_are_written_down(
    cli: Cli, rejected: str, pool: Pool
) -> None:
    guest = {"name": "Xaverine Z.", "email": "other@zwirbelhuber.example"}
    await Bench(pool).take_in(an_order(("TEA", 1), customer=guest))
    note = ("note", "C1", "wants a call", "--contact", "mail", "--order", rejected, "--by", "ann")
    assert (
        f", ann, mail, about {rejected}: wants a call" in (await cli.done("customers", *note)).out
    )
    words = ("--refuse", "marketing", "--give", "reviews", "--how", "by letter", "--by", "ann")
    said = (await cli.done("customers", "consent", CUSTOMER["id"], *words)).out
    assert re.search("marketing: no, since .*, by letter .written down by ann.\nreviews: yes", said)
    merge = ("merge", guest["email"], EMAIL, "--reason", "same person", "--by", "ann")
    merged = (await cli.done("customers", *merge)).out
    assert re.fullmatch("C2 into C1: .*, ann: same person\n", merged)
    page = (await cli.done("customers", "show", "C2")).out
    assert "  C2 is merged into it\n" in page
    assert "wants a call" in page
    once_more = await cli("customers", "merge", "C1", "C2", "--reason", "x", "--json")
    assert (once_more.code, json.loads(once_more.err)["reason"]) == (1, "merged_elsewhere")
    undo = ("unmerge", guest["email"], "--reason", "they are sisters", "--by", "bo")
    assert re.search("undone .*, bo: they are sisters", (await cli.done("customers", *undo)).out)
    assert (await cli.done("customers", "merges", "C1", "--json")).json["merges"][0]["undone_by"]
    assert (await cli.done("customers", "notes", "C2")).out == "no notes\n"
    assert len((await cli.done("customers", "notes", "C1", "--json")).json["notes"]) == 1
    odd = await cli("customers", "note", "C1", "x", "--contact", "dream")
    assert (odd.code, "contact" in odd.err) == (2, True)


async def test_what_is_handed_out_is_for_nobody_else_to_read(
    cli: Cli, rejected: str, tmp_path: Path
) -> None:
    file = tmp_path / "person.json"
    file.write_text("an older one, which others may read", encoding="utf-8")
    file.chmod(0o644)
    await cli.done("customers", "export", CUSTOMER["id"], "--out", str(file))
    assert json.loads(file.read_text(encoding="utf-8"))["orders"][0]["order_id"] == rejected
    assert file.stat().st_mode & 0o777 == 0o600


async def test_a_dry_run_says_what_would_be_erased_and_erases_nothing(
    cli: Cli, rejected: str
) -> None:
    tried = await cli.done("customers", "erase", CUSTOMER["id"], *WHY, "--dry-run")
    assert tried.out == f"dry run: {rejected}: erased\n"
    assert found_in((await cli.done("customers", "orders", CUSTOMER["id"])).out) != []


async def test_ended_orders_are_erased_and_open_ones_when_they_have_ended(
    cli: Cli, rejected: str, pool: Pool
) -> None:
    open_one = an_order(("TEA", 1), **planted())
    await Bench(pool).take_in(open_one)
    erased = await cli.done("customers", "erase", EMAIL, *WHY)
    waits = "kept, because it has not ended; erased by itself as soon as that is over"
    assert erased.out == f"{open_one.order_id}: {waits}\n{rejected}: erased\n"
    left = (await cli.done("customers", "orders", CUSTOMER["id"])).out
    assert left.startswith(f"{open_one.order_id}: received, received ")
    assert ", to be erased when it is over\n" in left
    for command in ("show", "explain", "events"):
        told = (await cli.done(command, rejected, "--json")).out
        assert rejected in told, command
        assert found_in(told) == [], command
    again = (await cli.done("customers", "erase", EMAIL, *WHY, "--json")).json
    assert [one["outcome"] for one in again["orders"]] == ["waits"]
    # Who asked, and why, is told once, and stays when the person is erased.
    async with pool.acquire() as conn:
        await orders.decide(conn, open_one.order_id, "rejected", "no stock")
    await Persons(pool).forget()
    story = (await cli.done("events", open_one.order_id, "--json")).json["events"]
    erasing = [(one["what"], one["who"], one["why"]) for one in story if "eras" in one["what"]]
    assert erasing == [
        ("erasure asked for", "dpo", "asked for by letter"),
        ("person erased", "orderloom", "asked for"),
    ]


async def test_credit_that_is_not_spent_is_kept_and_told(cli: Cli, rejected: str) -> None:
    assert rejected
    await cli.done("credit", "grant", CUSTOMER["id"], "5.00", "EUR", "--reason", "late")
    erased = (await cli.done("customers", "erase", CUSTOMER["id"], *WHY)).out
    assert erased.endswith("store credit of 5.00 EUR is kept under this id until it is spent\n")


async def test_who_has_nothing_but_credit_is_handed_out_and_erased(cli: Cli, pool: Pool) -> None:
    why = ("--reason", "Zwirbelhuber was sad", "--by", "anna")
    await cli.done("credit", "grant", CUSTOMER["id"], "5.00", "EUR", *why)
    assert found_in((await cli.done("customers", "export", CUSTOMER["id"])).out) == ["zwirbelhuber"]
    kept = (await cli.done("customers", "erase", CUSTOMER["id"], *WHY)).out
    assert kept == "store credit of 5.00 EUR is kept under this id until it is spent\n"
    await pool.execute("update credit_account set balance_minor = 0")
    assert (await cli.done("customers", "erase", CUSTOMER["id"], *WHY)).out == ""
    for table in ("credit_account", "credit_operation", "journal_entry"):
        rows = await pool.fetch(f"select t::text from {table} t")
        assert rows
        assert found_in("".join(row["t"] for row in rows)) == []


async def test_a_person_whom_nobody_knows_is_refused(cli: Cli) -> None:
    for command in (("orders",), ("export",), ("erase", *WHY)):
        ended = await cli("customers", command[0], "nobody@nowhere.example", *command[1:])
        assert ended.code == 1
        assert "there is no order of 'nobody@nowhere.example'; write the customer's id" in ended.err
    no_reason = await cli("customers", "erase", "C-1", "--reason", " ")
    assert no_reason.code == 2
    assert "reason" in no_reason.err
