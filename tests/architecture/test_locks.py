"""Every row lock has its place in the one sequence of store/locks.py."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from tests.architecture.source import ROOT

PLACES = {
    "store/warehouse/runs.sql lock": "0 a run of scans",
    "store/warehouse/runs.sql wait_turn": "0 alone: where a run begins",
    "store/locks.sql lock_order": "1 an order, a transfer or a purchase order",
    "store/schema/routines/orders.sql begin_orders": "1, sorted by their ids",
    "store/schema/routines/orders.sql edit_wished": "1",
    "store/purchasing/purchases.sql lock": "1",
    "store/purchasing/purchases.sql start_again": "1, sorted by their ids; nothing else",
    "store/schema/routines/fulfilment.sql locked_fulfilment": "1",
    "store/schema/routines/fulfilment.sql goods_put_back": "1",
    "store/schema/routines/payments.sql confirm_order": "1",
    "store/schema/routines/payments.sql want_authorization": "1",
    "store/schema/routines/payments.sql authorization_made": "1",
    "store/schema/routines/payments.sql charge_to_make": "1",
    "store/schema/routines/payments.sql charge_made": "1",
    "store/schema/routines/payments.sql exchange_settled": (
        "1, behind the order that it is of, whose id its own begins with"
    ),
    "store/schema/routines/customers.sql customers_come": "behind 1, sorted: kept, and not changed",
    "store/schema/routines/customers.sql customer_goes": (
        "behind 1, sorted: the one whom an order leaves, all of that person, and whose it becomes"
    ),
    "store/schema/routines/customers.sql customer_with_key": "behind 1: locked before by that",
    "store/schema/routines/messages.sql answer_about_nobody": "behind a message: the person",
    "store/customers/people.sql hold": "alone, sorted: all of one person",
    "store/schema/routines/customers.sql customer_erased": "behind 1, sorted: all of one person",
    "store/schema/routines/customers.sql customers_merged": "alone, sorted: two customers",
    "store/schema/routines/customers.sql customer_unmerged": "alone: one customer",
    "store/customers/care.sql note": "alone: kept, and not changed",
    "store/customers/care.sql say": "alone, sorted: kept, and not changed",
    "store/customers/memberships.sql settle": "alone, sorted: kept, and not changed",
    "store/schema/routines/customers.sql credit_erased": "behind 1, sorted: spent accounts",
    "store/schema/routines/customers.sql person_erased": "1, and then what is the order's alone",
    "store/stock/transfers.sql lock": "1",
    "store/payments/disputes.sql lock_dispute": "behind 1: a part of one order",
    "store/payments/credit.sql authorize": "behind 1: one customer's credit",
    "store/payments/credit.sql capture": "behind 1",
    "store/payments/credit.sql refund": "behind 1",
    "store/payments/credit.sql void": "behind 1",
    "store/payments/vouchers.sql locked": "behind 1: one voucher",
    "store/accounting/sellers.sql lock": "alone: nothing of an order is locked with it",
    "store/access/keys.sql lock": "alone",
    "store/staff/people.sql lock": "alone, sorted: a person, and all admins",
    "store/days/counting.sql one": "alone: a day",
    "store/staff/sessions.sql begin": "alone: kept, and not changed",
    "store/jobs/work.sql lock": "behind all others: a job; its work locks nothing behind it",
    "store/schema/routines/jobs.sql jobs_forget_person": "behind 1, sorted: jobs that read orders",
    "store/edi/partners.sql lock": "behind 1: one partner's numbers; nothing is locked behind it",
    "store/orders/channels.sql lock": "alone: one channel, before its seller",
    "store/stock/locations.sql lock": "alone: one location",
    "store/orders/channels.sql sellers_of": "alone, or behind its channel",
    "store/orders/channels.sql seller_of": "alone",
    "store/stock/kits.sql lock_kit": "2 items",
    "store/stock/kits.sql lock_part": "2",
    "store/schema/routines/stock.sql add_stock_rows": "2, sorted",
    "store/schema/routines/stock.sql kit_is_no_stock": "2, locked before by those above",
    "store/schema/routines/stock.sql kit_is_no_part": "2, locked before by those above",
    "store/schema/routines/stock.sql locked_stock": "3 stock, sorted",
}
"""Statement or function → the place of its locks. The others skip what somebody else holds."""

NAME = re.compile(r"-- name: (\w+)|function (\w+)\(")
LOCK = re.compile(r"\bfor (?:no key update|update|key share|share)\b(?! of (?:each|every))(.*)")


def locks() -> Iterator[str]:
    """Statements and functions that wait for rows that somebody else holds."""
    for file in sorted(Path(ROOT, "store").rglob("*.sql")):
        if "migrations" in file.parts:
            continue
        name = ""
        for line in file.read_text(encoding="utf-8").splitlines():
            if found := NAME.search(line):
                name = found[1] or found[2]
            code = line.split("--")[0]
            lock = LOCK.search(code)
            if lock and "skip locked" not in lock[1]:
                yield f"{file.relative_to(ROOT).as_posix()} {name}"


def test_every_row_lock_has_its_place_in_the_sequence() -> None:
    assert sorted(set(locks())) == sorted(PLACES)


def test_stock_is_locked_by_one_function_alone() -> None:
    """What locks stock rows themselves would lock them in another sequence."""
    text = "\n".join(
        file.read_text(encoding="utf-8")
        for file in Path(ROOT, "store").rglob("*.sql")
        if "migrations" not in file.parts
    )
    assert re.findall(r"from (?:stock|inventory)\b[^;]*?\bfor (?:no key )?update", text) == [
        "from inventory i where i.sku = any(skus) order by i.sku for no key update"
    ]
