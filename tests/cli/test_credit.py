"""Store credit by the command line: given once, told in full, refused where it makes no sense."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from activities.provider_errors import Declined
from activities.providers.store_credit import StoreCredit
from domain.fields import Document, Token
from domain.money import Money
from store.database import Pool
from tests.support.command_line import Cli

WHY = ("--reason", "parcel came late", "--by", "anna")

WRONG = {
    ("ALFKI", "0.00", "EUR", *WHY): "amount: must be more than zero",
    ("ALFKI", "-5.00", "EUR", *WHY): "amount: must not be negative",
    ("ALFKI", "5.001", "EUR", *WHY): "amount: 5.001 has more decimals than EUR allows (2)",
    ("ALFKI", "5.5", "JPY", *WHY): "amount: 5.5 has more decimals than JPY allows (0)",
    ("ALFKI", "five", "EUR", *WHY): 'amount: must be a decimal string such as "12.50"',
    ("ALFKI", "99999999999999", "EUR", *WHY): "and at most 10000000000000.00 EUR",
    ("ALFKI", "5.00", "EUX", *WHY): "currency: unknown currency 'EUX'",
    ("ALFKI", "5.00", "eur", *WHY): "currency: must be an ISO 4217 currency code such as USD",
    ("AL\nFKI", "5.00", "EUR", *WHY): "customer: must be one line of plain text",
    ("ALFKI", "5.00", "EUR", "--reason", " "): "reason: ",
    ("ALFKI", "5.00", "EUR"): "--reason",
    ("ALFKI", "5.00", "EUR", *WHY, "--request-id", "a:b"): "request_id: must be letters, digits",
    ("ALFKI", "5.00", "EUR", *WHY, "--by", " "): "--by",
}


class _Tender(Document):
    token: Token


@pytest.fixture
def cli(database_url: str, tmp_path: Path) -> Cli:
    """Commands that find a database and nothing else: no Temporal is asked for."""
    home = str(tmp_path)
    return Cli({"HOME": home, "ORDERLOOM_HOME": f"{home}/none", "DATABASE_URL": database_url})


async def test_credit_is_given_once_under_its_request_id(cli: Cli, pool: Pool) -> None:
    command = ("credit", "grant", "ALFKI", "25.00", "EUR", *WHY, "--request-id", "G-1", "--json")
    first, again, told = await cli.many(command, command, command[:-1])
    assert first.json == again.json
    account = first.json["account_id"]
    assert first.json == {
        "request_id": "G-1",
        "account_id": account,
        "customer_id": "ALFKI",
        "seller": "main",
        "currency": "EUR",
        "balance": "25.00",
        "authorized": "0.00",
        "available": "25.00",
    }
    assert _Tender(token=account).token == account  # an order can name it
    assert [" ".join(line.split()) for line in told.out.splitlines()] == [
        "25.00 EUR given to ALFKI",
        "account with balance authorized available",
        f"{account} main 25.00 EUR 0.00 EUR 25.00 EUR",
    ]
    other = await cli("credit", "grant", "ALFKI", "30.00", "EUR", *WHY, "--request-id", "G-1")
    assert other.code == 1
    assert "G-1 was used for other credit before" in other.err
    two = await cli.done("credit", "grant", "ALFKI", "5.00", "EUR", *WHY, "--json")
    assert (two.json["account_id"], two.json["balance"]) == (account, "30.00")


async def test_show_tells_what_there_is_and_how_it_came_about(cli: Cli, pool: Pool) -> None:
    given = await cli.done("credit", "grant", "ALFKI", "25.00", "EUR", *WHY, "--json")
    await cli.done("credit", "grant", "ALFKI", "500", "JPY", *WHY)
    account, payment = given.json["account_id"], StoreCredit(pool)

    def eur(minor: int) -> Money:
        return Money(minor=minor, currency="EUR")

    hold = await payment.authorize(key="a", order_id="web-1", amount=eur(20_00), token=account)
    with pytest.raises(Declined):
        await payment.authorize(key="b", order_id="web-2", amount=eur(20_00), token=account)
    spent = hold.authorization
    await payment.capture(key="c", authorization=spent, amount=eur(12_50))
    await payment.refund(key="r", authorization=spent, amount=eur(2_50))

    shown, document = await cli.many(
        ("credit", "show", "ALFKI"), ("credit", "show", "ALFKI", "--json")
    )
    lines = [re.sub(r"^\S+ \S+ \S+  ", "", line) for line in shown.out.splitlines()]
    assert [" ".join(line.split()) for line in lines[1:2]] == [
        f"{account} main 15.00 EUR 7.50 EUR 7.50 EUR"
    ]
    assert lines[4:10] == [
        account,
        "25.00 EUR given, by anna: parcel came late",
        "20.00 EUR authorized for web-1, by orderloom",
        "20.00 EUR authorized for web-2 refused (insufficient_funds), by orderloom",
        "12.50 EUR spent for web-1, by orderloom",
        "2.50 EUR put back for web-1, by orderloom",
    ]
    euros, yen = document.json["accounts"]
    assert (yen["currency"], yen["balance"], yen["available"]) == ("JPY", "500", "500")
    assert [(one["kind"], one["amount"], one["code"]) for one in euros["operations"]] == [
        ("issue", "25.00", None),
        ("authorize", "20.00", None),
        ("authorize", "20.00", "insufficient_funds"),
        ("capture", "12.50", None),
        ("refund", "2.50", None),
    ]
    assert euros["operations"][0]["why"] == "parcel came late"
    last = await cli.done("credit", "show", "ALFKI", "--limit", "1", "--json")
    assert [len(one["operations"]) for one in last.json["accounts"]] == [1, 1]


async def test_who_never_had_credit_has_none(cli: Cli) -> None:
    shown, document = await cli.many(
        ("credit", "show", "NOBODY"), ("credit", "show", "NOBODY", "--json")
    )
    assert (shown.code, document.code) == (0, 0)
    assert "NOBODY never had store credit" in shown.out
    assert document.json == {"customer_id": "NOBODY", "accounts": []}


async def test_what_makes_no_sense_says_so_and_changes_nothing(cli: Cli, pool: Pool) -> None:
    answers = await cli.many(*(("credit", "grant", *arguments) for arguments in WRONG))
    for (arguments, message), ended in zip(WRONG.items(), answers, strict=True):
        assert (ended.code, message in ended.err, ended.out) == (2, True, ""), (arguments, ended)
    async with pool.acquire() as conn:
        for table in ("credit_account", "credit_operation", "journal_entry"):
            assert await conn.fetchval(f"SELECT count(*) FROM {table}") == 0
