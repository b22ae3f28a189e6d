"""What must be true of money: what is charged, paid back, disputed and given as credit."""

from __future__ import annotations

from typing import Final

from store.database import load_queries
from store.views.audited.check import Check, Checks

_sql = load_queries(__file__)

_LINE: Final = "{order_id} line {line_id}"

_OF: Final = (
    Check(
        "money_in_order",
        "money",
        "{order_id}",
        "refunded {refunded_minor} ≤ owed {refund_granted_minor} ≤ charged {charged_minor}, or "
        "refunded ≤ captured {captured_minor} ≤ asked for {capture_granted_minor} ≤ charged, or "
        "asked for ≤ authorized {authorized_minor} less released {released_minor} does not hold",
    ),
    Check(
        "money_is_its_payments",
        "money",
        "{order_id}",
        "{kept_minor} {what}, but its payments say {done_minor}",
    ),
    Check(
        "money_is_worth_of_units",
        "",
        "{order_id}",
        "{kept_minor} {what}, but by the units paid for it is {worth_minor}",
    ),
    Check(
        "tally_is_its_parts",
        "money",
        _LINE,
        "{counted} units {what}, but its charges, refunds, invoices and returns say {behind}",
    ),
    Check(
        "tallies_add_up",
        "money",
        "{order_id}",
        "its lines are {what} {kept_minor}, but its charges, refunds and documents say "
        "{done_minor}",
    ),
    Check(
        "refund_is_within_what_was_charged",
        "money",
        "{order_id}",
        "{given_minor} is owed back for {what}, of which {taken_minor} can have been charged",
    ),
    Check(
        "settled_line_is_paid",
        "money",
        _LINE,
        "{charged} units charged and {refunded} refunded, but {shipped} shipped, {returned} "
        "returned, {lost} lost and {conceded} paid back as they are",
    ),
    Check(
        "settled_money_is_done",
        "money",
        "{order_id}",
        "the order is {decision}, but {amount_minor} is {what}",
    ),
    Check(
        "settled_order_is_not_held",
        "money",
        "{order_id}",
        "the order is {decision}, but it is held: {note}",
    ),
    Check(
        "exchange_is_even",
        "money",
        "{order_id}",
        "{return_id} has paid {given_minor} to it, but it has {used_minor} of that",
    ),
    Check(
        "dispute_is_held",
        "money",
        "{order_id}",
        "{disputed_minor} is disputed, but {held_minor} is held and {booked_minor} is booked",
    ),
    Check(
        "credit_is_its_operations",
        "money",
        "{part}",
        "{kept_minor} {what}, but its operations say {done_minor}",
    ),
    Check(
        "credit_is_booked",
        "ledger",
        "{key}",
        "{given_minor} given, but {booked_minor} is booked as {account}",
    ),
    Check(
        "credit_has_our_payments",
        "provider",
        "{order_id}",
        "{payment_key}: {here} of {kept_minor} here, but {there} of {done_minor} there",
        passing=True,
    ),
)

CHECKS: Final = Checks(_sql, _OF)
