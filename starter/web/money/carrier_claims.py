"""Claims at carriers: what they owe for parcels that they lost or broke, and what came of it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from typing import Annotated, Final, get_args

from fastapi import APIRouter
from starlette.responses import Response

from domain.errors import NotFound
from domain.fields import Amount, Document, Name, Reason
from domain.ids import order_of
from domain.money import Money, to_minor
from starter.web.money.disputes import days_left
from starter.web.money.parts import show, whose
from starter.web.screens.addresses import PAGE, onward, place_in
from starter.web.screens.forms import NotAsked, met, told_by
from starter.web.screens.visits import ScreenRoute, Visit, may
from store.aftersales.carrier_claims import Answer, State, TurnedUp

router = APIRouter(include_in_schema=False, route_class=ScreenRoute)

Reads = Annotated[Visit, may("carriers:read")]
Writes = Annotated[Visit, may("carriers:read", "carriers:write")]
_AT: Final = "app/money/claims"
_STATES: Final[tuple[State, ...]] = get_args(State)
_ANSWERS: Final[tuple[Answer, ...]] = get_args(Answer)
_BECAME: Final[tuple[TurnedUp, ...]] = get_args(TurnedUp)


class _Filed(Document):
    amount: Amount
    reference: Name | None = None


class _Answered(Document):
    note: Reason
    amount: Amount | None = None


@router.get("/app/money/claims")
async def claims(
    visit: Reads, state: str = "", order: str = "", after: str = "", done: str = ""
) -> Response:
    """The latest first, with lost parcels for which nobody has asked yet. `order`: of one alone."""
    return await _list(visit, state, order, after=after, told=told_by(visit, done))


@router.post("/app/money/claims/{part_id}/file")
async def file(visit: Writes, part_id: str) -> Response:
    """A claim was sent to the carrier."""

    async def act() -> str:
        said = _said(visit, "reference")
        asked = _Filed.model_validate(said)
        amount = await _money(visit, part_id, asked.amount)
        await visit.here.carrier_claims.file(
            part_id, amount, reference=asked.reference or "", who=visit.person.who
        )
        return "claim_filed"

    return await _met(visit, part_id, act)


@router.post("/app/money/claims/{part_id}/answer")
async def answer(visit: Writes, part_id: str) -> Response:
    """What the carrier says, or that it is not asked any more, or that the parcel turned up."""
    outcome = visit.field("outcome")

    async def act() -> str:
        said = _said(visit, "note")
        asked = _Answered.model_validate(said)
        door, who = visit.here.carrier_claims, visit.person.who
        if outcome == "dropped":
            await door.drop(part_id, asked.note, who=who)
        elif (became := next((one for one in _BECAME if one == outcome), None)) is not None:
            await door.turned_up(part_id, became, asked.note, who=who)
        elif (says := next((one for one in _ANSWERS if one == outcome), None)) is not None:
            paid = None if asked.amount is None else await _money(visit, part_id, asked.amount)
            await door.answer(part_id, says, paid=paid, note=asked.note, who=who)
        else:
            raise NotAsked("no_answer_chosen")
        return "claim_answered"

    return await _met(visit, part_id, act)


async def _met(visit: Visit, part_id: str, act: Callable[[], Awaitable[str]]) -> Response:
    found = await visit.here.orders.whose(order_of(part_id))
    if found is None or not visit.person.grant.sees(*found):
        raise NotFound(f"there is no {part_id}", reason="no_order")

    async def again(status: int, trouble: Sequence[str]) -> Response:
        return await _list(visit, "", order_of(part_id), status=status, trouble=trouble, of=part_id)

    return await met(visit, act, _AT, again)


def _said(visit: Visit, also: str) -> dict[str, str]:
    said = {"amount": visit.amount("amount"), also: visit.field(also)}
    return {name: text for name, text in said.items() if text}


async def _money(visit: Visit, part_id: str, amount: Amount) -> Money:
    currency = await visit.here.carrier_claims.currency_of(part_id)
    return Money(minor=to_minor(amount, currency), currency=currency)


async def _list(
    visit: Visit,
    state: str,
    order: str,
    *,
    after: str = "",
    of: str = "",
    status: int = 200,
    told: str = "",
    trouble: Sequence[str] = (),
) -> Response:
    """`of`: the parcel whose form was not met: what was typed stays in it."""
    chosen: State | None = next((one for one in _STATES if one == state), None)
    place = place_in(after, datetime, str)
    found = await visit.here.carrier_claims.list(
        state=chosen,
        order_id=order or None,
        after=None if place is None else (place[0], place[1]),
        at_most=PAGE + 1,
        **whose(visit),
    )
    filters = {"state": chosen or "", "order": order}
    rows, more = onward(found, filters, lambda one: (one.since, one.fulfilment_id))
    now = datetime.now(UTC)
    return show(
        visit,
        "carrier_claims",
        status=status,
        told=told,
        trouble=trouble,
        claims=[
            (one, days_left(visit.words, one.file_by, now) if one.file_by is not None else "")
            for one in rows
        ],
        more=more,
        filters=filters,
        states=[(one, visit.words(f"claim_{one}")) for one in _STATES],
        may_write=visit.person.allows("carriers:write"),
        of=of,
        said={name: visit.field(name) for name in ("amount", "reference", "note")},
    )
