"""The rules of a policy: in plain words, with their values, and as fields of a form."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Annotated, Any, Final, Literal, NamedTuple, get_args, get_origin

from pydantic import BaseModel

from domain.errors import InvalidInput
from domain.orders.policy import Policy
from starter.web.screens.visits import Visit
from starter.web.words import Words

GROUPS: Final[Mapping[str, Sequence[str]]] = {
    "intake": (
        *("partly_available", "backorder", "backorder_within", "sourcing.prefer"),
        *("sourcing.parcels_max", "sourcing.locations", "replace_missing", "give_up_after"),
    ),
    "money": (
        *("charge", "pay_within", "renew_before", "refund_tenders", "goodwill_percent_max"),
        *("goodwill_roles", "price_match_within", "price_match_percent_max"),
    ),
    "sending": (
        *("over_the_counter", "pick_within", "pack_within", "hand_over_within", "scan_within"),
        *("keeps_label", "collect_within", "appointment_firm", "work_within"),
    ),
    "returns": ("return_window", "return_within", "chase_every", "chases_max"),
    "claims": (
        *("claims.within", "claims.alone_up_to", "claims.alone_per_customer"),
        *("claims.investigate_within", "claims.late_pays_shipping", "claims.late_percent"),
    ),
    "exchanges": ("exchanges.advance", "exchanges.trusted_share_percent", "exchanges.groups"),
}
"""Their places in a policy, as they are shown."""

UNITS: Final = {
    "days": timedelta(days=1),
    "hours": timedelta(hours=1),
    "minutes": timedelta(minutes=1),
    "seconds": timedelta(seconds=1),
}
_COUNTED: Final = {"minutes": "policy_minutes", "seconds": "policy_seconds"}
_DIGITS_MAX: Final = 9

Kind = Literal["duration", "flag", "choice", "number", "json"]


class Rule(NamedTuple):
    """One rule. `choices`: of a `choice`."""

    path: str
    kind: Kind
    choices: tuple[str, ...] = ()

    @property
    def key(self) -> str:
        """As sentences name it: `policy_<key>`, and of a choice `policy_<key>_<value>`."""
        return self.path.replace(".", "_")


def rule_at(path: str) -> Rule:
    """The rule at a place of the policy."""
    part: Any = Policy
    *way, name = path.split(".")
    for step in way:
        part = part.model_fields[step].annotation
    told = part.model_fields[name].annotation
    if told is bool:
        return Rule(path, "flag")
    if get_origin(told) is Literal:
        return Rule(path, "choice", get_args(told))
    if told is timedelta:
        return Rule(path, "duration")
    return Rule(path, "number" if int in {told, *map(_plain_kind, get_args(told))} else "json")


def _plain_kind(told: Any) -> Any:
    """The type without what else is said of it."""
    return get_args(told)[0] if get_origin(told) is Annotated else told


RULES: Final = {name: [rule_at(path) for path in paths] for name, paths in GROUPS.items()}


def value_at(policy: BaseModel, path: str) -> Any:
    """What a policy says there."""
    part: Any = policy
    for step in path.split("."):
        part = getattr(part, step)
    return part


def is_set(policy: BaseModel, path: str) -> bool:
    """Whether the policy says it itself."""
    part: Any = policy
    *way, name = path.split(".")
    for step in way:
        if step not in part.model_fields_set:
            return False
        part = getattr(part, step)
    return name in part.model_fields_set


def told(words: Words, rule: Rule, value: Any) -> str:
    """A value in words."""
    match rule.kind:
        case "duration":
            return _told_span(words, value)
        case "flag":
            return words("yes") if value else words("policy_no")
        case "choice":
            return words(f"policy_{rule.key}_{value}")
        case "number":
            return words("policy_none") if value is None else words.number(value)
    return _told_json(value) if value else words("policy_none")


def _told_span(words: Words, value: timedelta) -> str:
    parts, left = [], value
    for name, unit in UNITS.items():
        n, left = divmod(left, unit)
        if n:
            parts.append(words.many(_COUNTED.get(name, name), n))
    return " ".join(parts) or words.many("policy_minutes", 0)


def _told_json(value: Any) -> str:
    plain = json.loads(json.dumps(value, default=_plain))
    if isinstance(plain, list) and all(isinstance(one, str) for one in plain):
        return ", ".join(plain)
    if isinstance(plain, dict) and all(isinstance(one, str) for one in plain.values()):
        return ", ".join(f"{name} {one}" for name, one in plain.items())
    return json.dumps(plain, ensure_ascii=False)


def _plain(value: Any) -> Any:
    return value.model_dump(mode="json") if isinstance(value, BaseModel) else str(value)


# Forms --------------------------------------------------------------------------------------------


def fields_of(policy: Policy) -> dict[str, str]:
    """What stands in a form for what a policy says itself, by the names of the fields."""
    found: dict[str, str] = {}
    for rule in (one for rules in RULES.values() for one in rules if is_set(policy, one.path)):
        value = value_at(policy, rule.path)
        if rule.kind == "duration":
            name, unit = next((n, u) for n, u in UNITS.items() if not value % u)
            found[rule.path], found[f"{rule.path}.unit"] = str(value // unit), name
        elif rule.kind == "flag":
            found[rule.path] = "yes" if value else "no"
        elif rule.kind == "json":
            found[rule.path] = json.dumps(json.loads(json.dumps(value, default=_plain)))
        else:
            found[rule.path] = "" if value is None else str(value)
    return found


def policy_of(visit: Visit) -> Policy:
    """The policy that a form has sent. Raises InvalidInput and ValidationError."""
    document: dict[str, Any] = {}
    for rule in (one for rules in RULES.values() for one in rules):
        text = visit.field(rule.path)
        if not text:
            continue
        *way, name = rule.path.split(".")
        part = document
        for step in way:
            part = part.setdefault(step, {})
        part[name] = _read(visit, rule, text)
    return Policy.model_validate(document)


def _read(visit: Visit, rule: Rule, text: str) -> Any:
    if rule.kind == "flag":
        return text == "yes"
    if rule.kind == "json":
        try:
            return json.loads(text)
        except (ValueError, RecursionError) as error:
            raise InvalidInput(f"is no JSON: {error}", where=rule.path) from None
    if rule.kind == "choice":
        return text
    if not (text.isascii() and text.isdecimal() and len(text) <= _DIGITS_MAX):
        raise InvalidInput("must be a whole number", where=rule.path, reason="policy_number")
    if rule.kind == "number":
        return int(text)
    try:
        return int(text) * UNITS.get(visit.field(f"{rule.path}.unit"), UNITS["days"])
    except OverflowError:
        raise InvalidInput("is too long", where=rule.path) from None
