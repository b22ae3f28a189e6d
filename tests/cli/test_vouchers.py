"""`orderloom vouchers`: what people do about vouchers and gift cards."""

from __future__ import annotations

from pathlib import Path

import pytest

from domain.orders.voucher_codes import is_code
from store.database import Pool
from tests.support.command_line import Cli

WHY = ("--reason", "sold at the till")


@pytest.fixture
def cli(database_url: str, tmp_path: Path) -> Cli:
    """Commands that find a database and nothing else: no Temporal is asked for."""
    home = str(tmp_path)
    return Cli({"HOME": home, "ORDERLOOM_HOME": f"{home}/none", "DATABASE_URL": database_url})


async def test_one_is_issued_shown_extended_and_blocked(cli: Cli, pool: Pool) -> None:
    issue = ("vouchers", "issue", "gift_card", "25.00", "EUR", *WHY, "--request-id", "V-1")
    first = await cli.done(*issue, "--valid-through", "2099-12-31", "--json")
    assert is_code(first.json["code"])
    again = await cli.done(*issue, "--valid-through", "2099-12-31", "--json")
    assert again.json == {**first.json, "code": None}
    other = await cli("vouchers", "issue", "voucher", "25.00", "EUR", *WHY, "--request-id", "V-1")
    assert (other.code, "V-1 was used otherwise" in other.err) == (1, True)

    voucher = first.json["voucher_id"]
    told = {name: first.json[name] for name in ("kind", "state", "balance", "available")}
    assert told == {
        "kind": "gift_card",
        "state": "valid",
        "balance": "25.00",
        "available": "25.00",
    }
    blocked = await cli.done("vouchers", "block", voucher, "--reason", "stolen", "--json")
    assert blocked.json["state"] == "blocked"
    await cli.done("vouchers", "unblock", voucher, "--reason", "found")
    longer = await cli.done("vouchers", "extend", voucher, "2100-01-31", *WHY, "--json")
    assert (longer.json["state"], longer.json["valid_through"]) == ("valid", "2100-01-31")
    drawn = await cli.done("vouchers", "code", voucher, "--reason", "lost", "--json")
    assert is_code(drawn.json["code"])
    assert drawn.json["code"] != first.json["code"]

    shown = await cli.done("vouchers", "show", voucher, "--json")
    kinds = [one["kind"] for one in shown.json["operations"]]
    assert kinds == ["issue", "code", "block", "unblock", "extend", "code"]
    listed = await cli.done("vouchers", "list", "--kind", "gift_card", "--json")
    assert [one["voucher_id"] for one in listed.json["vouchers"]] == [voucher]
    text = await cli.done("vouchers", "show", voucher)
    assert "25.00 EUR issued, by " in text.out
    assert first.json["code"] not in text.out


async def test_what_cannot_be_issued_is_refused(cli: Cli, pool: Pool) -> None:
    for wrong, named in (
        (("coupon", "5.00", "EUR"), "kind"),
        (("voucher", "0.00", "EUR"), "more than zero"),
        (("voucher", "5.001", "EUR"), "amount"),
        (("voucher", "5.00", "EUR", "--valid-through", "2001-01-01"), "is over"),
    ):
        refused = await cli("vouchers", "issue", *wrong, *WHY)
        assert (refused.code, named in refused.err) == (2, True), refused.err
    nothing = await cli("vouchers", "show", "voucher_none")
    assert (nothing.code, "there is no voucher" in nothing.err) == (1, True)
