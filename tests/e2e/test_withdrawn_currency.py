"""A currency leaves the standard's list, and everything that was written in it goes on.

The stack runs first with a list that has the Bulgarian lev, and then with today's, which lacks it.
"""

from __future__ import annotations

import json
from contextlib import closing
from pathlib import Path
from typing import Any, Final

from tests.e2e.stack import Shell, fresh_shell, until
from tests.support.command_line import COPIER, Copier

OLDER_LIST: Final = """
import iso4217
from types import SimpleNamespace
_today = iso4217.Currency
iso4217.Currency = lambda code: SimpleNamespace(exponent=2) if code == "BGN" else _today(code)
"""


def an_order(number: str, sku: str = "PROBE", currency: str = "BGN", price: str = "13.00") -> str:
    return json.dumps(
        {
            "channel": "web",
            "channel_order_id": number,
            "placed_at": "2025-12-20T10:00:00Z",
            "customer": {"id": "C-1", "name": "Ada Probe"},
            "currency": currency,
            "lines": [{"line_id": "1", "sku": sku, "quantity": 3, "unit_price": price}],
            "shipping": {
                "address": {
                    "name": "Ada Probe",
                    "line1": "Probeweg 1",
                    "city": "Berlin",
                    "postal_code": "10115",
                    "country": "BG",
                }
            },
            "payment": {"token": "tok_ok"},
        }
    )


class Older:
    """Commands of the time in which the list had that currency."""

    def __init__(self, shell: Shell) -> None:
        self._shell = shell
        self._copier = Copier({"PYTHONPATH": shell.environment["PYTHONPATH"]})

    def close(self) -> None:
        self._copier.end()

    def __call__(self, *arguments: str, stdin: str = "") -> Any:
        done = self._copier.run(
            *(self._shell.environment, (*arguments, "--json"), stdin.encode(), self._shell.folder)
        )
        assert done.code == 0, (arguments, done)
        return done.json


def number_of(shell: Shell, order: str) -> str:
    return str(shell.orderloom("show", order)["fulfilments"][0]["tracking_number"])


def task(shell: Shell, kind: str, part: str) -> None:
    """Wait until the warehouse has this to do."""
    until(
        lambda: any(
            (one["task"], one["part_id"]) == (kind, part)
            for one in shell.orderloom("warehouse", "tasks")["tasks"]
        ),
        f"{kind} {part}",
    )


def send(shell: Shell, order: str) -> None:
    part = f"{order}:1"
    shell.orderloom("warehouse", "pack", part)
    task(shell, "handover", part)
    shell.orderloom("warehouse", "handover", part)


def test_what_was_written_in_a_currency_that_has_left_the_list_goes_on() -> None:
    with fresh_shell() as shell:
        (shell.folder / "older").mkdir()
        (shell.folder / "older" / "sitecustomize.py").write_text(OLDER_LIST, encoding="utf-8")
        today = shell.environment["PYTHONPATH"]
        shell.environment["PYTHONPATH"] = f"{shell.folder / 'older'}:{today}"
        with shell.up("--no-http") as stack, closing(Older(shell)) as older:
            before(shell, older)
            assert stack.stop() == 0
        shell.environment["PYTHONPATH"] = today
        with shell.up("--no-http"):
            after(shell)


def before(shell: Shell, older: Older) -> None:
    stock = (
        "sku,location,quantity,unit_cost,currency\nPROBE,main,50,6.00,BGN\nTEA,main,5,1.00,EUR\n"
    )
    older("stock", "import", "-", stdin=stock)
    terms = (
        "supplier,sku,lead_time_days,unit_price,currency\nbg,PROBE,3,6.00,BGN\neu,TEA,3,1.00,EUR\n"
    )
    older("suppliers", "import", "-", stdin=terms)
    for number in ("W1", "W2", "W3"):
        assert older("place", "-", stdin=an_order(number))["orders"][0]["outcome"] == "confirmed"
    older("warehouse", "pick", "web-W1:1")
    send(shell, "web-W1")
    older("carrier", "event", number_of(shell, "web-W1"), "delivered")
    older("warehouse", "pick", "web-W2:1")


def after(shell: Shell) -> None:
    run = shell.orderloom
    refused = run("place", "-", code=2, stdin=an_order("W4"))
    assert "unknown currency 'BGN'" in str(refused)

    assert run("return", "web-W1", "--line", "1=1", "--reason", "one too many")
    task(shell, "receive-return", "web-W1:R1")
    run("warehouse", "receive-return", "web-W1:R1")
    shown = until(
        lambda: (found := run("show", "web-W1"))["summary"]["refunded"] == "13.00" and found,
        "the refund of one unit",
    )
    assert (shown["summary"]["captured"], shown["summary"]["total"]) == ("39.00", "39.00")

    send(shell, "web-W2")
    until(lambda: run("show", "web-W2")["summary"]["captured"] == "39.00", "the charge")
    run("cancel", "web-W3", "--reason", "changed mind")
    until(lambda: run("show", "web-W3")["summary"]["payment_status"] == "voided", "the release")

    assert len(run("orders")["orders"]) == 3
    issued = {one["number"]: one["total"] for one in run("invoices")["documents"]}
    assert sorted(issued.values()) == ["13.00", "39.00", "39.00"]
    for number in issued:
        assert run("invoice", number)["currency"] == "BGN"
        paper = Path(shell.folder / f"{number}.pdf")
        run("invoice", number, "--pdf", str(paper))
        assert paper.read_bytes().startswith(b"%PDF")
    assert run("ledger", "balance")["sellers"][0]["sums"] == {"BGN": "0.00", "EUR": "0.00"}
    assert run("ledger", "entries")["entries"]
    for options in (("csv-xero", "--currency", "BGN"), ("beancount",)):
        export = ("ledger", "export", "--format", *options)
        exported = COPIER.run(shell.environment, export, b"", shell.folder)
        assert (exported.code, "39.00" in exported.out) == (0, True), exported

    levels = "sku,location,reorder_point,order_up_to\nTEA,main,5,9\nPROBE,main,49,60\n"
    run("stock", "import-levels", "-", stdin=levels)
    until(lambda: len(buying(shell)) == 2 or (run("replenish") and None), "both are bought")
    assert buying(shell) == {"BGN", "EUR"}
    assert not run("orders", "--attention")["orders"]
    run("audit")


def buying(shell: Shell) -> set[str]:
    found = shell.orderloom("purchase-orders", "list")["purchase_orders"]
    return {one["currency"] for one in found}
