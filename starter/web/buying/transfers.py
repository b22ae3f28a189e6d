"""Goods on their way from one location to another: listed, and received."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Final
from urllib.parse import quote, urlencode

from fastapi import APIRouter
from starlette.responses import Response

from domain.errors import NotFound
from starter.web.buying import asked
from starter.web.buying.limits import places
from starter.web.buying.shown import show_stock
from starter.web.screens.forms import NotAsked, Said, met, told_by
from starter.web.screens.visits import ScreenRoute, Visit, may
from store.stock.transfers import Transfer

router = APIRouter(include_in_schema=False, route_class=ScreenRoute)

Reads = Annotated[Visit, may("stock:read")]
_PAGE: Final = 50


@router.get("/app/transfers")
async def transfers(visit: Reads, all: str = "", after: str = "") -> Response:
    """Those under way, or all, the oldest first. `after`: behind the one of this moment and id."""
    found = await visit.here.transfers.list(
        under_way=not all, locations=places(visit), after=_place(after), at_most=_PAGE + 1
    )
    rows = found[:_PAGE]
    onward = {"all": "1" if all else ""}
    if len(found) > _PAGE:
        onward["after"] = f"{rows[-1].sent_at.isoformat()}~{rows[-1].transfer_id}"
    return show_stock(
        visit,
        "buying/transfers",
        transfers=rows,
        all=bool(all),
        more=urlencode({k: v for k, v in onward.items() if v}) if "after" in onward else "",
    )


@router.get("/app/transfers/{transfer_id}")
async def transfer(visit: Reads, transfer_id: str, done: str = "") -> Response:
    """One of them."""
    return _page(visit, await _look(visit, transfer_id), told=told_by(visit, done))


@router.post("/app/transfers/{transfer_id}")
async def receive(
    visit: Annotated[Visit, may("stock:read", "stock:write")], transfer_id: str
) -> Response:
    """What arrived of it. It is received where it goes."""
    one = await _look(visit, transfer_id)
    if not visit.person.works_at(one.to_location):
        raise NotFound(f"there is no transfer {transfer_id}", reason="no_transfer")

    async def act() -> str:
        told = asked.units(visit, [line.sku for line in one.lines])
        ends = bool(visit.field("rest_is_lost"))
        if not ends and not any(told.values()):
            raise NotAsked("no_units")
        await visit.here.transfers.receive(
            *(transfer_id, visit.field("request_id"), told),
            rest_is_lost=ends,
            who=visit.person.who,
        )
        return "transfer_received"

    async def again(status: int, trouble: Sequence[str]) -> Response:
        now = await _look(visit, transfer_id)
        return _page(visit, now, status=status, trouble=trouble, sent=visit.sent)

    return await met(visit, act, f"app/transfers/{quote(transfer_id)}", again)


async def _look(visit: Visit, transfer_id: str) -> Transfer:
    """A transfer. Raises NotFound, also for one of other locations."""
    one = await visit.here.transfers.get(transfer_id)
    if not (visit.person.works_at(one.from_location) or visit.person.works_at(one.to_location)):
        raise NotFound(f"there is no transfer {transfer_id}", reason="no_transfer")
    return one


def _page(
    visit: Visit,
    one: Transfer,
    *,
    status: int = 200,
    told: str = "",
    trouble: Sequence[str] = (),
    sent: dict[str, list[str]] | None = None,
) -> Response:
    may_receive = visit.person.allows("stock:write") and visit.person.works_at(one.to_location)
    return show_stock(
        visit,
        "buying/transfer",
        status=status,
        told=told,
        trouble=trouble,
        one=one,
        said=Said.of(sent),
        is_answer=sent is not None,
        may_receive=may_receive and one.closed_at is None,
        request_id=asked.new_request(),
    )


def _place(text: str) -> tuple[datetime, str] | None:
    """Where a page begins; None: at the first one, also for what is no place."""
    at, mark, transfer_id = text.partition("~")
    try:
        moment = datetime.fromisoformat(at)
    except ValueError:
        return None
    return (moment, transfer_id) if mark and moment.tzinfo is not None else None
