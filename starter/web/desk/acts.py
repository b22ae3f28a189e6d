"""What is done with an order: its forms, each met once, and never over what others have changed."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Annotated, Any, Final
from urllib.parse import quote

from fastapi import APIRouter
from starlette.responses import Response

from domain.errors import Refused
from domain.orders.hold_messages import HoldRequest, ReleaseRequest
from domain.orders.messages import AttentionAnswer, CancelRequest
from starter.service.service import Service
from starter.web.desk.order_page import look, page
from starter.web.screens.forms import NotAsked, met, whole
from starter.web.screens.visits import ScreenRoute, Visit, may

router = APIRouter(include_in_schema=False, route_class=ScreenRoute)

Decides = Annotated[Visit, may("orders:read", "orders:write")]
Cancels = Annotated[Visit, may("orders:read", "aftersales:write")]
_UNITS: Final = "units:"
_NOT_KNOWN: Final = 503
"""Whether it was done is not known."""


@router.post("/app/orders/{order_id}/cancel")
async def cancel(visit: Cancels, order_id: str) -> Response:
    """Do not send the chosen units."""

    async def act(here: Service) -> str:
        lines = _lines(visit.sent)
        if not lines:
            raise NotAsked("no_units")
        asked = CancelRequest.model_validate(
            {**_named(visit), "reason": visit.field("reason"), "lines": lines}
        )
        outcome = await here.aftersales.cancel(order_id, asked)
        if outcome.outcome == "refused":
            raise Refused(outcome.message)
        return "cancelled" if outcome.outcome == "cancelled" else "partly_cancelled"

    return await _met(visit, order_id, act)


@router.post("/app/orders/{order_id}/hold")
async def hold(visit: Decides, order_id: str) -> Response:
    """Keep the goods here until somebody has looked."""

    async def act(here: Service) -> str:
        said = {"reason": visit.field("why"), "note": visit.field("note")}
        await here.holds.hold(order_id, HoldRequest.model_validate({**_named(visit), **said}))
        return "held"

    return await _met(visit, order_id, act)


@router.post("/app/orders/{order_id}/release")
async def release(visit: Decides, order_id: str) -> Response:
    """End one hold."""

    async def act(here: Service) -> str:
        said = {"hold": visit.field("hold"), "note": visit.field("note")}
        asked = ReleaseRequest.model_validate({**_named(visit), **said})
        await here.holds.release(order_id, asked)
        return "released"

    return await _met(visit, order_id, act)


@router.post("/app/orders/{order_id}/resolve")
async def resolve(visit: Decides, order_id: str) -> Response:
    """Decide about a step that waits for a person."""

    async def act(here: Service) -> str:
        said = {name: visit.field(name) for name in ("step", "action", "note")}
        answer = AttentionAnswer.model_validate({**said, "by": visit.person.who})
        await here.resolve(order_id, answer)
        return "resolved"

    return await _met(visit, order_id, act)


async def _met(visit: Visit, order_id: str, act: Callable[[Service], Awaitable[str]]) -> Response:
    """Meet a form, if the order is as it was when the form was shown, and show what came of it.

    The same form sent twice is one request: it carries the request's id. What changed meanwhile is
    shown, with what was typed, and nothing is done.
    """
    shown = await look(visit, order_id)
    kept = await visit.here.orders.answer_of(order_id, visit.field("request_id"))
    if kept is None and shown.version != visit.field("version"):
        seen = whole(visit.field("seen"))
        news = [event for event in shown.detail.story if event.event_id > seen]
        told = [visit.words("changed_meanwhile")]
        return page(visit, shown, status=409, trouble=told, news=news, sent=visit.sent)

    async def again(status: int, trouble: Sequence[str]) -> Response:
        # What may be under way is asked for once more, not a second time.
        same = visit.field("request_id").rpartition("-")[0] if status == _NOT_KNOWN else ""
        now = await look(visit, order_id)
        return page(visit, now, status=status, trouble=trouble, sent=visit.sent, request_id=same)

    then = f"app/orders/{quote(order_id)}"
    return await met(visit, lambda: act(visit.here), then, again)


def _named(visit: Visit) -> dict[str, Any]:
    return {"request_id": visit.field("request_id"), "by": visit.person.who}


def _lines(sent: dict[str, list[str]]) -> list[dict[str, Any]]:
    """The units that were chosen, line by line."""
    chosen = [
        (name.removeprefix(_UNITS), values[0])
        for name, values in sent.items()
        if name.startswith(_UNITS)
    ]
    return [{"line_id": line, "quantity": n} for line, text in chosen if (n := whole(text))]
