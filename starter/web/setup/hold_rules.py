"""Rules that hold orders as they are taken in, and the shop's own lists."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Final, get_args
from urllib.parse import quote

from fastapi import APIRouter
from starlette.responses import Response

from domain.errors import Conflict, NotFound
from domain.orders.hold_messages import AskedReason, AtEnd
from domain.orders.hold_rules import HoldRule, ListedKind, ListEntries
from domain.seen import check_seen, version_of
from starter.service.hold_rules import ShownRule
from starter.web.screens.forms import met, told_by
from starter.web.screens.visits import ScreenRoute, Visit, may
from starter.web.setup.fields import (
    Field,
    by_fields,
    changes,
    document_of,
    is_stale,
    sent_values,
    values_of,
)
from starter.web.setup.parts import show

router = APIRouter(include_in_schema=False, route_class=ScreenRoute)

Reads = Annotated[Visit, may("sellers:read")]
Writes = Annotated[Visit, may("sellers:read", "sellers:write")]
_AT: Final = "app/setup/rules"
_FIELDS: Final = (
    Field("reason", "choice", required=True),
    Field("owner"),
    Field("active", "flag"),
    Field("when.amount_over.amount", "amount"),
    Field("when.amount_over.currency"),
    Field("when.orders_within.more_than", "number"),
    Field("when.orders_within.within"),
    Field("when.countries_differ", "flag"),
    Field("when.first_order", "flag"),
    Field("when.address_refused", "flag"),
    Field("when.words", "lines"),
    Field("when.listed"),
    Field("ends_after"),
    Field("at_end", "choice"),
    Field("channels", "ticks"),
    Field("sellers", "ticks"),
)


@router.get("/app/setup/rules")
async def rules(visit: Reads, done: str = "") -> Response:
    """All rules, and the lists that have entries."""
    return await _list(visit, told=told_by(visit, done))


@router.get("/app/setup/rules/new")
async def new(visit: Writes) -> Response:
    """The form for another one."""
    return await _form(visit, None)


@router.post("/app/setup/rules/new")
async def add(visit: Writes) -> Response:
    """Make it."""

    async def act() -> str:
        wanted = _wanted(visit, visit.field("rule"))
        if any(one.rule == wanted.rule for one in await visit.here.hold_rules.list()):
            raise Conflict(f"{wanted.rule} is there already", reason="code_taken")
        await visit.here.hold_rules.save([wanted], who=visit.person.who)
        return "made"

    async def again(status: int, trouble: Sequence[str]) -> Response:
        visit.faults = by_fields(visit.words, visit.faults, (Field("rule"), *_FIELDS))
        return await _form(visit, None, status=status, trouble=trouble)

    return await met(visit, act, _AT, again)


@router.get("/app/setup/rules/{rule}")
async def one_rule(visit: Reads, rule: str, done: str = "") -> Response:
    """One of them."""
    return await _form(visit, await _found(visit, rule), told=told_by(visit, done))


@router.post("/app/setup/rules/{rule}")
async def save(visit: Writes, rule: str) -> Response:
    """Set it whole, for the orders that are taken in from then on."""

    async def act() -> str:
        async with visit.here.in_one_transaction() as here:
            found = next((x for x in await here.hold_rules.list() if x.rule == rule), None)
            if found is not None:
                check_seen(found, visit.field("seen"), rule)
            await here.hold_rules.save([_wanted(visit, rule)], who=visit.person.who)
        return "saved"

    async def again(status: int, trouble: Sequence[str]) -> Response:
        visit.faults = by_fields(visit.words, visit.faults, _FIELDS)
        found = await _found(visit, rule)
        return await _form(visit, found, status=status, trouble=trouble, typed=True)

    return await met(visit, act, f"{_AT}/{quote(rule)}", again)


@router.post("/app/setup/rules/{rule}/remove")
async def remove(visit: Writes, rule: str) -> Response:
    """Take it away. What it holds stays held."""

    async def act() -> str:
        await visit.here.hold_rules.remove(rule)
        return "removed"

    async def again(status: int, trouble: Sequence[str]) -> Response:
        return await _list(visit, status=status, trouble=trouble)

    return await met(visit, act, _AT, again)


@router.post("/app/setup/lists")
async def change_list(visit: Writes) -> Response:
    """Put entries on a list, or take them off it. Hashes of them are kept, and nothing else."""

    async def act() -> str:
        values = [line.strip() for line in visit.field("values").splitlines() if line.strip()]
        entries = ListEntries.model_validate({"kind": visit.field("kind"), "values": values})
        door, name = visit.here.hold_rules, visit.field("list")
        if visit.field("act") == "off":
            await door.take_off(name, entries)
            return "taken_off"
        await door.put_on(name, entries, who=visit.person.who)
        return "put_on"

    async def again(status: int, trouble: Sequence[str]) -> Response:
        return await _list(visit, status=status, trouble=trouble)

    return await met(visit, act, _AT, again)


def _wanted(visit: Visit, rule: str) -> HoldRule:
    said: dict[str, Any] = document_of(visit, _FIELDS)
    return HoldRule.model_validate({**said, "rule": rule})


async def _found(visit: Visit, rule: str) -> ShownRule:
    found = next((one for one in await visit.here.hold_rules.list() if one.rule == rule), None)
    if found is None:
        raise NotFound(f"there is no rule {rule}")
    return found


async def _list(
    visit: Visit, *, status: int = 200, told: str = "", trouble: Sequence[str] = ()
) -> Response:
    names = ("list", "kind", "values")
    return show(
        visit,
        "rules",
        status=status,
        told=told,
        trouble=trouble,
        rules=await visit.here.hold_rules.list(),
        lists=await visit.here.hold_rules.lists(),
        kinds=[(one, visit.words(f"listed_{one}")) for one in get_args(ListedKind)],
        said={name: visit.field(name) for name in names},
        may_write=visit.person.allows("sellers:write"),
    )


async def _form(
    visit: Visit,
    one: ShownRule | None,
    *,
    status: int = 200,
    told: str = "",
    trouble: Sequence[str] = (),
    typed: bool = False,
) -> Response:
    fields = (Field("rule", required=True), *_FIELDS) if one is None else _FIELDS
    values = sent_values(visit, fields)
    set_as = {} if one is None or one.set_as is None else one.set_as.model_dump(mode="json")
    kept = values_of(visit.words, set_as, fields)
    if one is not None and not typed:
        values = kept
    elif not visit.sent:
        values = {**values, "owner": "customer service", "active": "1"}
    return show(
        visit,
        "rule",
        status=status,
        told=told,
        trouble=trouble,
        one=one,
        at=f"{_AT}/new" if one is None else f"{_AT}/{quote(one.rule)}",
        seen="" if one is None else version_of(one),
        news=changes(kept, values, fields) if typed and one and is_stale(visit, one) else [],
        fields=fields,
        values=values,
        options={
            "reason": [(x, visit.words(f"hold_{x}")) for x in get_args(AskedReason)],
            "at_end": [(x, visit.words(f"hold_ends_{x}")) for x in get_args(AtEnd)],
            "channels": [(x.channel, x.channel) for x in await visit.here.channels.list()],
            "sellers": [(x.seller, x.seller) for x in await visit.here.sellers.list()],
        },
        may_write=visit.person.allows("sellers:write"),
    )
