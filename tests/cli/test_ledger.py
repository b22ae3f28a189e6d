"""The books by the command line: what they say, what is refused, and that Beancount agrees."""

from __future__ import annotations

import csv
import io
import subprocess
import sys
from collections import defaultdict
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import beancount.loader
import pytest
from beancount.core.data import Transaction

from domain.accounting.accounts import Account
from domain.money import to_decimal
from starter.accounting.books.chart import beancount_name
from store.accounting import ledger
from store.database import Pool
from tests.support.bench import Bench
from tests.support.builders import an_order
from tests.support.command_line import EXAMPLES, Cli

TODAY = datetime.now(UTC).date()
YESTERDAY = TODAY - timedelta(days=1)


@pytest.fixture
def cli(pool: Pool, database_url: str, tmp_path: Path) -> Cli:
    """Commands for that database; there is no Temporal, and none is needed."""
    return Cli(
        {
            "HOME": str(tmp_path),
            "ORDERLOOM_HOME": str(tmp_path / "none"),
            "DATABASE_URL": database_url,
        }
    )


async def of_yesterday(pool: Pool, effect: str, currency: str, amount: int) -> None:
    """A sale of the day before this one."""
    await pool.execute(
        """
        with entry as (
            insert into journal_entry (effect, memo, booked_on) values ($1, 'a "sale"', $2)
            returning entry_id)
        insert into posting
        select entry_id, account, amount, $3 from entry,
            (values ('cash_in_transit', $4::bigint), ('revenue', -$4::bigint)) p (account, amount)
        """,
        *(effect, YESTERDAY, currency, amount),
    )


async def everything(pool: Pool, cli: Cli) -> None:
    """Books with entries of all kinds, in currencies of 0, 2 and 3 decimals."""
    for effect, currency, amount in [("a", "JPY", 500), ("b", "KWD", 1234), ("c", "USD", 999)]:
        await of_yesterday(pool, effect, currency, amount)
    bench = Bench(pool)
    await cli.done("stock", "import", str(EXAMPLES / "stock.csv"))
    terms = ("--unit-cost", "1.001", "--currency", "KWD", "--reason", 'said "new"')
    await cli.done("stock", "receive", "TEA", "7", *terms)
    await cli.done("stock", "receive", "TEA", "2", "--unit-cost", "350", "--currency", "JPY")
    await cli.done("stock", "write-off", "TEA", "1", "--reason", "torn \\ wet")
    await bench.stock.receive("rest", "TEA", "main", 1, who="anna", why="found")
    order = an_order(("TEA", 3), ("CUP-STONEWARE-02", 1), channel_order_id="1")
    await bench.charged(await bench.at(order, "shipped"))
    every = [account for account in Account if account is not Account.OPENING]
    async with pool.acquire() as conn:
        for number, account in enumerate(every):
            postings = {account: number + 1, Account.OPENING: -number - 1}
            for currency in ("USD", "JPY", "KWD"):
                if account is not Account.INVENTORY:
                    await ledger.post(
                        conn,
                        effect=f"{account}:{currency}",
                        memo=f"{account} in {currency}",
                        currency=currency,
                        postings=postings,
                    )


def bean_check(file: Path) -> subprocess.CompletedProcess[str]:
    program = Path(sys.executable).with_name("bean-check")
    return subprocess.run(
        [program, file], capture_output=True, text=True, check=False, encoding="utf-8"
    )


@pytest.mark.parametrize("first", [None, TODAY])
async def test_bean_check_accepts_the_books_and_they_are_what_ours_are(
    pool: Pool, cli: Cli, tmp_path: Path, first: date | None
) -> None:
    await everything(pool, cli)
    file = tmp_path / "books.beancount"
    since = ("--from", str(first)) if first else ()
    said = await cli.done("ledger", "export", "--format", "beancount", "--out", str(file), *since)
    assert said.out.endswith(f"{first or YESTERDAY} to {TODAY}, which are not closed\n")
    done = bean_check(file)
    assert (done.returncode, done.stderr) == (0, "")
    read, errors, _ = beancount.loader.load_file(str(file))
    assert errors == []
    sums: defaultdict[tuple[str, str], Decimal] = defaultdict(Decimal)
    for entry in read:
        for posting in entry.postings if isinstance(entry, Transaction) else ():
            assert posting.units is not None
            assert posting.units.number is not None
            sums[posting.account, posting.units.currency] += posting.units.number
    async with pool.acquire() as conn:
        ours = {
            (beancount_name(item.account), item.currency): to_decimal(
                item.amount_minor, item.currency
            )
            for item in await ledger.trial_balance(conn)
        }
    assert {key: total for key, total in sums.items() if total} == ours
    assert {account for account, _ in ours} == {beancount_name(account) for account in Account}


async def test_the_trial_balance_adds_up_to_zero_in_each_currency(pool: Pool, cli: Cli) -> None:
    assert "nothing is booked" in (await cli.done("ledger", "balance")).out
    await everything(pool, cli)
    told, document, before = [
        await cli.done("ledger", "balance", *more)
        for more in ((), ("--json",), ("--until", str(YESTERDAY), "--json"))
    ]
    for currency, nothing in (("EUR", "0.00"), ("JPY", "0"), ("KWD", "0.000"), ("USD", "0.00")):
        assert f"sum: {nothing} {currency}\n" in told.out
        assert document.json["sellers"][0]["sums"][currency] == nothing
    (books,) = before.json["sellers"]
    assert {"account": "revenue", "currency": "KWD", "amount": "-1.234"} in books["balance"]
    assert set(books["sums"]) == {"JPY", "KWD", "USD"}


async def test_the_entries_of_an_order_read_as_its_story_in_money(pool: Pool, cli: Cli) -> None:
    assert "no entries" in (await cli.done("ledger", "entries")).out
    await everything(pool, cli)
    order, latest = [
        (await cli.done("ledger", "entries", *more, "--json")).json["entries"]
        for more in (("--order", "web-1"), ("--limit", "2"))
    ]
    assert order[0]["memo"].startswith("shipped: ")
    assert len(latest) == 2
    table = (await cli.done("ledger", "entries", "--order", "web-1")).out
    assert "cost_of_goods_sold" in table
    assert "4.40" in table


async def test_what_is_final_must_be_closed_and_stays_as_it_is(
    pool: Pool, cli: Cli, tmp_path: Path
) -> None:
    await everything(pool, cli)
    file = tmp_path / "books"
    file.write_text("as it was", encoding="utf-8")
    ask = ("ledger", "export", "--format", "json", "--to", str(YESTERDAY), "--out", str(file))
    refused = await cli(*ask, "--final")
    assert refused.code == 1
    assert f"`orderloom ledger close --seller main --through {YESTERDAY}`" in refused.err
    assert file.read_text(encoding="utf-8") == "as it was"
    assert [path.name for path in tmp_path.iterdir()] == ["books"]
    closed = await cli.done("ledger", "close", "--through", str(YESTERDAY), "--by", "anna")
    assert closed.out == f"main is closed through {YESTERDAY}\n"
    said = await cli.done(*ask, "--final")
    assert said.out == f"3 transactions of {YESTERDAY} to {YESTERDAY}\n"
    first = file.read_bytes()
    await cli.done("stock", "write-off", "TEA", "1", "--reason", "after all")
    await cli.done(*ask, "--final")
    assert file.read_bytes() == first
    again = await cli.done("ledger", "close", "--through", str(YESTERDAY), "--json")
    assert (again.json["through"], again.json["who"]) == (str(YESTERDAY), "anna")


async def test_other_programs_get_the_journals_that_they_import(
    pool: Pool, cli: Cli, tmp_path: Path
) -> None:
    await everything(pool, cli)
    names = tmp_path / "names.csv"
    names.write_text("account,name\nrevenue,200\ncash_in_transit,Bank:Clearing\n", encoding="utf-8")
    quickbooks, xero, daily = [
        list(csv.DictReader(io.StringIO((await cli("ledger", "export", *more)).out)))
        for more in (
            ("--format", "csv-quickbooks", "--accounts", str(names)),
            ("--format", "csv-xero", "--currency", "JPY", "--accounts", str(names)),
            ("--format", "csv-quickbooks", "--daily"),
        )
    ]
    assert {"Bank:Clearing", "200"} <= {row["Account Name"] for row in quickbooks}
    assert [row["*AccountCode"] for row in xero][1] == "200"
    assert 0 < len(daily) < len(quickbooks)


@pytest.mark.parametrize(
    ("format", "amount"), [("csv-quickbooks", "Debits"), ("csv-xero", "*Amount")]
)
async def test_an_export_in_one_currency_says_what_it_leaves_out(
    pool: Pool, cli: Cli, tmp_path: Path, format: str, amount: str
) -> None:
    for effect, currency, minor in [("a", "JPY", 500), ("b", "EUR", 700), ("c", "EUR", 800)]:
        await of_yesterday(pool, effect, currency, minor)
    export = ("ledger", "export", "--format", format, "--currency")
    yen, euro, dollars = await cli.many(
        (*export, "JPY"),
        (*export, "EUR", "--daily", "--out", str(tmp_path / "euro.csv")),
        (*export, "USD"),
    )
    rows = list(csv.DictReader(io.StringIO(yen.out)))
    assert rows[0][amount] == "500"
    assert len(rows) == 2
    assert yen.err == "left out, because the file is in JPY: 2 entries in EUR\n"
    assert euro.out.startswith("1 transaction of ")
    assert euro.err == "left out, because the file is in EUR: 1 entry in JPY\n"
    assert len(dollars.out.splitlines()) == 1
    assert dollars.err.endswith("in USD: 2 entries in EUR, 1 entry in JPY\n")
    assert {ended.code for ended in (yen, euro, dollars)} == {0}


WRONG = {
    ("balance", "--until", "soon"): (2, "--until: must be a day, such as 2026-11-20"),
    ("balance", "--until", "2026-02-30"): (2, "--until"),
    ("close", "--through", "2026-11"): (2, "--through: must be a day"),
    ("close", "--through", "9999-01-01"): (2, "--through: must be in the years 1970 to 2199"),
    ("close", "--through", str(TODAY)): (1, f"the latest day that can be closed is {YESTERDAY}"),
    ("close",): (2, "--through"),
    ("export",): (2, "--format"),
    ("export", "--format", "pdf"): (2, "--format"),
    ("export", "--format", "json", "--from", "2026-11-32"): (2, "--from"),
    ("export", "--format", "json", "--to", "2190-01-01"): (2, "--to: 2190-01-01 has not come yet"),
    ("export", "--format", "json", "--from", str(TODAY), "--to", str(YESTERDAY)): (
        2,
        f"--from: {TODAY} is after the last day, {YESTERDAY}",
    ),
    ("export", "--format", "json", "--final"): (1, f"--through {TODAY}` when {TODAY} is over"),
    ("export", "--format", "csv-xero"): (2, "--currency: there are entries in"),
    ("export", "--format", "csv-xero", "--currency", "XXX"): (2, "--currency"),
    ("export", "--format", "json", "--out", "/none/books"): (2, "--out: /none/books cannot be"),
    ("export", "--format", "csv-xero", "--accounts", "/none.csv"): (2, "/none.csv"),
    ("export", "--format", "json", "--accounts", "/none.csv"): (2, "--accounts: goes with csv-"),
    ("export", "--format", "beancount", "--currency", "EUR"): (
        2,
        "--currency: goes with csv-quickbooks and csv-xero, not with beancount",
    ),
    ("export", "--format", "csv-quickbooks", "--tax-rate", "x"): (2, "--tax-rate: goes with csv-x"),
}


async def test_bad_input_is_refused_with_its_field_and_writes_nothing(
    pool: Pool, cli: Cli, tmp_path: Path
) -> None:
    await of_yesterday(pool, "a", "JPY", 1)
    await of_yesterday(pool, "b", "USD", 1)
    for arguments, (code, told) in WRONG.items():
        ended = await cli("ledger", *arguments)
        assert (ended.code, ended.out) == (code, ""), arguments
        assert told in ended.err
    strange = tmp_path / "strange.csv"
    strange.write_text("account,name\npetty_cash,1\n", encoding="utf-8")
    ended = await cli("ledger", "export", "--format", "csv-quickbooks", "--accounts", str(strange))
    assert ended.code == 2
    assert "strange.csv:2: account" in ended.err


COSTS = {
    ("--unit-cost", "1.00"): "unit_cost: goes with currency",
    ("--currency", "EUR"): "unit_cost: goes with currency",
    ("--unit-cost", "-1", "--currency", "EUR"): "unit_cost: must not be negative",
    ("--unit-cost", "1.0000001", "--currency", "EUR"): "up to 6 decimals",
    ("--unit-cost", "1", "--currency", "EURO"): "currency: must be an ISO 4217",
    ("--unit-cost", "99999999999999", "--currency", "EUR"): "cannot be meant",
}


async def test_a_cost_that_is_none_is_refused_and_nothing_is_received(
    pool: Pool, cli: Cli, tmp_path: Path
) -> None:
    for arguments, told in COSTS.items():
        ended = await cli("stock", "receive", "TEA", "5", *arguments)
        assert ended.code == 2
        assert told in ended.err
    file = tmp_path / "stock.csv"
    file.write_text(
        "sku,location,quantity,unit_cost,currency\nTEA,main,1,1,EUR\nTEA,main,1,2,EUR\n",
        encoding="utf-8",
    )
    ended = await cli("stock", "import", str(file), "--key", "D-1")
    assert (ended.code, ended.out) == (2, "1 unit taken in, 1 stock row, as D-1\n")
    assert "stock.csv:3: TEA at main has another unit_cost in a row above" in ended.err
    file.write_text(
        "sku,location,quantity,unit_cost,currency\nTEA,main,1,1.0000005,EUR\n", encoding="utf-8"
    )
    ended = await cli("stock", "import", str(file))
    assert "stock.csv:2: unit_cost: must be a decimal string" in ended.err
    assert "up to 6 decimals after a point" in ended.err
    assert await pool.fetchval("select count(*) from movement") == 1
