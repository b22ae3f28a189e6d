"""Rules that hold orders as they are taken in, and the shop's own lists."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path
from pydantic import BaseModel, ConfigDict
from starlette.responses import Response

from domain.errors import NotFound
from domain.fields import Id
from domain.orders.hold_rules import HoldRules, ListEntries
from starter.http.callers import Caller, may
from starter.http.examples import example
from starter.http.once import Keyed
from starter.http.reading import StrictRoute
from starter.service.hold_rules import ShownList, ShownRule

router = APIRouter(prefix="/v1", tags=["holds"], route_class=StrictRoute)


class _Shown(BaseModel):
    model_config = ConfigDict(frozen=True)


class ShownRules(_Shown):
    """All rules, by their names."""

    rules: tuple[ShownRule, ...]


class ShownLists(_Shown):
    """The lists that have entries."""

    lists: tuple[ShownList, ...]


class ListChanged(_Shown):
    """How many entries were put on, or taken off."""

    list: str
    changed: int


_ENTRIES = example({"kind": "email", "values": ["mallory@example.com"]})
ListName = Annotated[Id, Path(examples=["blocked"])]


@router.get("/hold-rules", operation_id="listHoldRules", summary="List the rules that hold orders")
async def list_rules(caller: Annotated[Caller, may("sellers:read")]) -> ShownRules:
    """Each as it was set, and by whom; without `set_as`, it cannot be read by this version."""
    return ShownRules(rules=tuple(await caller.here.hold_rules.list()))


@router.put("/hold-rules", operation_id="saveHoldRules", summary="Set rules that hold orders")
async def save_rules(
    content: Annotated[
        HoldRules,
        example(
            {
                "rules": [
                    {
                        "rule": "large",
                        "when": {"amount_over": {"amount": "1000.00", "currency": "EUR"}},
                        "reason": "fraud_review",
                        "owner": "risk team",
                        "ends_after": "P2D",
                        "at_end": "reject",
                    }
                ]
            }
        ),
    ],
    caller: Annotated[Caller, may("sellers:write")],
) -> ShownRules:
    """Each is set whole; the others stay. It concerns orders that come from now on."""
    await caller.here.hold_rules.save(content.rules, who=caller.who(None))
    return ShownRules(rules=tuple(await caller.here.hold_rules.list()))


@router.delete(
    "/hold-rules/{rule}",
    operation_id="removeHoldRule",
    summary="Take a rule away",
    status_code=204,
)
async def remove_rule(rule: str, caller: Annotated[Caller, may("sellers:write")]) -> Response:
    """What it holds stays held. One that is not there is no fault."""
    try:
        await caller.here.hold_rules.remove(rule)
    except NotFound:
        return Response(status_code=204)
    return Response(status_code=204)


@router.get("/hold-lists", operation_id="listHoldLists", summary="List the shop's lists")
async def list_lists(caller: Annotated[Caller, may("sellers:read")]) -> ShownLists:
    """How many entries each has. What they are is kept as hashes alone."""
    return ShownLists(lists=tuple(await caller.here.hold_rules.lists()))


@router.put(
    "/hold-lists/{name}",
    operation_id="putOnHoldList",
    summary="Put customers or addresses on a list",
)
async def put_on(
    name: ListName,
    content: Annotated[ListEntries, _ENTRIES],
    caller: Annotated[Caller, may("sellers:write")],
) -> ListChanged:
    """Orders of these that come from now on are held, if a rule names the list."""
    count = await caller.here.hold_rules.put_on(name, content, who=caller.who(None))
    return ListChanged(list=name, changed=count)


@router.post(
    "/hold-lists/{name}/take-off",
    operation_id="takeOffHoldList",
    summary="Take customers or addresses off a list",
    response_model=ListChanged,
)
async def take_off(
    name: ListName,
    content: Annotated[ListEntries, _ENTRIES],
    caller: Annotated[Caller, may("sellers:write")],
    once: Keyed,
) -> Response:
    """Those that are not on it are no fault."""

    async def taken_off() -> ListChanged:
        count = await caller.here.hold_rules.take_off(name, content)
        return ListChanged(list=name, changed=count)

    return await once.safe_to_repeat(taken_off)
