"""The policy: what happens with orders. The usual one is read; a channel's own is set."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter
from starlette.responses import Response

from domain.orders.channels import Channel
from domain.orders.policy import Policy
from domain.seen import version_of
from starter.web.screens.forms import met
from starter.web.screens.visits import ScreenRoute, Visit, may
from starter.web.setup.channel_pages import CHANNELS
from starter.web.setup.fields import is_stale
from starter.web.setup.parts import show
from starter.web.setup.policy_rules import (
    RULES,
    UNITS,
    Rule,
    fields_of,
    is_set,
    policy_of,
    told,
    value_at,
)

router = APIRouter(include_in_schema=False, route_class=ScreenRoute)

Reads = Annotated[Visit, may("sellers:read")]
Writes = Annotated[Visit, may("sellers:read", "sellers:write")]


@router.get("/app/setup/policy")
async def policy(visit: Reads) -> Response:
    """What this program was started with, where that comes from; and which channels differ."""
    usual, built_in = visit.here.channels.usual_policy, Policy()
    channels = await CHANNELS.theirs(visit)

    def row(rule: Rule) -> dict[str, Any]:
        value = value_at(usual, rule.path)
        is_usual = value == value_at(built_in, rule.path)
        return {
            "rule": rule,
            "value": told(visit.words, rule, value),
            "from": visit.words("from_built_in" if is_usual else "from_program"),
            "channels": [
                (one.channel, told(visit.words, rule, value_at(one.policy, rule.path)))
                for one in channels
                if is_set(one.policy, rule.path)
            ],
        }

    groups = [(name, [row(rule) for rule in rules]) for name, rules in RULES.items()]
    return show(visit, "policy", groups=groups, channels=[one.channel for one in channels])


@router.get("/app/setup/channels/{code}/policy")
async def channel_policy(visit: Reads, code: str) -> Response:
    """What differs for the orders of a channel."""
    return await _form(visit, await CHANNELS.get(visit, code))


@router.post("/app/setup/channels/{code}/policy")
async def save(visit: Writes, code: str) -> Response:
    """Set it as a whole, unless others have changed the channel meanwhile."""
    one = await CHANNELS.get(visit, code)

    async def act() -> str:
        wanted = one.model_copy(update={"policy": policy_of(visit)})
        await visit.here.channels.change(wanted, seen=visit.field("seen"))
        return "policy_saved"

    async def again(status: int, trouble: Sequence[str]) -> Response:
        now = await CHANNELS.get(visit, code)
        return await _form(visit, now, status=status, trouble=trouble, typed=True)

    return await met(visit, act, f"app/setup/channels/{quote(code)}", again)


async def _form(
    visit: Visit,
    one: Channel,
    *,
    status: int = 200,
    trouble: Sequence[str] = (),
    typed: bool = False,
) -> Response:
    """`typed`: with what was typed, beside what has changed meanwhile."""
    usual, kept = visit.here.channels.usual_policy, fields_of(one.policy)
    values = {name: sent[0] for name, sent in visit.sent.items()} if typed else kept
    rules = [rule for group in RULES.values() for rule in group]
    news = [
        (
            rule,
            told(visit.words, rule, value_at(one.policy, rule.path)) if rule.path in kept else "",
        )
        for rule in rules
        if _said(rule, kept) != _said(rule, values)
    ]
    return show(
        visit,
        "channel_policy",
        status=status,
        trouble=trouble,
        code=one.channel,
        at=f"app/setup/channels/{quote(one.channel)}",
        seen=version_of(one),
        news=news if typed and is_stale(visit, one) else [],
        groups=RULES.items(),
        values=values,
        usual={rule.path: told(visit.words, rule, value_at(usual, rule.path)) for rule in rules},
        units=[(unit, visit.words(f"policy_in_{unit}")) for unit in UNITS],
        may_write=visit.person.allows("sellers:write"),
    )


def _said(rule: Rule, values: dict[str, str]) -> tuple[str, str]:
    """A value of the form, with its unit."""
    text = values.get(rule.path, "")
    return text, values.get(f"{rule.path}.unit", "") if text else ""
