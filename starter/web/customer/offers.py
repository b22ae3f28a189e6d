"""What a customer can ask for now. The order decides: this says what is worth asking."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal, get_args

from domain.orders.providers import BY_CODE, ELSEWHERE
from starter.service.tracking import TrackedOrder
from starter.web.customer.parcels import is_carried
from starter.web.words import Words

Ask = Literal["pay", "cancel", "address", "return", "exchange", "claim"]
ASKS: Final[tuple[Ask, ...]] = get_args(Ask)

LOOKED_AT_FIRST: Final = ("return", "exchange")
"""What is asked for only when the customer has seen what it comes to."""

_GOES_ON: Final = ("received", "held", "confirmed", "in_fulfilment")
_GIVEN_AT_ONCE: Final = ("digital", "service")
"""Nothing of these can be sent back."""


@dataclass(frozen=True)
class Offer:
    """Something that can be asked for."""

    ask: Ask
    name: str
    about: str


@dataclass(frozen=True)
class Offers:
    """What can be asked for, and why other things cannot."""

    possible: tuple[Offer, ...]
    why_not: tuple[str, ...]

    def has(self, ask: str) -> bool:
        """Whether it can be asked for."""
        return any(offer.ask == ask for offer in self.possible)


def cancellable(order: TrackedOrder) -> Mapping[str, int]:
    """Line id → units that have not left."""
    if order.detail.summary.state not in _GOES_ON:
        return {}
    left = {x.line_id: x.ordered - x.shipped - x.cancelled for x in order.detail.lines}
    return {line_id: n for line_id, n in left.items() if n > 0}


def returnable(order: TrackedOrder) -> Mapping[str, int]:
    """Line id → units that the customer has, and that can be sent at all."""
    left = {
        x.line_id: x.delivered - x.returned - x.return_requested
        for x in order.detail.lines
        if x.handling not in _GIVEN_AT_ONCE
    }
    return {line_id: n for line_id, n in left.items() if n > 0}


def exchangeable(order: TrackedOrder) -> Mapping[str, int]:
    """Line id → units for which there is something else to be had now."""
    if (order.detail.document.get("payment") or {}).get("provider") == ELSEWHERE:
        return {}
    skus = {line.line_id: line.sku for line in order.detail.lines}
    found = returnable(order)
    return {line_id: n for line_id, n in found.items() if replacements(order, skus[line_id])}


def replacements(order: TrackedOrder, sku: str) -> dict[str, str]:
    """SKU → its name, of what can be had now for units of this SKU."""
    group = order.facts.policy.exchanges.replacements(sku)
    known = {one.sku: one for one in order.replacements}
    return {one: known[one].name or one for one in group if one in known and known[one].there}


def claimable(order: TrackedOrder) -> Mapping[str, int]:
    """Line id → units that were delivered, and that the customer has."""
    left = {x.line_id: x.delivered - x.returned for x in order.detail.lines}
    return {line_id: n for line_id, n in left.items() if n > 0}


def units(order: TrackedOrder, ask: Ask) -> Mapping[str, int]:
    """Line id → units of which so many can be chosen in the form."""
    found = {
        "cancel": cancellable,
        "return": returnable,
        "exchange": exchangeable,
        "claim": claimable,
    }.get(ask)
    return {} if found is None else found(order)


def digest(order: TrackedOrder, ask: Ask) -> str:
    """Names what a form is about: another one means that this has changed meanwhile."""
    place = order.detail.document.get("shipping", {}).get("address") if ask == "address" else None
    owed = to_pay(order) if ask == "pay" else 0
    content = json.dumps([ask, units(order, ask), place, owed], sort_keys=True)
    return hashlib.sha256(content.encode()).hexdigest()[:16]


def by_code(order: TrackedOrder) -> tuple[str, ...]:
    """Ways to pay whose code can be typed in here."""
    taken = order.facts.providers
    return tuple(one for one in BY_CODE if taken is None or one in taken)


def to_pay(order: TrackedOrder) -> int:
    """What is still to be paid, in minor units; 0 where nothing waits for it."""
    summary = order.detail.summary
    if not order.facts.awaits_payment:
        return 0
    return max(summary.total_minor - summary.authorized_minor, 0)


def offers(order: TrackedOrder, words: Words, now: datetime) -> Offers:
    """All that is possible now; of the rest, why it is not, where that helps."""
    found: list[Ask] = []
    why_not: list[str] = []
    if order.facts.awaits_payment:
        found.append("pay")
    summary = order.detail.summary
    if cancellable(order):
        found.append("cancel")
    elif summary.state in _GOES_ON:
        why_not.append(words("no_ask_cancel"))
    if _address_may_change(order):
        found.append("address")
    elif cancellable(order) and order.detail.document.get("shipping", {}).get("address"):
        why_not.append(words("no_ask_address"))
    refusal = _no_return(order, words, now)
    if refusal is None:
        found += ["return", "exchange"] if exchangeable(order) else ["return"]
    elif refusal:
        why_not.append(refusal)
    if claimable(order):
        found.append("claim")
    owed = words.money(to_pay(order), summary.currency)
    return Offers(
        tuple(
            Offer(ask, words(f"ask_{ask}"), words(f"ask_{ask}_about", amount=owed))
            for ask in ASKS
            if ask in found
        ),
        tuple(why_not),
    )


def _address_may_change(order: TrackedOrder) -> bool:
    if not cancellable(order) or not order.detail.document.get("shipping", {}).get("address"):
        return False
    states = {x.state for x in order.detail.fulfilments if is_carried(x.handling)}
    return not states & {"labelled", "shipped", "delivered", "exception"}


def _no_return(order: TrackedOrder, words: Words, now: datetime) -> str | None:
    """Why nothing can be sent back; None: something can. "": it goes without saying."""
    if returnable(order):
        arrived = [x.at for x in order.detail.story if x.what.split(":")[0] == "delivered"]
        if order.return_rules or not arrived:
            return None  # the rules may give another time: the order knows
        ends = max(arrived) + order.facts.policy.return_window
        return (
            None if now <= ends else words("no_ask_return_over", day=words.day(words.day_of(ends)))
        )
    if any(line.delivered for line in order.detail.lines):
        return words("no_ask_return_none")
    is_on_its_way = any(line.shipped for line in order.detail.lines)
    return words("no_ask_return") if is_on_its_way else ""
