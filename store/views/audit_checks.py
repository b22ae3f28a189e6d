"""The audit's checks: the queries of `audit.sql`, and a sentence for the rows that each finds."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from domain.money import Money
from store.database import Connection, Record, load_queries

_sql = load_queries(__file__, "audit")

Rule = Literal[
    "stock",
    "lines",
    "money",
    "ledger",
    "documents",
    "provider",
    "purchases",
    "customers",
    "messages",
    "figures",
    "liveness",
]


class Violation(BaseModel):
    """A broken invariant: its name, its subject (an order or a SKU), and the details.

    `seller`: whose it is; None where it is nobody's in particular.
    """

    model_config = ConfigDict(frozen=True)

    rule: Rule
    subject: str
    message: str
    seller: str | None = None


@dataclass(frozen=True)
class _Check:
    """A query, and the sentence about each row it finds; `{x_minor}` is shown as an amount.

    With an empty rule, the row names it. `passing`: a call whose order no longer waits for it may
    still be under way, and no row can tell.
    """

    query: str
    rule: Rule | Literal[""]
    subject: str
    message: str
    passing: bool = False


_OWNED = ("order_id", "po_id", "location")
_AT = "{sku} at {location}"
_LINE = "{order_id} line {line_id}"
_PURCHASE = "{po_id}, {sku}"

_CHECKS = (
    _Check("stock_is_its_movements", "stock", _AT, "{kept} {what}, but its movements say {moved}"),
    _Check(
        "allocated_is_reserved", "stock", _AT, "{allocated} allocated, but {reserved} are reserved"
    ),
    _Check(
        "soft_reserved_is_there",
        "stock",
        _AT,
        "{quantity} soft-reserved of {unallocated} not allocated",
    ),
    _Check(
        "soft_reserved_is_waited_for",
        "stock",
        _LINE,
        "{quantity} soft-reserved for it, but it waits for {waits}",
    ),
    _Check(
        "transfer_is_its_movements",
        "stock",
        "transfer {transfer_id}, {sku}",
        "{kept} {what}, but its movements say {moved}",
    ),
    _Check(
        "goods_are_their_movements",
        "stock",
        "{part_id}, {sku}",
        "{what} changes stock by {units}, but its movements say {moved}",
    ),
    _Check("stock_not_oversold", "stock", _AT, "{allocated} allocated of {on_hand} on hand"),
    _Check(
        "codes_are_stock", "stock", _AT, "{on_hand} on hand, but there are {free} codes to sell"
    ),
    _Check(
        "codes_are_given",
        "stock",
        "{fulfilment_id}",
        "{units} units of it are digital, but {given} codes were given out for it",
    ),
    _Check(
        "work_is_where_its_goods_are",
        "stock",
        "{fulfilment_id}",
        "its workshop's work is {work}, but it is {state} here",
    ),
    _Check("line_adds_up", "lines", _LINE, "{what}"),
    _Check(
        "total_is_its_lines",
        "lines",
        "{order_id}",
        "its total is {total_minor}, but its lines come to {lines_minor}",
    ),
    _Check(
        "version_is_its_lines",
        "lines",
        _LINE,
        "its present version says {told} units, but {ordered} are ordered",
    ),
    _Check(
        "order_is_in_its_state",
        "lines",
        "{order_id}",
        "its {what} is kept as {kept}, but by its units it is {computed}",
    ),
    _Check(
        "line_is_its_parts",
        "lines",
        _LINE,
        "{counted} {what}, but its claims, fulfilments and returns say {behind}",
    ),
    _Check(
        "settled_line_is_done", "lines", _LINE, "the order is {decision}, but {units} are {what}"
    ),
    _Check(
        "settled_fulfilment_is_done",
        "lines",
        "{fulfilment_id}",
        "the order is {decision}, but this fulfilment is {state}",
    ),
    _Check(
        "money_in_order",
        "money",
        "{order_id}",
        "refunded {refunded_minor} ≤ owed {refund_granted_minor} ≤ charged {charged_minor}, or "
        "refunded ≤ captured {captured_minor} ≤ asked for {capture_granted_minor} ≤ charged, or "
        "asked for ≤ authorized {authorized_minor} less released {released_minor} does not hold",
    ),
    _Check(
        "money_is_its_payments",
        "money",
        "{order_id}",
        "{kept_minor} {what}, but its payments say {done_minor}",
    ),
    _Check(
        "money_is_worth_of_units",
        "",
        "{order_id}",
        "{kept_minor} {what}, but by the units paid for it is {worth_minor}",
    ),
    _Check(
        "tally_is_its_parts",
        "money",
        _LINE,
        "{counted} units {what}, but its charges, refunds, invoices and returns say {behind}",
    ),
    _Check(
        "tallies_add_up",
        "money",
        "{order_id}",
        "its lines are {what} {kept_minor}, but its charges, refunds and documents say "
        "{done_minor}",
    ),
    _Check(
        "refund_is_within_what_was_charged",
        "money",
        "{order_id}",
        "{given_minor} is owed back for {what}, of which {taken_minor} can have been charged",
    ),
    _Check(
        "settled_line_is_paid",
        "money",
        _LINE,
        "{charged} units charged and {refunded} refunded, but {shipped} shipped, {returned} "
        "returned, {lost} lost and {conceded} paid back as they are",
    ),
    _Check(
        "settled_money_is_done",
        "money",
        "{order_id}",
        "the order is {decision}, but {amount_minor} is {what}",
    ),
    _Check(
        "settled_order_is_not_held",
        "money",
        "{order_id}",
        "the order is {decision}, but it is held: {note}",
    ),
    _Check(
        "exchange_is_even",
        "money",
        "{order_id}",
        "{return_id} has paid {given_minor} to it, but it has {used_minor} of that",
    ),
    _Check(
        "entry_balances",
        "ledger",
        "{order_id}",
        "entry {effect} has {postings} postings in {currency} that add up to {sum_minor}",
    ),
    _Check(
        "entry_is_a_payment",
        "ledger",
        "{order_id}",
        "{payment_key}: {paid_minor} was paid, but {booked_minor} is booked",
    ),
    _Check(
        "accounts_are_what_is_owed",
        "ledger",
        "{order_id}",
        "the order is {decision}, and its {account} come to {booked_minor} and not {due_minor}",
    ),
    _Check(
        "provider_has_our_payments",
        "provider",
        "{order_id}",
        "{payment_key}: {kind} of {amount_minor} here, but the provider has {provider_kind} of "
        "{provider_minor} under this key and reference",
    ),
    _Check(
        "provider_has_no_others",
        "provider",
        "{order_id}",
        "the provider has {kind} of {amount_minor} under {payment_key}, which is {state} here: "
        "`orderloom reconcile --day {day}`",
        passing=True,
    ),
    _Check(
        "label_is_at_carrier",
        "provider",
        "{fulfilment_id}",
        "{state} with label {tracking_number}, of which the carrier has {sold}, {voided} voided",
    ),
    _Check(
        "no_label_too_many",
        "provider",
        "{fulfilment_id}",
        "the carrier has {labels} labels for it that are not voided: {tracking_numbers}",
    ),
    _Check(
        "recalled_label_is_voided",
        "provider",
        "{fulfilment_id}",
        "it was not sent and its order is {decision}, but the carrier still has label "
        "{tracking_number}",
        passing=True,
    ),
    _Check(
        "label_is_of_the_present_way",
        "provider",
        "{fulfilment_id}",
        "its label is of the service {service}, and its order goes by {wanted}",
    ),
    _Check(
        "purchase_line_adds_up",
        "purchases",
        _PURCHASE,
        "{received} received (of {receivable} that may be) and {cancelled} cancelled of {quantity}",
    ),
    _Check(
        "purchase_is_its_movements",
        "purchases",
        _PURCHASE,
        "{received} received, but its movements say {moved}",
    ),
    _Check("need_is_ordered_once", "purchases", _AT, "{orders} orders for one need"),
    _Check(
        "settled_purchase_is_done",
        "purchases",
        "{po_id}",
        "the purchase order is {state}, but {units} units are outstanding",
    ),
    _Check(
        "dispute_is_held",
        "money",
        "{order_id}",
        "{disputed_minor} is disputed, but {held_minor} is held and {booked_minor} is booked",
    ),
    _Check(
        "numbers_have_no_holes",
        "documents",
        "{kind} {series} of {seller}",
        "{given} numbers up to {last_number} were given, but there are {documents}, and the last "
        "is {last}",
    ),
    _Check(
        "document_adds_up",
        "documents",
        "{number}",
        "{what} of {kept_minor}, but what is printed adds up to {printed_minor}",
    ),
    _Check(
        "document_is_dated_in_order",
        "documents",
        "{number}",
        "it is of {issued_on}, but the one before it of {before}",
    ),
    _Check(
        "order_is_of_one_seller",
        "ledger",
        "{order_id}",
        "it is sold by {seller}, but {what} is in the books of {whose}",
    ),
    _Check(
        "sellers_agree",
        "ledger",
        "{seller} and {counterpart}",
        "what one claims is not what the other owes: {owed_minor} more",
    ),
    _Check(
        "document_is_of_its_entrys_month",
        "documents",
        "{number}",
        "it is of {issued_on}, but booked on {booked_on}: the books of the month differ",
    ),
    _Check(
        "tax_of_a_month_is_booked",
        "ledger",
        "{month} of {seller}",
        "the month's documents say {printed_minor} of {what}, but {booked_minor} is booked",
    ),
    _Check(
        "entry_is_before_its_closing",
        "ledger",
        "{order_id}",
        "entry {effect} of {booked_on} was written after {through} was closed",
    ),
    _Check(
        "inventory_is_stock",
        "ledger",
        "{sku}",
        "{quantity} units in the books of {seller}, but {owned} on its shelves and under way from "
        "there",
    ),
    _Check(
        "inventory_value_is_booked",
        "ledger",
        "{sku}",
        "those of {seller} have cost {kept_minor}, but by what is booked ({what}) it is "
        "{said_minor}",
    ),
    _Check(
        "inventory_account_is_its_goods",
        "ledger",
        "{order_id}",
        "entry {effect} books {booked_minor} as inventory, but its goods are {goods_minor}",
    ),
    _Check(
        "credit_is_its_operations",
        "money",
        "{part}",
        "{kept_minor} {what}, but its operations say {done_minor}",
    ),
    _Check(
        "carrier_claim_is_booked",
        "ledger",
        "{order_id}",
        "carriers owe {owed_minor} for its parcels, but {booked_minor} is booked",
    ),
    _Check(
        "carrier_fee_is_booked",
        "ledger",
        "{order_id}",
        "carriers charge {owed_minor} for parcels that they stopped, but {booked_minor} is booked",
    ),
    _Check(
        "credit_is_booked",
        "ledger",
        "{key}",
        "{given_minor} given, but {booked_minor} is booked as {account}",
    ),
    _Check(
        "credit_has_our_payments",
        "provider",
        "{order_id}",
        "{payment_key}: {here} of {kept_minor} here, but {there} of {done_minor} there",
        passing=True,
    ),
    _Check("order_has_its_customer", "customers", "{order_id}", "{what}"),
    _Check("customer_has_an_order", "customers", "{customer}", "is known, and has no order"),
    _Check(
        "merge_is_on_record",
        "customers",
        "{customer}",
        "is merged into {kept}, but its merges say {said}",
    ),
    _Check(
        "merged_into_one_who_stands_alone",
        "customers",
        "{customer}",
        "is merged into {other}, who is {what}",
    ),
    _Check(
        "erased_customer_is_forgotten",
        "customers",
        "{customer}",
        "is erased, but has {rows} {what}",
    ),
    _Check(
        "erased_person_has_no_answers",
        "customers",
        "{order_id}",
        "its person is erased, but {answers} answers of mail servers are kept",
    ),
    _Check(
        "event_has_its_message",
        "messages",
        "{order_id}",
        "its customer was to be told of event {event_id} ({type}), but there is no message",
    ),
    _Check(
        "mail_has_an_id_of_its_own",
        "messages",
        "{order_id}",
        "{messages} messages were sent as {mail_id}: a mailbox takes them for one mail",
    ),
    _Check(
        "sent_message_says_as_what",
        "messages",
        "{order_id}",
        "message {event_id} is sent, but nobody has noted by what, and under which id",
    ),
)


async def faults(conn: Connection) -> tuple[tuple[Violation, ...], tuple[Violation, ...]]:
    """The certain faults, and those that may be calls still under way."""
    rows = [(check, row) for check in _CHECKS async for row in getattr(_sql, check.query)(conn)]
    named = {row[name] for _, row in rows for name in _OWNED if name in row}
    sellers = await owners(conn, named - {None})
    found: dict[bool, list[Violation]] = {False: [], True: []}
    for check, row in rows:
        found[check.passing].append(_violation(check, row, sellers))
    return tuple(found[False]), tuple(found[True])


async def owners(conn: Connection, subjects: Iterable[str]) -> dict[str, str]:
    """Order, purchase order or location → whose it is."""
    wanted = sorted(set(subjects))
    if not wanted:
        return {}
    return {row["subject"]: row["seller"] async for row in _sql.owners(conn, subjects=wanted)}


def _violation(check: _Check, row: Record, sellers: Mapping[str, str]) -> Violation:
    whose = [row["seller"]] if "seller" in row else []
    whose += [sellers[row[name]] for name in _OWNED if name in row and row[name] in sellers]
    values = {name: _shown(name, value, row) for name, value in row.items()}
    return Violation(
        rule=check.rule or row["rule"],
        subject=check.subject.format(**values),
        message=check.message.format(**values),
        seller=next(iter(whose), None),
    )


def _shown(name: str, value: Any, row: Record) -> str:
    if value is None:
        return "none"
    if name.endswith("_minor"):
        return str(Money(minor=int(value), currency=row["currency"]))
    return str(value)
