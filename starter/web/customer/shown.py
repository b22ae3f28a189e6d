"""What is on an order's page besides where its parts are: goods, money, papers, its story."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from domain.orders.providers import ELSEWHERE, EXCHANGE, GIFT_CARD, ON_ACCOUNT, VOUCHER
from domain.payments.payments import BY_HAND, STORE_CREDIT
from domain.sellers import address_lines
from starter.service.tracking import TrackedOrder
from starter.web.customer.parcels import is_under_way
from starter.web.kept import Sum, kept_worth
from starter.web.words import Words

GOODS_MAX: Final = 60
"""An order of 500 lines would be a page of 200 KB."""

_STORY_MAX: Final = 30
_TENDERS: Final[Mapping[str, str]] = {
    GIFT_CARD: "tender_gift_card",
    VOUCHER: "tender_voucher",
    STORE_CREDIT: "tender_store_credit",
    ELSEWHERE: "tender_elsewhere",
    ON_ACCOUNT: "tender_on_account",
    EXCHANGE: "tender_exchange",
    BY_HAND: "tender_by_hand",
}
_TOLD: Final[Mapping[str, str]] = {
    "received": "told_received",
    "confirmed": "told_confirmed",
    "rejected": "told_rejected",
    "held": "told_held",
    "released": "told_released",
    "hold ended": "told_released",
    "backordered": "told_backordered",
    "stock reserved, the rest is backordered": "told_backordered",
    "missing units backordered": "told_backordered",
    "fell back to backorder": "told_backordered",
    "backorder filled": "told_filled",
    "first day of sale moved": "told_moved",
    "promise at risk": "told_at_risk",
    "promise missed": "told_missed",
    "edited": "told_edited",
    "exchanged": "told_exchanged",
    "missing units cancelled": "told_units_cancelled",
    "ready to be collected": "told_ready",
    "appointment made": "told_time",
    "appointment moved": "told_time",
    "appointment missed": "told_time_missed",
    "shipped": "told_shipped",
    "waits at a pick-up point": "told_at_pickup_point",
    "pick-up ends soon": "told_pickup_ends",
    "delivered": "told_delivered",
    "undeliverable": "told_undeliverable",
    "lost": "told_lost",
    "charged": "told_charged",
    "authorize refused": "told_unpaid",
    "capture refused": "told_unpaid",
    "refund granted": "told_refund",
    "refunded": "told_refunded",
    "paid back elsewhere": "told_refunded",
    "return requested": "told_return_requested",
    "return approved": "told_return_approved",
    "return declined": "told_return_declined",
    "return cancelled": "told_return_cancelled",
    "overdue return closed": "told_return_cancelled",
    "return in transit": "told_return_in_transit",
    "return received": "told_return_received",
    "claimed goods are asked back": "told_return_approved",
    "claimed goods are back": "told_return_received",
    "claim made": "told_claim_made",
    "claim decided": "told_claim_decided",
}
"""The first words of a line of the story → what its customer reads. Other lines are for the shop:
`domain/notifications/event_types.py` lists all."""


@dataclass(frozen=True)
class Row:
    """A row with a name and what belongs to it; `notes`: what else is to be said of it."""

    name: str
    value: str
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Back:
    """A return. `label`: the last part of its id, where its label can be printed.

    `instead`: the number of the order of what the customer gets for it, and the token of its page.
    """

    heading: str
    status: str
    goods: tuple[str, ...]
    label: str = ""
    instead: tuple[str, str] | None = None


def state(order: TrackedOrder, words: Words) -> str:
    """How the whole order is doing, in a sentence."""
    if order.facts.awaits_payment:
        return words("state_unpaid")
    detail = order.detail
    if detail.summary.state == "in_fulfilment" and any(map(is_under_way, detail.fulfilments)):
        is_all = all(line.ordered == line.shipped + line.cancelled for line in detail.lines)
        return words("state_on_its_way" if is_all else "state_partly_on_its_way")
    return words(f"state_{detail.summary.state}")


def names(order: TrackedOrder) -> dict[str, str]:
    """Line id → what its customer calls it."""
    return {line.line_id: order.facts.names.get(line.sku, line.sku) for line in order.detail.lines}


def goods(order: TrackedOrder, words: Words) -> list[Row]:
    """The lines of an order with their worth now, with tax."""
    called = names(order)
    rows = []
    for line in order.detail.lines[:GOODS_MAX]:
        notes = [
            words.many(key, n)
            for key, n in (("cancelled_units", line.cancelled), ("returned_units", line.returned))
            if n
        ]
        kept = kept_worth(order.detail, line, order.worth)
        worth = Sum(line.goods_minor + line.tax_minor, kept.goods + kept.tax)
        name = words("units", n=words.number(line.ordered), name=called[line.line_id])
        rows.append(_sum(order, words, name, worth, *notes))
    return rows


def besides(order: TrackedOrder, words: Words) -> list[Row]:
    """What the order costs besides its goods: shipping, and fees with what a till has rounded."""
    lines, summary = order.detail.lines, order.detail.summary
    goods_minor = sum(line.goods_minor + line.tax_minor for line in lines)
    shipping = sum(line.shipping_minor + line.shipping_tax_minor for line in lines)
    kept = [kept_worth(order.detail, line, order.worth) for line in lines]
    shipping_now = sum(one.shipping + one.shipping_tax for one in kept)
    other = summary.total_minor - goods_minor - shipping
    return [
        _sum(order, words, words(key), worth)
        for key, worth in (("shipping", Sum(shipping, shipping_now)), ("fees", Sum(other, other)))
        if worth.was
    ]


def _total(order: TrackedOrder) -> Sum:
    """What it costs: less for what is cancelled. What was paid back besides is a row of its own."""
    was = order.detail.summary.total_minor
    less = 0
    for line in order.detail.lines:
        whole = line.goods_minor + line.tax_minor + line.shipping_minor + line.shipping_tax_minor
        less += whole - kept_worth(order.detail, line, order.worth).total
    return Sum(was, was - less)


def _sum(order: TrackedOrder, words: Words, name: str, worth: Sum, *notes: str) -> Row:
    """A row of an amount, which says what it was if it was another one."""
    currency = order.detail.summary.currency
    if worth.was != worth.now:
        notes = (*notes, words("as_ordered", amount=words.money(worth.was, currency)))
    return Row(name, words.money(worth.now, currency), notes)


def money(order: TrackedOrder, words: Words) -> list[Row]:
    """What the order costs, what was paid and paid back, and what is to be paid back yet."""
    summary = order.detail.summary
    currency = summary.currency
    sums: dict[tuple[str, str], int] = {}
    for payment in order.detail.payments:
        if payment.state == "succeeded" and payment.kind in ("capture", "refund"):
            way = (payment.kind, _TENDERS.get(payment.provider, "tender_online"))
            sums[way] = sums.get(way, 0) + payment.amount_minor
    rows = [_sum(order, words, words("total"), _total(order))]
    for kind, key in (("capture", "paid"), ("refund", "paid_back")):
        rows += [
            Row(words(key), words.money(minor, currency), (words(tender),))
            for (what, tender), minor in sums.items()
            if what == kind
        ]
    if not sums:
        rows.append(Row(words("paid"), words("nothing_paid")))
    elif _has_more_to_charge(order):
        rows.append(Row(words("the_rest"), words("when_sent")))
    owed = sum(refund.unissued for refund in order.detail.refunds)
    if owed > 0:
        rows.append(Row(words("to_be_paid_back"), words.money(owed, currency)))
    return rows


def _has_more_to_charge(order: TrackedOrder) -> bool:
    """Whether parcels that are still to leave are charged as they do."""
    if order.facts.policy.charge != "at_shipment":
        return False
    left = (line for line in order.detail.lines if line.ordered > line.shipped + line.cancelled)
    return any(line.charged + line.cancelled + line.lost < line.ordered for line in left)


def papers(order: TrackedOrder, words: Words) -> list[str]:
    """The documents of an order, as they are named on its page."""
    return [
        f"{words(f'document_{one.kind}', number=one.number)} "
        f"{words('of_day', day=words.day(one.issued_on))}"
        for one in order.documents
    ]


def returns(order: TrackedOrder, words: Words) -> list[Back]:
    """What comes back, or shall."""
    called = names(order)
    others = {
        one.return_id: (one.number, order.exchange_tokens[one.return_id])
        for one in order.facts.exchanges
        if one.return_id in order.exchange_tokens
    }
    found = []
    for one in order.detail.returns:
        asked = one.kind in ("customer", "claimed")
        heading = words("return_named", number=one.return_id)
        status = words(
            f"return_{one.state}", **({"number": one.return_id} if one.state == "approved" else {})
        )
        units = tuple(
            words("units", n=words.number(line["quantity"]), name=called[line_id])
            for line_id, line in one.lines.items()
        )
        label = one.return_id.rpartition(":")[2] if one.state == "approved" and asked else ""
        found.append(
            Back(
                heading if asked else words("return_undeliverable"),
                *(status, units, label),
                others.get(one.return_id),
            )
        )
    return found


def claims(order: TrackedOrder, words: Words) -> list[Row]:
    """What the customer said was wrong, and what was decided."""
    return [
        Row(words(f"claim_{one.kind}"), words(f"claim_{one.decision or 'open'}"))
        for one in reversed(order.claims)
    ]


def messages(order: TrackedOrder, words: Words) -> list[tuple[str, str]]:
    """What was sent to the customer: the moment and what it was about, newest first."""
    return [
        (words.moment(one.sent_at), words(f"message_{one.kind}"))
        for one in order.messages
        if one.sent_at is not None
    ]


def address(order: TrackedOrder, words: Words) -> list[str]:
    """Where it goes, line by line; nothing of what is not sent."""
    place = order.detail.document.get("shipping", {}).get("address")
    if not place:
        return []
    known = _Place(**{name: place.get(name) for name in _PLACE})
    country = words.country(place["country"])
    lines = (place.get("name"), place.get("company"), *address_lines(known), country)
    return [line for line in lines if line]


_PLACE: Final = ("line1", "line2", "postal_code", "city", "region")


@dataclass(frozen=True)
class _Place:
    line1: str | None
    line2: str | None
    postal_code: str | None
    city: str | None
    region: str | None
    country: None = None  # it is told by its name


def story(order: TrackedOrder, words: Words) -> list[tuple[str, str]]:
    """What has happened that matters to the customer: the moment and a sentence, newest first."""
    events = order.detail.story
    cancelled = [n for n, event in enumerate(events) if event.what.split(":")[0] == "cancelled"]
    ends = {*cancelled[-1:]} if order.detail.summary.state == "cancelled" else set()
    told: list[tuple[str, str]] = []
    for number, event in enumerate(events):
        word = event.what.split(":")[0]
        key = _TOLD.get(word)
        if word == "cancelled":
            key = "told_cancelled" if number in ends else "told_units_cancelled"
        elif event.what == "held: payment":  # what was refused is told, and what to do
            key = None
        if key is not None:
            row = (words.moment(event.at), words(key))
            if row not in told[-3:]:
                told.append(row)
    return told[-_STORY_MAX:][::-1]
