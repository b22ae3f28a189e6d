"""The books for other programs: what each file says, and what Beancount makes of it."""

from __future__ import annotations

import csv
import io
import subprocess
import sys
from datetime import UTC, date, datetime
from pathlib import Path

import beancount.loader
import pytest
from beancount.core.data import Balance, Open, Transaction

from domain.accounting.accounts import Account
from domain.errors import InvalidInput
from domain.money import to_decimal, to_minor
from domain.sellers import Seller
from starter.accounting.books import beancount as writer
from starter.accounting.books.chart import CHART, beancount_name
from starter.accounting.books.journal_csv import daily, only, quickbooks, xero
from store.accounting.ledger import Entry, Period, Posting

SELLER = Seller(name="Tea & Sons", currency="USD")
FIRST, LAST = date(2026, 11, 22), date(2026, 11, 23)
NASTY = 'a "quoted" \\ back\\nslash\nline; #tag ^link = 茶'


def entry(
    number: int, *postings: tuple[Account, str, int], day: date = FIRST, memo: str = "sale"
) -> Entry:
    return Entry(
        entry_id=number,
        seller="main",
        effect=f"web-{number}:1:capture",
        order_id=f"web-{number}",
        memo=memo,
        at=datetime(2026, 11, 22, 9, tzinfo=UTC),
        booked_on=day,
        postings=tuple(Posting(account=a, currency=c, amount_minor=n) for a, c, n in postings),
    )


def period(*entries: Entry, before: tuple[Posting, ...] = (), closed: bool = True) -> Period:
    sums: dict[tuple[Account, str], int] = {}
    for item in (*before, *(posting for one in entries for posting in one.postings)):
        key = (item.account, item.currency)
        sums[key] = sums.get(key, 0) + item.amount_minor
    after = tuple(
        Posting(account=account, currency=currency, amount_minor=amount)
        for (account, currency), amount in sorted(sums.items())
        if amount
    )
    return Period(
        seller="main",
        first=FIRST,
        last=LAST,
        closed=closed,
        before=before,
        entries=entries,
        after=after,
    )


CASH, SOLD = Account.CASH_IN_TRANSIT, Account.REVENUE
MIXED = period(
    entry(1, (CASH, "USD", 1200), (SOLD, "USD", -1000), (Account.TAX_PAYABLE, "USD", -200)),
    entry(2, (CASH, "JPY", 500), (SOLD, "JPY", -500), memo=NASTY),
    entry(
        3,
        *((Account.INVENTORY, "KWD", 1234), (Account.PURCHASES, "KWD", -1234)),
        *((Account.INVENTORY, "EUR", 7), (Account.PURCHASES, "EUR", -7)),
        day=LAST,
    ),
    before=(
        Posting(account=Account.WRITE_OFFS, currency="EUR", amount_minor=5),
        Posting(account=Account.DISPUTES, currency="EUR", amount_minor=-5),
    ),
)


def checked(text: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """What the real `bean-check` says of a file."""
    file = folder / "books.beancount"
    file.write_text(text, encoding="utf-8")
    program = Path(sys.executable).with_name("bean-check")
    return subprocess.run(
        [program, file], capture_output=True, text=True, check=False, encoding="utf-8"
    )


def test_bean_check_accepts_the_books(tmp_path: Path) -> None:
    done = checked(writer.render(MIXED, SELLER), tmp_path)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.parametrize("currency", ["USD", "JPY", "KWD", "EUR"])
def test_bean_check_refuses_balances_that_are_off_by_one(currency: str, tmp_path: Path) -> None:
    after = list(MIXED.after)
    index = next(i for i, item in enumerate(after) if item.currency == currency)
    wrong = after[index].model_copy(update={"amount_minor": after[index].amount_minor + 1})
    after[index] = wrong
    done = checked(
        writer.render(MIXED.model_copy(update={"after": tuple(after)}), SELLER), tmp_path
    )
    assert done.returncode != 0
    assert f"Balance failed for '{beancount_name(wrong.account)}'" in done.stderr


def test_beancount_reads_what_was_booked() -> None:
    read, errors, options = beancount.loader.load_string(writer.render(MIXED, SELLER))
    assert errors == []
    assert options["operating_currency"] == ["USD", "EUR", "JPY", "KWD"]  # the books' first
    assert {item.account for item in read if isinstance(item, Open)} == {
        beancount_name(account) for account in Account
    }
    before, first, second, third = [item for item in read if isinstance(item, Transaction)]
    assert (before.date, before.narration) == (FIRST, "Balances brought forward")
    assert (first.payee, first.narration) == ("web-1", "sale")
    assert first.links == frozenset({"web-1"})
    assert first.meta["effect"] == "web-1:1:capture"
    assert first.meta["entry"] == 1
    assert first.meta["written"] == "2026-11-22T09:00:00+00:00"
    assert second.narration == NASTY
    assert [str(posting.units) for posting in third.postings] == [
        "1.234 KWD",
        "-1.234 KWD",
        "0.07 EUR",
        "-0.07 EUR",
    ]
    asserted = {}
    for account, amount in [(x.account, x.amount) for x in read if isinstance(x, Balance)]:
        assert amount is not None
        assert amount.number is not None
        if amount.number:
            asserted[account, amount.currency] = to_minor(amount.number, amount.currency)
    assert asserted == {
        (beancount_name(item.account), item.currency): item.amount_minor for item in MIXED.after
    }


def test_an_order_whose_id_is_no_link_has_none() -> None:
    strange = entry(1, (CASH, "USD", 1), (SOLD, "USD", -1)).model_copy(
        update={"order_id": 'web-"1 2"'}
    )
    read, errors, _ = beancount.loader.load_string(writer.render(period(strange), SELLER))
    (found,) = [item for item in read if isinstance(item, Transaction)]
    assert (errors, found.payee, found.links) == ([], 'web-"1 2"', frozenset())


def test_books_that_are_empty_or_open_say_so(tmp_path: Path) -> None:
    assert checked(writer.render(period(), SELLER), tmp_path).returncode == 0
    assert "not closed" in writer.render(period(closed=False), SELLER)
    assert "not closed" not in writer.render(period(), SELLER)


def test_every_account_is_in_the_chart_under_names_of_its_own() -> None:
    assert set(CHART) == set(Account)
    assert len({named.name for named in CHART.values()}) == len(Account)
    assert len({named.code for named in CHART.values()}) == len(Account)


def rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def test_quickbooks_gets_a_journal_for_each_entry_and_currency() -> None:
    found = rows(quickbooks(MIXED, {Account.REVENUE: "Sales:Online"}))
    assert found[0] == {
        "Journal No.": "OL1-USD",
        "Journal Date": "11/22/2026",
        "Account Name": "Cash in transit",
        "Description": "sale",
        "Debits": "12.00",
        "Credits": "",
        "Currency": "USD",
    }
    assert (found[1]["Account Name"], found[1]["Credits"]) == ("Sales:Online", "10.00")
    sums: dict[str, int] = {}
    for row in found:
        number = row["Journal No."]
        debit, credit = (to_minor(row[x] or "0", row["Currency"]) for x in ("Debits", "Credits"))
        sums[number] = sums.get(number, 0) + debit - credit
    assert sums == {"OL1-USD": 0, "OL2-JPY": 0, "OL3-EUR": 0, "OL3-KWD": 0}


def test_xero_gets_journals_of_one_currency() -> None:
    found = rows(xero(only(MIXED, "USD")[0], {SOLD: "200"}, tax_rate="No VAT"))
    assert found == [
        {
            "*Narration": "OL1 sale",
            "*Date": "22/11/2026",
            "Description": "web-1:1:capture",
            "*AccountCode": code,
            "*TaxRate": "No VAT",
            "*Amount": amount,
        }
        for code, amount in [("1010", "12.00"), ("200", "-10.00"), ("2100", "-2.00")]
    ]
    one = period(MIXED.entries[1])
    assert len(rows(xero(one, {}, tax_rate="x"))) == 2
    with pytest.raises(InvalidInput, match="currency: there are entries in EUR, JPY, KWD, USD"):
        xero(MIXED, {}, tax_rate="x")


def test_no_cell_of_text_is_a_formula() -> None:
    bad = period(entry(1, (CASH, "USD", 1), (SOLD, "USD", -1), memo='=cmd("x")\n@SUM'))
    (first, _) = rows(quickbooks(bad, {}))
    assert first["Description"] == '\'=cmd("x") @SUM'


def test_a_day_is_one_entry_for_each_currency_and_comes_to_the_same() -> None:
    busy = period(
        entry(1, (CASH, "USD", 5), (SOLD, "USD", -5), (CASH, "JPY", 2), (SOLD, "JPY", -2)),
        entry(2, (CASH, "USD", 7), (SOLD, "USD", -7)),
        entry(3, (CASH, "USD", 1), (SOLD, "USD", -1), day=LAST),
        entry(4, (CASH, "EUR", 1), (SOLD, "EUR", -1), day=LAST),
        entry(5, (CASH, "EUR", -1), (SOLD, "EUR", 1), day=LAST),
    )
    summed = daily(busy)
    assert [(x.booked_on, x.memo, x.postings[0].amount_minor) for x in summed.entries] == [
        (FIRST, "all JPY of 2026-11-22 (1)", 2),
        (FIRST, "all USD of 2026-11-22 (2)", 12),
        (LAST, "all USD of 2026-11-23 (1)", 1),
    ]
    assert period(*summed.entries).after == busy.after
    numbers = [row["Journal No."] for row in rows(quickbooks(summed, {}))]
    assert len(set(numbers)) == 3
    _, errors, _ = beancount.loader.load_string(writer.render(summed, SELLER))
    assert errors == []


def test_amounts_of_any_size_are_written_in_full() -> None:
    huge = period(entry(1, (CASH, "KWD", 10**18 + 1), (SOLD, "KWD", -(10**18) - 1)))
    assert f"{to_decimal(10**18 + 1, 'KWD'):f} KWD" in writer.render(huge, SELLER)
    _, errors, _ = beancount.loader.load_string(writer.render(huge, SELLER))
    assert errors == []
