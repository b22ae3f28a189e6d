"""Signing in by a password, and signing out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from ipaddress import ip_address, ip_network
from typing import Annotated, Final
from urllib.parse import quote

from fastapi import APIRouter, Request
from limits import RateLimitItemPerMinute
from starlette.responses import Response

from domain.staff.sessions import TooManyTries, WrongSignIn
from starter.web.assets import FOR_EVER
from starter.web.guards import HEADERS, form, turns_of
from starter.web.packing import packed
from starter.web.screens import cookies
from starter.web.screens.devices import device_of, remember
from starter.web.screens.openid import name_of
from starter.web.screens.templates import ASSETS, lead, shown
from starter.web.screens.visits import (
    SIGN_IN,
    ScreenRoute,
    Visit,
    apart,
    browser_of,
    here,
    in_words,
    may,
    words_for,
)

router = APIRouter(include_in_schema=False, route_class=ScreenRoute)

TRIES: Final = RateLimitItemPerMinute(30)
"""Of one network, whatever logins it tries."""


@router.get("/app/sign-in")
async def sign_in_page(request: Request, next: str = "app") -> Response:
    """The form. Whoever is signed in goes on at once."""
    if await _is_signed_in(request):
        return lead(request, cookies.ours(next))
    return _form(request, onward=cookies.ours(next))


@router.post("/app/sign-in")
async def sign_in(request: Request) -> Response:
    """Open a session, and go on where somebody wanted to."""
    sent = await form(request)
    login, onward = sent.get("login", ""), cookies.ours(sent.get("next", ""))
    words = words_for(request, None)
    if not turns_of(request).takes(TRIES, f"sign-in {_network(request)}"):
        trouble = [words.many("too_many_tries", 60)]
        return _form(request, onward=onward, login=login, status=429, trouble=trouble)
    browser = replace(browser_of(request), known_as=(await device_of(request)).name_for(login))
    try:
        token = await here(request).staff.sign_in(login, sent.get("password", ""), browser)
    except (WrongSignIn, TooManyTries) as no:
        status = 429 if isinstance(no, TooManyTries) else 403
        told = in_words(words, no)
        return _form(request, onward=onward, login=login, status=status, trouble=told)
    answer = cookies.signed_in(request, token, onward)
    await remember(request, answer, login)
    return answer


@router.get("/app/signed-in")
async def check_cookie(request: Request, next: str = "app") -> Response:
    """Go on, if the browser has kept the session: without TLS it does not."""
    if await _is_signed_in(request):
        return lead(request, cookies.ours(next))
    return apart(request, 403, words_for(request, None)("no_cookie"))


@router.post("/app/sign-out")
async def sign_out(visit: Annotated[Visit, may()]) -> Response:
    """End the session, here and on the server."""
    await visit.here.staff.sign_out(visit.token, who=visit.person.who)
    answer = visit.lead(SIGN_IN)
    cookies.drop(answer, cookies.SESSION)
    return answer


@router.get("/app/files/{name}")
async def file(request: Request, name: str) -> Response:
    """A style sheet or a script. Its name has a digest, so it is kept for ever."""
    found = ASSETS.get(name)
    if found is None:
        return apart(request, 404, words_for(request, None)("nothing_here"))
    headers = {**HEADERS, **FOR_EVER}
    return packed(request, Response(found.content, headers=headers, media_type=found.media_type))


def _network(request: Request) -> str:
    """Who asks, as tries are counted: of an IPv6 address its /64, which one customer has whole."""
    told = request.client.host if request.client else ""
    try:
        address = ip_address(told)
    except ValueError:  # a socket of this machine
        return told
    return told if address.version == 4 else str(ip_network(f"{told}/64", strict=False))


async def _is_signed_in(request: Request) -> bool:
    token = request.cookies.get(cookies.SESSION, "")
    return bool(token) and await here(request).staff.person(token) is not None


def _form(
    request: Request,
    *,
    onward: str,
    login: str = "",
    status: int = 200,
    trouble: Sequence[str] = (),
) -> Response:
    return shown(
        request,
        "screens/sign_in",
        words_for(request, None),
        None,
        status=status,
        trouble=trouble,
        onward=onward,
        login=login,
        openid=name_of(request),
        openid_at=f"app/openid?next={quote(onward, safe='')}",
    )
