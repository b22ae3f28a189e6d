"""What is decided and reported about a purchase order: forms, each met once."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Annotated, Any, Final
from urllib.parse import quote

from fastapi import APIRouter
from starlette.responses import Response

from domain.errors import NotFound
from domain.purchasing.purchase_orders import Acknowledged
from starter.service.service import Records
from starter.web.buying import asked
from starter.web.buying.limits import is_buyer
from starter.web.buying.purchase_page import Shown, look, page
from starter.web.screens.forms import NotAsked, met, whole
from starter.web.screens.visits import Number, ScreenRoute, Visit, may

router = APIRouter(include_in_schema=False, route_class=ScreenRoute)

Writes = Annotated[Visit, may("purchasing:read", "purchasing:write")]
Receives = Annotated[Visit, may("purchasing:read", "stock:write")]
_NOT_KNOWN: Final = 503
"""Whether it was done is not known."""

_PAST: Final = {
    "approve": "approved",
    "cancel": "cancelled",
    "refuse": "refused",
    "acknowledge": "acknowledged",
    "agree": "agreed",
    "ship": "shipped",
    "receive": "received",
}
_DECISIONS: Final = ("approve", "cancel", "refuse")

Decide = Callable[[Shown], Awaitable[None]]
Report = Callable[[Records, Shown], Awaitable[None]]


class _Changed(Exception):
    """The purchase order is not as the form's page showed it: nothing was done."""


@router.post("/app/purchases/{po_id}/approve")
async def approve(visit: Writes, po_id: str) -> Response:
    """Have it sent."""

    async def act(shown: Shown) -> None:
        reason = asked.why(visit) if visit.field("why").strip() else ""
        await visit.here.purchasing.approve(
            po_id,
            by=visit.person.who,
            reason=reason,
            as_buyer=is_buyer(visit),
            seen_minor=shown.order.worth.minor,
        )

    return await _met(visit, po_id, "approve", act)


@router.post("/app/purchases/{po_id}/cancel")
async def cancel(visit: Writes, po_id: str) -> Response:
    """Cancel what has not come."""

    async def act(_: Shown) -> None:
        await visit.here.purchasing.cancel(po_id, by=visit.person.who, reason=asked.why(visit))

    return await _met(visit, po_id, "cancel", act)


@router.post("/app/purchases/{po_id}/acknowledge")
async def acknowledge(visit: Writes, po_id: str) -> Response:
    """The supplier's answer: how many come in all, and when."""

    async def act(here: Records, shown: Shown) -> None:
        told = asked.units(visit, [line.sku for line in shown.order.lines])
        due_on = asked.day(visit.field("due_on"))
        answer = {
            line.sku: Acknowledged(
                quantity=told.get(line.sku, line.quantity - line.cancelled),
                due_on=due_on or line.due_on,
            )
            for line in shown.order.lines
        }
        await here.purchasing.acknowledge(po_id, _key(visit), answer, who=visit.person.who)

    return await _reported(visit, po_id, "acknowledge", act)


@router.post("/app/purchases/{po_id}/agree")
async def agree(visit: Writes, po_id: str) -> Response:
    """The supplier's answer will do, although it is not what was ordered."""

    async def act(here: Records, _: Shown) -> None:
        reason = asked.why(visit) if visit.field("why").strip() else ""
        await here.purchasing.agree(po_id, _key(visit), who=visit.person.who, why=reason)

    return await _reported(visit, po_id, "agree", act)


@router.post("/app/purchases/{po_id}/ship")
async def ship(visit: Writes, po_id: str) -> Response:
    """The supplier has sent units on their way."""

    async def act(here: Records, shown: Shown) -> None:
        told = asked.units(visit, [line.sku for line in shown.order.lines])
        if not any(told.values()):
            raise NotAsked("no_units")
        carrier, tracked = visit.field("carrier").strip(), visit.field("tracking_number").strip()
        if bool(carrier) != bool(tracked):
            raise NotAsked("half_a_parcel")
        parcel = (carrier, tracked) if carrier else None
        await here.purchasing.ship(po_id, _key(visit), told, parcel=parcel, who=visit.person.who)

    return await _reported(visit, po_id, "ship", act)


@router.post("/app/purchases/{po_id}/receive")
async def receive(visit: Receives, po_id: str) -> Response:
    """Goods arrived. What is damaged is received as well, and written off with its reason."""

    async def act(here: Records, shown: Shown) -> None:
        skus = [line.sku for line in shown.order.lines]
        told = asked.units(visit, skus)
        ends = bool(visit.field("rest_is_cancelled"))
        if not ends and not any(told.values()):
            raise NotAsked("no_units")
        broken = {sku: asked.number(visit.field(f"damaged:{sku}")) or 0 for sku in skus}
        if any(n > told.get(sku, 0) for sku, n in broken.items()):
            raise NotAsked("more_damaged")
        key, who = _key(visit), visit.person.who
        await here.purchasing.receive(po_id, key, told, rest_is_cancelled=ends, who=who)
        for sku, n in broken.items():
            if n:
                place, reason = shown.order.location, f"{po_id}: came damaged"
                await here.stock.write_off(f"{key}:{sku}", sku, place, n, who=who, why=reason)

    return await _reported(visit, po_id, "receive", act)


@router.post("/app/purchases/{po_id}/refuse")
async def refuse(visit: Writes, po_id: str) -> Response:
    """The supplier will not serve it, or the rest of it."""

    async def act(here: Records, _: Shown) -> None:
        await here.purchasing.refuse(po_id, asked.why(visit), who=visit.person.who)

    return await _reported(visit, po_id, "refuse", act)


@router.post("/app/purchases/{po_id}/documents/{number}")
async def settle(visit: Writes, po_id: str, number: Number) -> Response:
    """Somebody has seen to what is wrong with a document of the supplier."""
    shown = await look(visit, po_id)
    document = next((one for one in shown.documents if one.document_no == number), None)
    if document is None:
        raise NotFound(f"{po_id} has no document {number}")

    async def act() -> str:
        note = f"{asked.why(visit)} ({visit.person.who})"
        if document.task is not None:
            await visit.here.edi.settle(number, note, document=True)
        return "po_document_settled"

    async def again(status: int, trouble: Sequence[str]) -> Response:
        told: dict[str, Any] = {"sent": visit.sent, "act": f"documents/{number}"}
        return await page(visit, await look(visit, po_id), status=status, trouble=trouble, **told)

    return await met(visit, act, f"app/purchases/{quote(po_id)}", again)


def _key(visit: Visit) -> str:
    return visit.field("request_id")


async def _reported(visit: Visit, po_id: str, name: str, act: Report) -> Response:
    """Write a report down if the purchase order is as it was when the form was shown."""

    async def write(shown: Shown) -> None:
        async with visit.here.in_one_transaction() as doors:
            if await doors.purchasing.hold(po_id) != visit.field("version"):
                raise _Changed
            await act(doors, shown)

    return await _met(visit, po_id, name, write)


async def _met(visit: Visit, po_id: str, name: str, act: Decide) -> Response:
    """Meet a form, if the purchase order is as it was when the form was shown.

    The same form sent twice is one request. What changed meanwhile is shown, with what was typed,
    and nothing is done.
    """
    then = f"app/purchases/{quote(po_id)}"
    shown = await look(visit, po_id)
    if await _was_met(visit, shown, name):
        return visit.lead(f"{then}?done=po_{_PAST[name]}")
    if shown.version != visit.field("version"):
        return await _news(visit, shown, name)

    async def again(status: int, trouble: Sequence[str]) -> Response:
        # What may be under way is asked for once more, not a second time.
        same = _key(visit).rpartition("-")[0] if status == _NOT_KNOWN else ""
        now = await look(visit, po_id)
        told: dict[str, Any] = {"sent": visit.sent, "act": name, "request_id": same}
        return await page(visit, now, status=status, trouble=trouble, **told)

    async def done() -> str:
        await act(shown)
        return f"po_{_PAST[name]}"

    try:
        return await met(visit, done, then, again)
    except _Changed:
        now = await look(visit, po_id)
        if await _was_met(visit, now, name):
            return visit.lead(f"{then}?done=po_{_PAST[name]}")
        return await _news(visit, now, name)


async def _news(visit: Visit, now: Shown, name: str) -> Response:
    """What happened since the form was shown. Nothing was done."""
    news = now.story[whole(visit.field("version").partition(".")[0]) :]
    told = [visit.words("po_changed_meanwhile")]
    return await page(visit, now, status=409, trouble=told, news=news, sent=visit.sent, act=name)


async def _was_met(visit: Visit, shown: Shown, name: str) -> bool:
    """Whether this very form was met before. A decision has no key: it is known by who and why."""
    if name in _DECISIONS:
        mine = visit.person.who, visit.field("why").strip()
        seen = whole(visit.field("version").partition(".")[0])
        since = shown.story[seen:]
        return any(event.what == _PAST[name] and (event.who, event.why) == mine for event in since)
    return await visit.here.purchasing.was_told(shown.order.po_id, f"{name}:{_key(visit)}")
