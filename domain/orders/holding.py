"""Decides whether an order is held as it is taken in: by which rules, why, and until when."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from domain.money import limit_minor
from domain.orders.hold_messages import AskedReason, AtEnd
from domain.orders.hold_rules import Facts, HoldRule, HoldWhen
from domain.orders.order import Order
from domain.words import span

UNREADABLE: Final = "cannot be read by this version: look at the order, and set the rule anew"


@dataclass(frozen=True)
class WantedHold:
    """A hold that a rule asks for. `note` quotes nothing of what the order says of a person."""

    rule: str
    reason: AskedReason
    owner: str
    note: str
    until: datetime | None = None
    at_end: AtEnd | None = None
    is_to_check: bool = False
    """It stands until the address is checked, and ends where nothing is wrong with it."""


def wanted_holds(
    rules: Iterable[HoldRule], order: Order, seller: str, facts: Facts, now: datetime
) -> list[WantedHold]:
    """The holds of an order that is taken in now, one for each rule that it is like."""
    found = []
    for rule in rules:
        here = not rule.channels or order.channel in rule.channels
        if not (rule.active and here and (not rule.sellers or seller in rule.sellers)):
            continue
        whys = list(_whys(rule.when, order, facts, now))
        if None not in whys:
            checks = rule.when.address_refused and order.shipping.address is not None
            if rule.when.address_refused and not checks:
                continue  # nothing is sent
            until = None if rule.ends_after is None else now + rule.ends_after
            found.append(
                WantedHold(
                    rule=rule.rule,
                    reason=rule.reason,
                    owner=rule.owner,
                    note="; ".join(why for why in whys if why),
                    is_to_check=checks,
                    until=until,
                    at_end=None if until is None else rule.at_end,
                )
            )
    return found


def unreadable(rule: str) -> WantedHold:
    """What is held by a rule that cannot be read: a person looks, and no order is lost by it."""
    return WantedHold(rule=rule, reason="other", owner="operator", note=f"rule {rule} {UNREADABLE}")


def _whys(when: HoldWhen, order: Order, facts: Facts, now: datetime) -> Iterator[str | None]:
    """For each condition that is given: how the order is like it, or None."""
    if when.amount_over is not None:
        over = when.amount_over
        yield (
            f"more than {over.amount} {over.currency}"
            if order.currency == over.currency
            and order.total_minor > limit_minor(over.amount, over.currency)
            else None
        )
    if when.orders_within is not None:
        within = when.orders_within.within
        count = 1 + sum(1 for at in facts.earlier if now - at < within)
        yield (
            f"{count} orders of this customer within {span(within)}"
            if count > when.orders_within.more_than
            else None
        )
    if when.countries_differ:
        address, billing = order.shipping.address, order.billing
        differ = address is not None and billing is not None and address.country != billing.country
        yield "the countries of invoice and delivery differ" if differ else None
    if when.first_order:
        yield None if facts.earlier else "the first order of this customer"
    if when.words:
        said = f"{order.note or ''} {order.gift_message or ''}".casefold()
        has = any(word.casefold() in said for word in when.words)
        yield "a word that is looked for stands in its note" if has else None
    if when.address_refused:
        yield "its address is being checked"
    if when.listed is not None:
        yield f"on the list {when.listed}" if when.listed in facts.lists else None
