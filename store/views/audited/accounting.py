"""What must be true of the books, and of invoices and credit notes."""

from __future__ import annotations

from typing import Final

from store.database import load_queries
from store.views.audited.check import Check, Checks

_sql = load_queries(__file__)

_OF: Final = (
    Check(
        "entry_balances",
        "ledger",
        "{order_id}",
        "entry {effect} has {postings} postings in {currency} that add up to {sum_minor}",
    ),
    Check(
        "entry_is_a_payment",
        "ledger",
        "{order_id}",
        "{payment_key}: {paid_minor} was paid, but {booked_minor} is booked",
    ),
    Check(
        "accounts_are_what_is_owed",
        "ledger",
        "{order_id}",
        "the order is {decision}, and its {account} come to {booked_minor} and not {due_minor}",
    ),
    Check(
        "numbers_have_no_holes",
        "documents",
        "{kind} {series} of {seller}",
        "{given} numbers up to {last_number} were given, but there are {documents}, and the last "
        "is {last}",
    ),
    Check(
        "document_adds_up",
        "documents",
        "{number}",
        "{what} of {kept_minor}, but what is printed adds up to {printed_minor}",
    ),
    Check(
        "document_is_dated_in_order",
        "documents",
        "{number}",
        "it is of {issued_on}, but the one before it of {before}",
    ),
    Check(
        "order_is_of_one_seller",
        "ledger",
        "{order_id}",
        "it is sold by {seller}, but {what} is in the books of {whose}",
    ),
    Check(
        "sellers_agree",
        "ledger",
        "{seller} and {counterpart}",
        "what one claims is not what the other owes: {owed_minor} more",
    ),
    Check(
        "document_is_of_its_entrys_month",
        "documents",
        "{number}",
        "it is of {issued_on}, but booked on {booked_on}: the books of the month differ",
    ),
    Check(
        "tax_of_a_month_is_booked",
        "ledger",
        "{month} of {seller}",
        "the month's documents say {printed_minor} of {what}, but {booked_minor} is booked",
    ),
    Check(
        "entry_is_before_its_closing",
        "ledger",
        "{order_id}",
        "entry {effect} of {booked_on} was written after {through} was closed",
    ),
    Check(
        "closed_balance_is_its_entries",
        "ledger",
        "{seller}",
        "{account} through {through} is carried forward as {kept_minor}, but {booked_minor} is "
        "booked",
    ),
    Check(
        "book_day_is_its_entries",
        "ledger",
        "{seller}",
        "{day} is added up to {kept} ({what}), but {booked} is booked",
    ),
    Check(
        "inventory_is_stock",
        "ledger",
        "{sku}",
        "{quantity} units in the books of {seller}, but {owned} on its shelves and under way from "
        "there",
    ),
    Check(
        "inventory_value_is_booked",
        "ledger",
        "{sku}",
        "those of {seller} have cost {kept_minor}, but by what is booked ({what}) it is "
        "{said_minor}",
    ),
    Check(
        "inventory_account_is_its_goods",
        "ledger",
        "{order_id}",
        "entry {effect} books {booked_minor} as inventory, but its goods are {goods_minor}",
    ),
    Check(
        "carrier_claim_is_booked",
        "ledger",
        "{order_id}",
        "carriers owe {owed_minor} for its parcels, but {booked_minor} is booked",
    ),
    Check(
        "carrier_fee_is_booked",
        "ledger",
        "{order_id}",
        "carriers charge {owed_minor} for parcels that they stopped, but {booked_minor} is booked",
    ),
)

CHECKS: Final = Checks(_sql, _OF)
