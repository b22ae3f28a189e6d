"""Customers on a terminal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from domain.customers.ids import customer_id
from domain.orders.people import Address
from domain.words import count_of
from starter.cli.customers.care import told, wish
from starter.cli.terminal.output import Output, local, money, wire
from starter.service.customer_pages import CustomerPage
from store.customers.finding import FoundCustomer
from store.customers.pages import Happening, KnownAs, Sums

_KINDS: Final[Mapping[str, str]] = {
    "customer_id": "the channel's id",
    "email": "mail address",
    "tax_number": "tax number",
    "locale": "language",
    "billing": "billed to",
}
_FIELDS: Final = tuple(Address.model_fields)


def customers_found(found: Sequence[FoundCustomer], limit: int, out: Output) -> None:
    """Customers on a line each, `limit` of them."""
    shown = found[:limit]
    if out.as_json:
        rows = [
            {
                "customer_id": customer_id(one.customer_no),
                **one.model_dump(mode="json", exclude={"customer_no"}),
            }
            for one in shown
        ]
        out.document({"customers": rows, "more": len(found) > limit})
        return
    if not shown:
        out.say("no customers")
        return
    out.table(
        ("customer", "name", "mail address", "phone", ">orders", "last order", "placed"),
        [
            (
                *(customer_id(one.customer_no), one.name, one.email, one.phone),
                *(one.orders, one.last_order_id, local(one.last_order_at)),
            )
            for one in shown
        ],
    )
    if len(found) > limit:
        out.say(f"… and more: --limit shows more than {limit}")


def tell_page(page: CustomerPage, out: Output) -> None:
    """A customer's page."""
    if out.as_json:
        out.document(_document(page))
        return
    out.say(f"customer {page.customer_id}, known since {local(page.known_since)}")
    for merged in page.merged:
        out.say(f"  {merged} is merged into it")
    for one in page.known_as:
        out.say(f"  {_KINDS.get(one.kind, one.kind)}: {_value(one)}")
    for sums in page.sums:
        out.say(_sums(sums))
    for account in page.credit:
        out.say(f"store credit: {money(account.balance_minor, account.currency)}")
    for voucher in page.vouchers:
        kind = voucher.kind.replace("_", " ")
        out.say(f"{kind}: {money(voucher.balance_minor, voucher.currency)}, {voucher.state}")
    out.say()
    out.table(
        ("order", "state", "placed", ">total", ">paid", ">paid back", "currency"),
        [
            (
                *(one.order_id, one.state, local(one.placed_at)),
                *(_amount(x, one.currency) for x in (one.total_minor, one.paid_minor)),
                *(_amount(one.paid_back_minor, one.currency), one.currency),
            )
            for one in page.orders
        ],
    )
    _tell_rest(page, out)


def _tell_rest(page: CustomerPage, out: Output) -> None:
    if page.happened:
        out.say()
    for happening in page.happened:
        out.say(_happening(happening))
    for message in page.messages:
        out.say(f"message {message.message}: {message.kind}, {message.state.replace('_', ' ')}")
    for note in page.notes:
        out.say(f"note of {told(note)}")
    if page.segments:
        out.say(f"segments: {', '.join(page.segments)}")
    for consent in page.consent:
        out.say(wish(consent))
    if page.tasks:
        out.say()
        out.say(f"to do: {count_of(len(page.tasks), 'task')}")
    for task in page.tasks:
        out.say(f"  {task.order_id}: {task.kind} {task.id}: {task.what}, since {local(task.since)}")


def _document(page: CustomerPage) -> dict[str, Any]:
    rows = (
        "known_as",
        "sums",
        "orders",
        "happened",
        "tasks",
        "credit",
        "vouchers",
        "notes",
        "messages",
    )
    content: dict[str, Any] = {
        "customer_id": page.customer_id,
        "merged": list(page.merged),
        "segments": list(page.segments),
        "known_since": page.known_since.isoformat(),
        **{name: [wire(row) for row in getattr(page, name)] for name in rows},
        "consent": [
            {
                "kind": one.kind,
                "given": one.given,
                "said": [word.model_dump(mode="json") for word in one.said],
            }
            for one in page.consent
        ],
    }
    for sums, row in zip(page.sums, content["sums"], strict=True):
        row["returned_percent"] = str(sums.returned_percent)
    return content


def _value(one: KnownAs) -> str:
    if isinstance(one.value, str):
        return one.value
    return ", ".join(str(one.value[name]) for name in _FIELDS if one.value.get(name))


def _sums(sums: Sums) -> str:
    told = (
        f"{count_of(sums.orders, 'order')} in {sums.currency}: "
        f"ordered {money(sums.ordered_minor, sums.currency)}, "
        f"paid {money(sums.paid_minor, sums.currency)}, "
        f"paid back {money(sums.paid_back_minor, sums.currency)}"
    )
    if sums.owed_back_minor:
        told += f", owed back {money(sums.owed_back_minor, sums.currency)}"
    return f"{told}; {sums.returned_percent} % of the delivered units came back"


def _amount(minor: int, currency: str) -> str:
    return money(minor, currency).rpartition(" ")[0]


def _happening(one: Happening) -> str:
    worth = "" if one.amount_minor is None else f" {money(one.amount_minor, str(one.currency))}"
    state = one.state.replace("_", " ")
    return f"{one.kind} {one.id}{worth}: {state}, {local(one.at)}: {one.reason}"
