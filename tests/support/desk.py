"""People at the screens in front of a test's doors, without a socket or a browser."""

from __future__ import annotations

import re
import secrets
from functools import cache
from typing import Any, cast

import httpx
from argon2 import PasswordHasher
from starlette.types import ASGIApp

from domain.staff.people import StaffRequest
from starter.service.service import Records, Service
from starter.web.screens import cookies
from store.database import Pool
from store.staff import people, sessions
from tests.support.api import Api

GOOD = "seven blue lamps under a bridge"


class Desk(httpx.AsyncClient):
    """A browser at the screens. Without `app`: over doors that ask no workflow."""

    def __init__(self, pool: Pool, app: ASGIApp | None = None) -> None:
        self.pool = pool
        self.here = Records(pool)
        self.app = app or Api(cast("Service", self.here)).app
        super().__init__(
            transport=httpx.ASGITransport(self.app, raise_app_exceptions=False),
            base_url="https://desk.example",
            follow_redirects=True,
        )

    async def let_in(self, login: str, *roles: str, **told: Any) -> str:
        """Make a person, and answer their first password."""
        wanted = {"login": login, "name": login.title(), "roles": roles or ("admin",), **told}
        made = await self.here.staff.make(StaffRequest.model_validate(wanted), who="the owner")
        return made.password.get_secret_value()

    async def signed_in(self, login: str, *roles: str, **told: Any) -> Desk:
        """The same browser, with somebody new signed in who has a password of their own."""
        wanted = {"login": login, "name": login.title(), "roles": roles or ("admin",), **told}
        token = secrets.token_urlsafe(32)
        async with self.pool.acquire() as conn:
            # As the doors do it, without hashing for each person: that is slow on purpose.
            kept = _encoded()
            await people.make(
                conn, StaffRequest.model_validate(wanted), kept, must_change=False, who="the owner"
            )
            assert await sessions.begin(
                conn, token, login, means="password", agent="", address="", password=kept
            )
        self.cookies.set(cookies.SESSION, token, domain="desk.example")
        return self

    async def sign_in(self, login: str, password: str, next: str = "app") -> httpx.Response:
        """Send the form."""
        return await self.send_form("app/sign-in", login=login, password=password, next=next)

    async def send_form(self, path: str, **fields: str | list[str]) -> httpx.Response:
        """Send a form, as a browser does that was on a page of ours."""
        kind = {"Content-Type": "application/x-www-form-urlencoded"}  # of an empty form, too
        here = {"Sec-Fetch-Site": "same-origin"}
        return await self.post(f"/{path}", data=fields, headers={**kind, **here})


@cache
def _encoded() -> str:
    return PasswordHasher().hash(GOOD)


def text_of(answer: httpx.Response) -> str:
    """What a page says, without tags."""
    body = answer.text.partition("<main")[2]
    return " ".join(re.sub(r"<[^>]+>", " ", f"<main{body}").split())
