"""Who belongs to a segment, and why."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Literal, TypeAlias

from pydantic import BaseModel, ConfigDict

from domain.customers.care import UNLESS_SAID, ConsentKind
from domain.customers.segments import (
    CountRule,
    LastOrderRule,
    ReturnedRule,
    Segment,
    WorthOf,
    WorthRule,
)
from domain.money import to_decimal
from domain.words import count_of, span

RuleName = Literal[
    "worth", "orders", "returned", "last_order", "channels", "sellers", "countries", "consent"
]
_Rule: TypeAlias = WorthRule | CountRule | ReturnedRule | LastOrderRule | Sequence[str] | str


class Facts(BaseModel):
    """What segments look at, of one customer and whoever is merged into it.

    `worth`: currency → what `WorthRule.of` names, in minor units. `consent`: what they have said.
    """

    model_config = ConfigDict(frozen=True)

    orders: int
    first_order_at: datetime | None
    last_order_at: datetime | None
    units_delivered: int
    units_returned: int
    worth: Mapping[str, Mapping[WorthOf, int]]
    channels: Sequence[str]
    sellers: Sequence[str]
    countries: Sequence[str]
    consent: Mapping[ConsentKind, bool]

    def wishes(self, kind: ConsentKind) -> bool:
        """Whether they wish messages of this kind."""
        return self.consent.get(kind, UNLESS_SAID[kind])


class Check(BaseModel):
    """One rule of a segment, looked at for one customer.

    `wanted`: what the rule asks for; `found`: what the customer has. Both are for people to read.
    """

    model_config = ConfigDict(frozen=True)

    rule: RuleName
    wanted: str
    found: str
    holds: bool


def belongs(facts: Facts, to: Segment, now: datetime) -> bool:
    """Whether a customer belongs to a segment at this moment."""
    return all(_holds(facts, name, rule, now) for name, rule in _rules(to))


def checks(facts: Facts, to: Segment, now: datetime) -> tuple[Check, ...]:
    """Why a customer belongs to a segment at this moment, or does not: rule by rule."""
    return tuple(
        Check(
            rule=name,
            wanted=_wanted(rule),
            found=_found(facts, name, rule, now),
            holds=_holds(facts, name, rule, now),
        )
        for name, rule in _rules(to)
    )


def wanted(of: Segment) -> tuple[str, ...]:
    """What each rule of a segment asks for, for people to read."""
    return tuple(f"{_NAMES.get(name, name)}: {_wanted(rule)}" for name, rule in _rules(of))


def _rules(of: Segment) -> Iterator[tuple[RuleName, _Rule]]:
    for worth in of.worth:
        yield "worth", worth
    if of.orders is not None:
        yield "orders", of.orders
    if of.returned is not None:
        yield "returned", of.returned
    if of.last_order is not None:
        yield "last_order", of.last_order
    if of.channels:
        yield "channels", of.channels
    if of.sellers:
        yield "sellers", of.sellers
    if of.countries:
        yield "countries", of.countries
    if of.consent is not None:
        yield "consent", of.consent


def _holds(facts: Facts, name: RuleName, rule: _Rule, now: datetime) -> bool:
    if isinstance(rule, WorthRule):
        low, high = rule.range_minor
        worth = _worth(facts, rule)
        return low <= worth and (high is None or worth <= high)
    if isinstance(rule, CountRule):
        return rule.holds(facts.orders)
    if isinstance(rule, ReturnedRule):
        delivered, came_back = facts.units_delivered, 100 * facts.units_returned
        return (
            delivered >= rule.units
            and rule.at_least_percent * delivered <= came_back <= rule.at_most_percent * delivered
        )
    if isinstance(rule, LastOrderRule):
        return _ordered(facts, rule, now)
    if name == "consent":
        return facts.wishes(_kind(rule))
    return not set(rule).isdisjoint(_there(facts, name))


def _ordered(facts: Facts, rule: LastOrderRule, now: datetime) -> bool:
    if facts.last_order_at is None:
        return False
    ago = now - facts.last_order_at
    return (rule.within is None or ago <= rule.within) and (
        rule.longer_ago is None or ago > rule.longer_ago
    )


def _wanted(rule: _Rule) -> str:
    if isinstance(rule, WorthRule):
        return f"{rule.of} {_range(rule.at_least, rule.at_most)} {rule.currency}"
    if isinstance(rule, CountRule):
        return _range(rule.at_least, rule.at_most)
    if isinstance(rule, ReturnedRule):
        percent = _range(rule.at_least_percent, rule.at_most_percent)
        return f"{percent} %, of {rule.units} delivered or more"
    if isinstance(rule, LastOrderRule):
        within = [] if rule.within is None else [f"within {span(rule.within)}"]
        longer = [] if rule.longer_ago is None else [f"longer ago than {span(rule.longer_ago)}"]
        return ", ".join((*within, *longer))
    return rule if isinstance(rule, str) else _listed(rule)


def _found(facts: Facts, name: RuleName, rule: _Rule, now: datetime) -> str:
    if isinstance(rule, WorthRule):
        return f"{rule.of} {to_decimal(_worth(facts, rule), rule.currency):f} {rule.currency}"
    if isinstance(rule, CountRule):
        return str(facts.orders)
    if isinstance(rule, ReturnedRule):
        return f"{facts.units_returned} of {facts.units_delivered} delivered"
    if isinstance(rule, LastOrderRule):
        last = facts.last_order_at
        return "none" if last is None else f"{count_of((now - last).days, 'day')} ago"
    if name == "consent":
        said = "said" if _kind(rule) in facts.consent else "by default"
        return f"{'yes' if facts.wishes(_kind(rule)) else 'no'}, {said}"
    return _listed(_there(facts, name))


_NAMES: Mapping[RuleName, str] = {
    "returned": "units that came back",
    "last_order": "last order",
    "consent": "wishes",
}


def _worth(facts: Facts, rule: WorthRule) -> int:
    return facts.worth.get(rule.currency, {}).get(rule.of, 0)


def _there(facts: Facts, name: RuleName) -> Sequence[str]:
    return {"channels": facts.channels, "sellers": facts.sellers}.get(name, facts.countries)


def _kind(rule: object) -> ConsentKind:
    return rule  # type: ignore[return-value]  # the rule named consent is a kind


def _range(low: object, high: object) -> str:
    if low is None:
        return f"{high} at most"
    return f"{low} or more" if high is None else f"from {low} to {high}"


def _listed(codes: Iterable[str]) -> str:
    return ", ".join(sorted(codes)) or "none"
