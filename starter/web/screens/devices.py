"""Browsers in which somebody has signed in before: strangers' wrong passwords do not keep them out.

As OWASP describes it ("Slow Down Online Guessing Attacks with Device Cookies"): such a browser has
a signed cookie that names it, and its wrong passwords are counted apart from all others.
"""

from __future__ import annotations

import hashlib
import secrets
from datetime import timedelta
from typing import Final, NamedTuple

from itsdangerous import BadData, URLSafeTimedSerializer
from starlette.requests import Request
from starlette.responses import Response

from starter.web.screens import cookies
from starter.web.screens.visits import here

COOKIE: Final = "__Host-orderloom-device"
_LASTS: Final = timedelta(days=365)
_LOGINS_MAX: Final = 20
"""People who share one browser, such as that of a packing table. The last ones count."""


class Device(NamedTuple):
    """A browser. `logins`: digests of those of the people who have signed in there."""

    name: str
    logins: tuple[str, ...]

    def name_for(self, login: str) -> str:
        """Its name, where this person has signed in there; "" elsewhere."""
        return self.name if _digest(login) in self.logins else ""


async def device_of(request: Request) -> Device:
    """The browser that asks; one without a name that we gave it gets a new one."""
    signer = await _signer(request)
    try:
        name, logins = signer.loads(
            request.cookies.get(COOKIE, ""), max_age=int(_LASTS.total_seconds())
        )
    except BadData:
        return Device(secrets.token_urlsafe(12), ())
    return Device(str(name), tuple(map(str, logins)))


async def remember(request: Request, answer: Response, login: str) -> None:
    """Know the browser again where this person has signed in now."""
    device, mine = await device_of(request), _digest(login)
    logins = [mine, *(one for one in device.logins if one != mine)][:_LOGINS_MAX]
    value = (await _signer(request)).dumps([device.name, logins])
    cookies.keep(answer, COOKIE, str(value), seconds=int(_LASTS.total_seconds()))


async def _signer(request: Request) -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(await here(request).access.signing_secret("device"))


def _digest(login: str) -> str:
    return hashlib.sha256(login.strip().lower().encode("utf-8", "surrogatepass")).hexdigest()[:16]
