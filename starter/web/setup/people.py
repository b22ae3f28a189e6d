"""Who may sign in: let people in, change what they may, and keep them out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from fastapi import APIRouter
from pydantic import ValidationError
from starlette.responses import Response

from domain.errors import Conflict, InvalidInput, NotFound, Refused
from domain.seen import version_of
from domain.staff.people import Staff, StaffChange, StaffRequest
from domain.staff.roles import ROLES
from starter.service.staff import NewStaff
from starter.web.screens.forms import by_field, told_by
from starter.web.screens.visits import LetsIn, Number, ScreenRoute, Visit, in_words
from starter.web.screens.zones import zone_named
from starter.web.setup.fields import is_stale
from starter.web.setup.parts import show

router = APIRouter(include_in_schema=False, route_class=ScreenRoute)

_PAGE: Final = 100
_TEXTS: Final = ("name", "email", "language", "time_zone")


@router.get("/app/staff")
async def people(visit: LetsIn, after: str = "", all: str = "") -> Response:
    """Everybody, by login."""
    found = await visit.here.staff.list(
        disabled=bool(all), by=visit.person, after=after or None, limit=_PAGE + 1
    )
    more = found[_PAGE - 1].login if len(found) > _PAGE else ""
    return show(visit, "people", people=found[:_PAGE], more=more, all=bool(all))


@router.get("/app/staff/new")
async def new(visit: LetsIn) -> Response:
    """The form for somebody new."""
    return await _form(visit, {})


@router.post("/app/staff/new")
async def add(visit: LetsIn) -> Response:
    """Let somebody in, and show their first password: this once."""
    said = {"login": visit.field("login"), **_said(visit)}
    try:
        wanted = StaffRequest.model_validate({k: v for k, v in said.items() if v})
        made = await visit.here.staff.make(wanted, who=visit.person.who, by=visit.person)
    except (ValidationError, InvalidInput, Refused) as no:
        if not isinstance(no, Refused):
            visit.faults = by_field(visit.words, no)
        return await _form(visit, said, status=422, trouble=in_words(visit.words, no))
    return _once(visit, made)


@router.get("/app/staff/{login}")
async def person(visit: LetsIn, login: str, done: str = "") -> Response:
    """One person, with what can be changed."""
    return await _one(visit, login, done=done)


@router.post("/app/staff/{login}")
async def change(visit: LetsIn, login: str) -> Response:
    """Make something of a person different."""
    said = _said(visit)
    try:
        wanted = StaffChange.model_validate({k: v or None for k, v in said.items()})
        seen = visit.field("seen") or None
        await visit.here.staff.change(login, wanted, by=visit.person, seen=seen)
    except NotFound:
        raise
    except (ValidationError, InvalidInput, Refused) as no:
        status = 409 if isinstance(no, Conflict) else 422
        if not isinstance(no, Refused):
            visit.faults = by_field(visit.words, no)
        trouble = in_words(visit.words, no)
        return await _one(visit, login, said, status=status, trouble=trouble)
    return visit.lead(f"app/staff/{login}?done=changed")


@router.post("/app/staff/{login}/disable")
async def disable(visit: LetsIn, login: str) -> Response:
    """Let them in no more."""
    await visit.here.staff.disable(login, who=visit.person.who, by=visit.person)
    return visit.lead(f"app/staff/{login}?done=disabled")


@router.post("/app/staff/{login}/enable")
async def enable(visit: LetsIn, login: str) -> Response:
    """Let them in again."""
    await visit.here.staff.enable(login, by=visit.person)
    return visit.lead(f"app/staff/{login}?done=enabled")


@router.post("/app/staff/{login}/password")
async def reset_password(visit: LetsIn, login: str) -> Response:
    """Give them a new first password, and show it: this once."""
    made = await visit.here.staff.reset_password(login, who=visit.person.who, by=visit.person)
    return _once(visit, made)


@router.post("/app/staff/{login}/sessions/{session_no}/end")
async def end_session(visit: LetsIn, login: str, session_no: Number) -> Response:
    """Sign them out somewhere."""
    await visit.here.staff.end_session(session_no, who=visit.person.who, of=login, by=visit.person)
    return visit.lead(f"app/staff/{login}?done=session")


def _said(visit: Visit) -> dict[str, Any]:
    """What the form says, by the names of the fields. An empty one stands for all, or for none."""
    said: dict[str, Any] = {name: visit.field(name) for name in _TEXTS}
    said["time_zone"] = zone_named(said["time_zone"])
    lists = {
        name: [one for one in visit.sent.get(name, []) if one]
        for name in ("roles", "channels", "sellers", "locations")
    }
    return {**said, **lists}


async def _form(
    visit: Visit, said: dict[str, Any], *, status: int = 200, trouble: Sequence[str] = ()
) -> Response:
    empty = {"login": "", "roles": [], **dict.fromkeys(_TEXTS, "")}
    some = {kind: sorted(limit or ()) for kind, limit in _limits(visit).items()}
    return show(
        visit,
        "new_person",
        status=status,
        trouble=trouble,
        one={**empty, **some, **said},
        **await _choices(visit),
    )


async def _one(
    visit: Visit,
    login: str,
    said: dict[str, Any] | None = None,
    *,
    status: int = 200,
    done: str = "",
    trouble: Sequence[str] = (),
) -> Response:
    """`said`: what was typed into the form, which was not met."""
    one = await visit.here.staff.get(login, by=visit.person)
    typed = {**one.wanted().model_dump(), **(said or {})}
    return show(
        visit,
        "person",
        status=status,
        told=told_by(visit, done),
        trouble=trouble,
        person_now=one,
        one=typed,
        seen=version_of(one.wanted()),
        others=_differing(one, typed) if is_stale(visit, one.wanted()) else [],
        sessions=await visit.here.staff.sessions(login),
        **await _choices(visit),
    )


def _differing(now: Staff, typed: dict[str, Any]) -> list[tuple[str, str]]:
    """What is kept now in the fields in which something else was typed."""
    told = now.wanted().model_dump(mode="json", exclude={"login"})
    return [
        (name, ", ".join(value) if isinstance(value, list) else value or "–")
        for name, value in told.items()
        if (value or None) != (typed[name] or None)
    ]


async def _choices(visit: Visit) -> dict[str, Any]:
    """What can be ticked: of what is theirs. `is_limited`: of which there is no "all" for them."""
    every = {
        "channels": [x.channel for x in await visit.here.channels.list()],
        "sellers": [x.seller for x in await visit.here.sellers.list()],
        "locations": [x.location for x in await visit.here.locations.list()],
    }
    limits = _limits(visit)
    return {
        "roles": ROLES,
        "is_limited": {kind for kind, limit in limits.items() if limit is not None},
        "choices": {
            kind: [one for one in known if limits[kind] is None or one in (limits[kind] or ())]
            for kind, known in every.items()
        },
    }


def _limits(visit: Visit) -> dict[str, frozenset[str] | None]:
    """What who asks is for; None: all of them."""
    grant = visit.person.grant
    return {
        "channels": grant.channels,
        "sellers": grant.sellers,
        "locations": visit.person.locations,
    }


def _once(visit: Visit, made: NewStaff) -> Response:
    return show(visit, "password_once", one=made.staff, password=made.password.get_secret_value())
