"""What is one's own: the password, the language, and where one is signed in."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter
from pydantic import ValidationError
from starlette.responses import Response

from domain.errors import InvalidInput
from domain.staff.people import StaffChange
from domain.staff.sessions import TooManyTries, WrongSignIn
from starter.web.screens.forms import told_by
from starter.web.screens.visits import Number, ScreenRoute, Visit, in_words, may
from starter.web.screens.zones import zone_named

router = APIRouter(include_in_schema=False, route_class=ScreenRoute)


@router.get("/app/me")
async def me(visit: Annotated[Visit, may()], done: str = "") -> Response:
    """All of it."""
    return await _show(visit, done=done)


@router.post("/app/me/password")
async def change_password(visit: Annotated[Visit, may()]) -> Response:
    """Replace the password. All other sessions end."""
    old, new = visit.field("old"), visit.field("new")
    if new != visit.field("again"):
        return await _show(visit, status=422, trouble=[visit.words("why_not_twice")])
    try:
        await visit.here.staff.change_password(visit.person, old, new)
    except (WrongSignIn, TooManyTries, InvalidInput) as no:
        told = [visit.words("why_wrong_password")]
        if not isinstance(no, WrongSignIn):
            told = in_words(visit.words, no)
        return await _show(visit, status=422, trouble=told)
    return visit.lead("app/me?done=password")


@router.post("/app/me/language")
async def change_language(visit: Annotated[Visit, may()]) -> Response:
    """Read the screens in another language, and moments in another time zone."""
    zone = zone_named(visit.field("time_zone"))
    said = {"language": visit.field("language") or None, "time_zone": zone or None}
    try:
        change = StaffChange.model_validate(said)
    except ValidationError as wrong:
        return await _show(visit, status=422, trouble=in_words(visit.words, wrong))
    await visit.here.staff.change(visit.person.login, change)
    return visit.lead("app/me?done=language")


@router.post("/app/me/keys")
async def change_keys(visit: Annotated[Visit, may()]) -> Response:
    """Have letters be commands, or not."""
    on = visit.field("single_keys") == "1"
    await visit.here.staff.set_single_keys(visit.person.login, on=on)
    return visit.lead("app/me?done=keys")


@router.post("/app/me/sessions/{session_no}/end")
async def end_session(visit: Annotated[Visit, may()], session_no: Number) -> Response:
    """Sign oneself out somewhere else."""
    login = visit.person.login
    await visit.here.staff.end_session(session_no, who=visit.person.who, of=login)
    return visit.lead("app/me?done=session")


async def _show(
    visit: Visit, *, status: int = 200, done: str = "", trouble: Sequence[str] = ()
) -> Response:
    return visit.show(
        "screens/me",
        status=status,
        told=told_by(visit, done),
        trouble=trouble,
        sessions=await visit.here.staff.sessions(visit.person.login),
        said_zone=visit.field("time_zone"),
    )
