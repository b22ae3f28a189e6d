"""Who looks at a screen: found by their session, and asked for what the screen takes."""

from __future__ import annotations

import re
from collections.abc import Callable, Coroutine
from typing import Annotated, Any, Final, TypeAlias
from urllib.parse import quote

from fastapi import Depends, Path, Request, Security
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from fastapi.security import SecurityScopes
from pydantic import ValidationError
from starlette.responses import Response

from domain.access.keys import Scope
from domain.errors import InvalidInput, NotFound, OrderloomError, Refused, Unreachable
from domain.staff.people import Person
from domain.staff.sessions import TooManyTries
from starter.service.service import Service
from starter.service.staff import Browser
from starter.web.amounts import TwoReadings
from starter.web.guards import BadForm, form_lists, is_foreign
from starter.web.screens import cookies
from starter.web.screens.counts import counts_of
from starter.web.screens.faults_told import faults_told
from starter.web.screens.labels import about
from starter.web.screens.templates import filled, lead, shown
from starter.web.screens.words import screen_words
from starter.web.words import Words, accepted

SIGN_IN: Final = "app/sign-in"
BY_ITSELF: Final = "orderloom-by-itself"
"""The header of what a page asks that nobody has clicked."""

_SAFE: Final = ("GET", "HEAD")
_PLAIN: Final = "/~:@!$&'()*+,;="
"""What a path has as it is."""

_BEFORE_IT: Final = re.compile(r"/app/(me(/.*)?|sign-out)\Z")
"""What somebody may do before they have a password of their own."""
_STATUS: Final = ((NotFound, 404), (TooManyTries, 429), (Refused, 409), (Unreachable, 503))


Number = Annotated[int, Path(ge=1, le=2**63 - 1)]
"""Of a row, in an address."""


class Visit:
    """Somebody who is signed in, at a screen. `sent`: the fields of a form."""

    def __init__(
        self, request: Request, person: Person, token: str, sent: dict[str, list[str]]
    ) -> None:
        self.request = request
        self.person = person
        self.token = token
        self.sent = sent
        self.here = here(request)
        self.words = words_for(request, person)
        self.faults: dict[str, str] = {}
        """What is wrong with the form, by the names of its fields: `part.field` shows it there."""

    def field(self, name: str) -> str:
        """A field of the form; "" where it is not there."""
        return self.sent.get(name, [""])[0]

    def amount(self, name: str) -> str:
        """An amount or a rate in a field, as documents have it. Raises InvalidInput."""
        return self.amount_in(self.field(name), name)

    def amount_in(self, typed: str, where: str) -> str:
        """The same of what was typed there."""
        try:
            return self.words.amount(typed)
        except TwoReadings:
            reason = "amount_two_ways"
            raise InvalidInput("can be read in two ways", where=where, reason=reason) from None

    def show(self, name: str, **values: Any) -> Response:
        """A screen for them."""
        told = {"faults": self.faults, **values}
        return shown(self.request, name, self.words, self.person, **told)

    def piece(self, name: str, **values: Any) -> str:
        """A part of a screen, for a page that puts it in its place."""
        return filled(self.request, name, self.words, self.person, **values)

    def lead(self, path: str) -> Response:
        """Go on at another address of ours."""
        return lead(self.request, path)


class Elsewhere(Exception):
    """The screen is not shown, but this is answered."""

    def __init__(self, response: Response) -> None:
        super().__init__()
        self.response = response


class ScreenRoute(APIRoute):
    """A route whose every answer is a page. A form comes from a page of ours, or not at all."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The framework asks for this once for each route."""
        handler = super().get_route_handler()

        async def answer(request: Request) -> Response:
            try:
                if request.method not in _SAFE and is_foreign(request, null_is_ours=False):
                    words = words_for(request, None)
                    return apart(request, 403, words("foreign"))
                if _has_nul(request):
                    raise RequestValidationError([])
                return await handler(request)
            except Elsewhere as elsewhere:
                return elsewhere.response
            except RequestValidationError:  # no address of ours
                return apart(request, 404, words_for(request, None)("nothing_here"))
            except BadForm:
                return apart(request, 422, words_for(request, None)("bad_form"))
            except OrderloomError as error:
                visit: Visit | None = getattr(request.state, "visit", None)
                words = words_for(request, None if visit is None else visit.person)
                status = next((code for kind, code in _STATUS if isinstance(error, kind)), 422)
                return apart(request, status, *in_words(words, error))
            finally:
                if request.method not in _SAFE:
                    counts_of(request).forget()  # A form may have done what waited for somebody.

        return answer


def _has_nul(request: Request) -> bool:
    """Whether its address has a sign that no text of ours has, and no database takes."""
    return any("\0" in part for part in (request.scope["path"], *request.query_params.values()))


def apart(request: Request, status: int, *trouble: str) -> Response:
    """A page that says why there is no other one."""
    visit: Visit | None = getattr(request.state, "visit", None)
    person = None if visit is None else visit.person
    words = words_for(request, person)
    return shown(request, "screens/apart", words, person, status=status, trouble=trouble)


async def visit_of(request: Request, scopes: SecurityScopes) -> Visit:
    """Who looks, and may do this. Raises Elsewhere."""
    visit = await _signed_in(request)
    if visit.person.must_change and not _BEFORE_IT.match(request.url.path):
        raise Elsewhere(visit.lead("app/me"))
    lacking = [scope for scope in scopes.scopes if scope not in visit.person.grant.scopes]
    if lacking:
        why = visit.words("may_not", scopes=", ".join(lacking))
        raise Elsewhere(apart(request, 403, why))
    return visit


def may(*scopes: Scope) -> Any:
    """Who looks at a screen, and needs these scopes: `visit: Annotated[Visit, may("…")]`."""
    return Security(visit_of, scopes=scopes)


async def _who_lets_in(request: Request, visit: Annotated[Visit, may()]) -> Visit:
    if not visit.person.lets_in:
        raise Elsewhere(apart(request, 403, visit.words("lets_nobody_in")))
    return visit


LetsIn: TypeAlias = Annotated[Visit, Depends(_who_lets_in)]
"""Who looks at a screen, and lets people in: of the whole shop, or of what they are for."""


async def _signed_in(request: Request) -> Visit:
    """Raises Elsewhere, to where somebody signs in, and BadForm."""
    token = request.cookies.get(cookies.SESSION, "")
    person = await person_at(request)
    if person is None:
        asked = "app"
        if request.method in _SAFE:
            query = f"?{request.url.query}" if request.url.query else ""
            asked = f"{quote(request.url.path, safe=_PLAIN).lstrip('/')}{query}"
        raise Elsewhere(lead(request, f"{SIGN_IN}?next={quote(asked, safe='')}"))
    sent = {} if request.method in _SAFE else await form_lists(request)
    visit = Visit(request, person, token, sent)
    request.state.visit = visit
    if BY_ITSELF not in request.headers:
        request.state.place_counts = await counts_of(request).of(visit.here, person)
    return visit


async def person_at(request: Request) -> Person | None:
    """Who is signed in. What an open page asks by itself keeps no session from ending."""
    token = request.cookies.get(cookies.SESSION, "")
    if not token:
        return None
    if BY_ITSELF in request.headers:
        return (await here(request).staff.people([token])).get(token)
    return await here(request).staff.person(token)


def words_for(request: Request, person: Person | None) -> Words:
    """In the language that they have chosen, or that their browser asks for."""
    chosen = None if person is None else person.language
    zone = None if person is None else person.time_zone
    language = chosen or accepted(request.headers.get("accept-language", ""))
    return screen_words(language, zone or "UTC")


def here(request: Request) -> Service:
    """All doors."""
    found: Service = request.app.state.service
    return found


def browser_of(request: Request) -> Browser:
    """Where somebody signs in."""
    address = request.client.host if request.client else ""
    return Browser(request.headers.get("user-agent", ""), address)


def in_words(words: Words, error: Exception) -> list[str]:
    """What is wrong, a sentence each: the rule's own, or the error's where the rule has none."""
    if isinstance(error, ValidationError) or (isinstance(error, InvalidInput) and error.where):
        return [about(*one) for one in faults_told(words, error)]
    if isinstance(error, TooManyTries):
        return [words.many("too_many_tries", max(1, round(error.left.total_seconds())))]
    key = f"why_{getattr(error, 'reason', '')}"
    return [words(key)] if words.has(key) else [str(error)]
