"""Which returns are approved, refused, or put before a person: rules as data, and the decision.

A rule holds for a seller, a channel and a category of items, each of them or any. Where several
hold for a line, the most exact one that says something about a term counts: one for the category
before one for the channel, that before one for the seller, and the order's own policy last.

They count as they are when a return is asked for, so a window that is made longer before Christmas
is longer at once.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Final, Literal

from pydantic import AfterValidator, Field

from domain.aftersales.conditions import Condition, Disposition
from domain.errors import InvalidInput, Refused
from domain.fields import Amount, Currency, Document, Flag, Id, Printable, inconsistent
from domain.money import limit_minor, to_minor
from domain.orders.handling import Category
from domain.orders.return_messages import FAULT_OF_THE_SELLER, ReturnReason
from domain.sellers import Code

Percent = Annotated[int, Field(strict=True, ge=0, le=100)]

UNITS_OF_A_RECORD: Final = 5
"""Who has bought fewer units than this has no record that a rule could judge."""


class Limit(Document):
    """An amount in a currency. It says nothing about orders in another currency."""

    amount: Amount
    currency: Currency

    def minor(self, currency: str) -> int | None:
        """The limit in minor units; None for an order in another currency."""
        return limit_minor(self.amount, currency) if currency == self.currency else None


def _can_be_paid(fee: Limit) -> Limit:
    """A fee is taken off what is paid back, so it is no finer than its currency."""
    try:
        to_minor(fee.amount, fee.currency)
    except InvalidInput as error:
        raise inconsistent("amount", str(error)) from None
    return fee


class ReturnTerms(Document):
    """On which terms units come back. What is left out is what a less exact rule says."""

    window_days: Annotated[int, Field(strict=True, ge=0, le=3650)] | None = None
    """So many days after the last delivery a return may be requested."""
    final_sale: Flag | None = None
    """Not taken back, unless the seller is at fault."""
    reasons: Annotated[tuple[ReturnReason, ...], Field(min_length=1)] | None = None
    """Only for these."""
    review_above: Limit | None = None
    """A person decides about a return that is worth more."""
    review_share_percent: Percent | None = None
    """A person decides about customers who have sent back a larger share of all their units."""
    review_listed: Id | None = None
    """A person decides about customers on this list (`orderloom holds put-on`)."""
    restocking_percent: dict[Condition, Percent] | None = None
    """What restocking costs the customer, as a share of what the units cost, by their condition.

    Nothing where the seller is at fault."""
    outbound_postage: Literal["refunded", "kept"] | None = None
    """Whether a unit's share of the outward shipping is paid back. It is where the seller is at
    fault. The law of the EU wants it back for a withdrawal (Directive 2011/83/EU, article 13)."""
    dispositions: dict[Condition, Disposition] | None = None
    """What becomes of goods, by their condition."""
    label: Literal["free", "paid", "none"] | None = None
    """Whether a label is bought for the parcel. `paid`: the customer pays `label_fee`, which is
    taken off what is paid back; free all the same where the seller is at fault."""
    label_fee: Annotated[Limit, AfterValidator(_can_be_paid)] | None = None
    """Tax included. Orders in another currency have it free."""
    label_service: Printable | None = None
    """The carrier's service; without it, that by which the order was sent."""
    instant_refund: Literal["never", "trusted", "always"] | None = None
    """Paid back as soon as a carrier has the parcel: to customers on `trusted_list`, or to all."""
    instant_refund_up_to: Limit | None = None
    """Not for returns that pay back more, nor for orders in another currency."""
    trusted_list: Id | None = None
    not_returned: Literal["ask", "write_off"] | None = None
    """What was paid back at once and does not come back, or in a worse condition: a person is
    asked, or it is let be."""
    refurbish_at: Id | None = None
    """A retired location: what is put there is not sold until it is sent on from there."""

    def over(self, usual: ReturnTerms) -> ReturnTerms:
        """These terms, and the usual ones where these say nothing."""
        said = {k: v for k in ReturnTerms.model_fields if (v := getattr(self, k)) is not None}
        return usual.model_copy(update=said)


class ReturnRule(ReturnTerms):
    """Terms, and for which sales they hold. None: for any."""

    seller: Code | None = None
    channel: Code | None = None
    category: Category | None = None

    @property
    def scope(self) -> tuple[str | None, str | None, str | None]:
        """For which seller, channel and category."""
        return self.seller, self.channel, self.category


class ReturnRules(Document):
    """All rules of a shop, as `orderloom returns set-rules` reads them."""

    rules: Annotated[tuple[ReturnRule, ...], Field(max_length=1000)] = ()


@dataclass(frozen=True)
class AskedLine:
    """Units of a line that shall come back, and what the rules ask about them."""

    line_id: str
    quantity: int
    reason: ReturnReason
    worth_minor: int
    terms: ReturnTerms


@dataclass(frozen=True)
class Record:
    """What a customer has received and sent back so far, in units, over all orders."""

    delivered: int
    returned: int


@dataclass(frozen=True)
class Asked:
    """A request to send units back, and what is known about its order.

    `asked_at`: when the customer asked, however much later it is decided. `delivered_at`: the last
    delivery. `usual_window`: where no rule names another. `late`: an agent takes it also after the
    window. `lists`: on which the customer or the address is.
    """

    lines: Sequence[AskedLine]
    currency: str
    asked_at: datetime
    delivered_at: datetime
    usual_window: timedelta
    record: Record
    late: bool = False
    lists: frozenset[str] = frozenset()


Ask = Literal["worth_more", "returns_much", "is_listed"]


@dataclass(frozen=True)
class Decision:
    """Approved, or a person is asked, and for which reasons."""

    asks: tuple[Ask, ...] = ()

    @property
    def outcome(self) -> Literal["approved", "requested"]:
        return "requested" if self.asks else "approved"


def terms_for(
    rules: Iterable[ReturnRule], *, seller: str, channel: str, category: str | None
) -> ReturnTerms:
    """The terms of a line that was sold by this seller over this channel."""
    sold = (seller, channel, category)
    fitting = [
        rule
        for rule in rules
        if all(wanted in (None, is_so) for wanted, is_so in zip(rule.scope, sold, strict=True))
    ]
    # The category counts more than the channel, and the channel more than the seller.
    fitting.sort(key=lambda rule: [part is not None for part in reversed(rule.scope)])
    terms = ReturnTerms()
    for rule in fitting:
        terms = rule.over(terms)
    return terms


def window_ends(terms: Iterable[ReturnTerms], delivered_at: datetime, usual: timedelta) -> datetime:
    """When the last of these lines can no longer be sent back."""
    windows = [usual if each.window_days is None else timedelta(each.window_days) for each in terms]
    return delivered_at + max(windows, default=usual)


def decide(asked: Asked) -> Decision:
    """Decide about a request by the rules of its lines. Raises Refused with the rule's code."""
    for line in asked.lines:
        _check(line, asked)
    asks: list[Ask] = []
    if any(_is_worth_more(line.terms, asked) for line in asked.lines):
        asks.append("worth_more")
    if any(_returns_much(line.terms, asked.record) for line in asked.lines):
        asks.append("returns_much")
    if any(line.terms.review_listed in asked.lists for line in asked.lines):
        asks.append("is_listed")
    return Decision(tuple(asks))


def _check(line: AskedLine, asked: Asked) -> None:
    """Raises Refused where a rule says no to these units."""
    ends = window_ends([line.terms], asked.delivered_at, asked.usual_window)
    if asked.asked_at > ends and not asked.late:
        raise Refused(
            f"line {line.line_id}: the return window ended on {ends:%Y-%m-%d %H:%M %Z}; customer "
            "service can take it all the same, as a late one (--late)",
            reason="window_over",
            instead=("refund_order",),
        )
    if line.terms.final_sale and line.reason not in FAULT_OF_THE_SELLER:
        raise Refused(
            f"line {line.line_id}: the sale was final; only what is damaged, defective, wrong, not "
            "as described or too late comes back",
            reason="final_sale",
            instead=("refund_order",),
        )
    if line.terms.reasons is not None and line.reason not in line.terms.reasons:
        raise Refused(
            f"line {line.line_id}: nothing is taken back because of {line.reason}; the reasons are "
            f"{', '.join(line.terms.reasons)}",
            reason="reason_not_taken",
            instead=("refund_order",),
        )


def _is_worth_more(terms: ReturnTerms, asked: Asked) -> bool:
    limit = None if terms.review_above is None else terms.review_above.minor(asked.currency)
    return limit is not None and sum(line.worth_minor for line in asked.lines) > limit


def _returns_much(terms: ReturnTerms, record: Record) -> bool:
    share = terms.review_share_percent
    return (
        share is not None
        and record.delivered >= UNITS_OF_A_RECORD
        and record.returned * 100 > share * record.delivered
    )


def is_paid_at_once(asked: Asked, amount_minor: int) -> bool:
    """Whether so much is paid back as soon as a carrier has the parcel: every line allows it."""
    return all(_is_paid_at_once(line.terms, asked, amount_minor) for line in asked.lines)


def _is_paid_at_once(terms: ReturnTerms, asked: Asked, amount_minor: int) -> bool:
    if terms.instant_refund_up_to is not None:
        limit = terms.instant_refund_up_to.minor(asked.currency)
        if limit is None or amount_minor > limit:
            return False
    trusted = terms.instant_refund == "trusted" and terms.trusted_list in asked.lists
    return trusted or terms.instant_refund == "always"
