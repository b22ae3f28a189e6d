"""Templates of messages: looked at as mails, compared with the built-in ones, set and reset.

A mail has styles of its own, which no page of ours may have. So it is shown in a frame that can do
nothing: no script, no form, no address of ours, and nothing is loaded.
"""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from typing import Annotated, Final, get_args

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict
from starlette.responses import HTMLResponse, Response

from domain.errors import InvalidInput, NotFound
from domain.messages.kinds import KINDS, MessageKind
from domain.messages.rendering import SOURCE_MAX, source_of
from domain.seen import check_seen, version_of
from domain.sellers import LANGUAGES, Language
from starter.service.messages import Sample
from starter.web.guards import HEADERS
from starter.web.screens.faults_told import faults_told
from starter.web.screens.forms import met, told_by
from starter.web.screens.visits import ScreenRoute, Visit, may
from starter.web.setup.fields import is_stale
from starter.web.setup.parts import show

router = APIRouter(include_in_schema=False, route_class=ScreenRoute)

Reads = Annotated[Visit, may("sellers:read")]
Writes = Annotated[Visit, may("sellers:read", "sellers:write")]
_AT: Final = "app/setup/templates"
MAIL_HEADERS: Final = {
    **HEADERS,
    "Content-Security-Policy": "sandbox; default-src 'none'; style-src 'unsafe-inline'; "
    "img-src data:; frame-ancestors 'self'",
}


class _Source(BaseModel):
    """A template as somebody saw it."""

    model_config = ConfigDict(frozen=True)

    source: str


@router.get("/app/setup/templates")
async def templates(visit: Reads, seller: str = "", language: str = "", done: str = "") -> Response:
    """All kinds of messages of a seller in a language, and which of them are its own."""
    known = await _sellers(visit)
    whose = seller if seller in known else next(iter(known), "")
    chosen = next((one for one in LANGUAGES if one == language), visit.words.language)
    own = {
        one.kind: one
        for one in await visit.here.messages.templates(whose)
        if one.language == chosen
    }
    return show(
        visit,
        "templates",
        told=told_by(visit, done),
        kinds=[(kind, own.get(kind)) for kind in KINDS],
        seller=whose,
        sellers=known,
        language=chosen,
        languages=[(one, visit.words(f"in_{one}")) for one in LANGUAGES],
    )


@router.get("/app/setup/templates/{seller}/{kind}/{language}")
async def template(visit: Reads, seller: str, kind: str, language: str, done: str = "") -> Response:
    """One as it is used, and what it makes of an order that was never placed."""
    return await _page(
        visit, *await _named(visit, seller, kind, language), told=told_by(visit, done)
    )


@router.post("/app/setup/templates/{seller}/{kind}/{language}")
async def change(visit: Writes, seller: str, kind: str, language: str) -> Response:
    """Look at what was typed, save it, or go back to the built-in one."""
    named = await _named(visit, seller, kind, language)
    source = visit.field("source").replace("\r\n", "\n")[: SOURCE_MAX + 1]
    act_on, door = visit.field("act"), visit.here.messages
    if act_on == "look":
        return await _page(visit, *named, source=source)

    async def act() -> str:
        check_seen(_Source(source=await door.template(*named)), visit.field("seen"), kind)
        if act_on == "reset":
            await door.reset_template(*named)
            return "template_reset"
        await door.set_template(*named, source, by=visit.person.who)
        return "template_saved"

    async def again(status: int, trouble: Sequence[str]) -> Response:
        return await _page(visit, *named, source=source, status=status, trouble=trouble)

    return await met(visit, act, f"{_AT}/{seller}/{kind}/{language}", again)


@router.get("/app/setup/templates/{seller}/{kind}/{language}/mail")
async def mail(visit: Reads, seller: str, kind: str, language: str) -> Response:
    """The mail alone, for the frame: as the template that is used makes it."""
    made = await visit.here.messages.sample(*await _named(visit, seller, kind, language))
    return HTMLResponse(made.html, headers=MAIL_HEADERS)


@router.post("/app/setup/templates/{seller}/{kind}/{language}/mail")
async def mail_of(visit: Reads, seller: str, kind: str, language: str) -> Response:
    """The same, as what was typed makes it."""
    named = await _named(visit, seller, kind, language)
    source = visit.field("source").replace("\r\n", "\n")
    made = await visit.here.messages.sample(*named, source)
    return HTMLResponse(made.html, headers=MAIL_HEADERS)


async def _sellers(visit: Visit) -> list[str]:
    mine = visit.person.grant.sellers
    known = [one.seller for one in await visit.here.sellers.list()]
    return [one for one in known if mine is None or one in mine]


async def _named(
    visit: Visit, seller: str, kind: str, language: str
) -> tuple[str, MessageKind, Language]:
    """Raises NotFound."""
    which = next((one for one in get_args(MessageKind) if one == kind), None)
    reads = next((one for one in LANGUAGES if one == language), None)
    if which is None or reads is None or seller not in await _sellers(visit):
        raise NotFound("there is no such template")
    return seller, which, reads


async def _page(
    visit: Visit,
    seller: str,
    kind: MessageKind,
    language: Language,
    *,
    source: str | None = None,
    status: int = 200,
    told: str = "",
    trouble: Sequence[str] = (),
) -> Response:
    """`source`: what was typed; None: nothing was."""
    door = visit.here.messages
    used, built_in = await door.template(seller, kind, language), source_of(kind, language)
    shown, kept = used if source is None else source, _Source(source=used)
    made: Sample | None = None
    try:
        made = await door.sample(seller, kind, language, source)
    except InvalidInput as wrong:
        visit.faults = {"source": faults_told(visit.words, wrong)[0][1]}
        status, trouble = max(status, 422), trouble or [visit.words("template_does_not_work")]
    return show(
        visit,
        "template",
        status=status,
        told=told,
        trouble=trouble,
        seller=seller,
        kind=kind,
        language=language,
        at=f"{_AT}/{seller}/{kind}/{language}",
        source=shown,
        typed=source is not None,
        seen=version_of(kept),
        news=_difference(used, shown) if is_stale(visit, kept) else [],
        is_own=used != built_in,
        difference=_difference(built_in, shown),
        sample=made,
        parts=await door.what_can_be_inserted(seller, language),
        most=SOURCE_MAX,
        may_write=visit.person.allows("sellers:write"),
    )


def _difference(built_in: str, shown: str) -> list[tuple[str, str]]:
    """Line by line what is other than in the built-in one: its sign (+, -, @ or none), the line."""
    lines = difflib.unified_diff(built_in.splitlines(), shown.splitlines(), lineterm="", n=2)
    return [(line[:1], line[1:]) for line in list(lines)[2:]]
