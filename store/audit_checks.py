"""What the audit looks for: the queries of `audit.sql`, and what to say of what each finds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Rule = Literal["stock", "lines", "money", "ledger", "provider", "purchases", "liveness"]


@dataclass(frozen=True)
class Check:
    """A query, and what to say about each row it finds; `{x_minor}` is shown as an amount.

    An empty rule: the row names it. `passing`: a call that its order no longer waits for may still
    be under way, which no row tells.
    """

    query: str
    rule: Rule | Literal[""]
    subject: str
    message: str
    passing: bool = False


_AT = "{sku} at {location}"
_LINE = "{order_id} line {line_id}"
_PURCHASE = "{po_id}, {sku}"

CHECKS = (
    Check("stock_is_its_movements", "stock", _AT, "{kept} {what}, but its movements say {moved}"),
    Check(
        "allocated_is_reserved", "stock", _AT, "{allocated} allocated, but {reserved} are reserved"
    ),
    Check(
        "set_aside_is_there", "stock", _AT, "{quantity} set aside of {unallocated} not allocated"
    ),
    Check(
        "set_aside_is_waited_for",
        "stock",
        _LINE,
        "{quantity} set aside for it, but it waits for {waits}",
    ),
    Check(
        "transfer_is_its_movements",
        "stock",
        "transfer {transfer_id}, {sku}",
        "{kept} {what}, but its movements say {moved}",
    ),
    Check(
        "goods_are_their_movements",
        "stock",
        "{part_id}, {sku}",
        "{what} changes stock by {units}, but its movements say {moved}",
    ),
    Check("stock_not_oversold", "stock", _AT, "{allocated} allocated of {on_hand} on hand"),
    Check("line_adds_up", "lines", _LINE, "{what}"),
    Check(
        "line_is_its_parts",
        "lines",
        _LINE,
        "{counted} {what}, but its claims, fulfilments and returns say {behind}",
    ),
    Check(
        "settled_line_is_done", "lines", _LINE, "the order is {decision}, but {units} are {what}"
    ),
    Check(
        "settled_fulfilment_is_done",
        "lines",
        "{fulfilment_id}",
        "the order is {decision}, but this fulfilment is {state}",
    ),
    Check(
        "money_in_order",
        "money",
        "{order_id}",
        "refunded {refunded_minor} ≤ owed {refund_granted_minor} ≤ captured {captured_minor} ≤ "
        "asked for {capture_granted_minor} ≤ authorized {authorized_minor} less released "
        "{released_minor} does not hold",
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
        "settled_accounts_are_even",
        "ledger",
        "{order_id}",
        "the order is {decision}, but its {account} come to {booked_minor} and not {due_minor}",
    ),
    Check(
        "provider_has_our_payments",
        "provider",
        "{order_id}",
        "{payment_key}: {kind} of {amount_minor} here, but the provider has {provider_kind} of "
        "{provider_minor} under this key and reference",
    ),
    Check(
        "provider_has_no_others",
        "provider",
        "{order_id}",
        "the provider has {kind} of {amount_minor} under {payment_key}, which is {state} here",
        passing=True,
    ),
    Check(
        "label_is_at_carrier",
        "provider",
        "{fulfilment_id}",
        "{state} with label {tracking_number}, of which the carrier has {sold}, {voided} voided",
    ),
    Check(
        "no_label_too_many",
        "provider",
        "{fulfilment_id}",
        "the carrier has {labels} labels for it that are not voided: {tracking_numbers}",
    ),
    Check(
        "recalled_label_is_voided",
        "provider",
        "{fulfilment_id}",
        "it was not sent and its order is {decision}, but the carrier still has label "
        "{tracking_number}",
        passing=True,
    ),
    Check(
        "purchase_line_adds_up",
        "purchases",
        _PURCHASE,
        "{received} received (of {receivable} that may be) and {cancelled} cancelled of {quantity}",
    ),
    Check(
        "purchase_is_its_movements",
        "purchases",
        _PURCHASE,
        "{received} received, but its movements say {moved}",
    ),
    Check("need_is_ordered_once", "purchases", _AT, "{orders} orders for one need"),
    Check(
        "settled_purchase_is_done",
        "purchases",
        "{po_id}",
        "the purchase order is {state}, but {units} units are outstanding",
    ),
)
