"""Signing in at an OpenID Connect provider, by the authorization code flow with PKCE.

Authlib does what the standards ask for: state, nonce, PKCE, and the checks of the id token. What
it has to remember meanwhile stands in a signed cookie.
"""

from __future__ import annotations

from typing import Any, Final

from authlib.common.errors import AuthlibBaseError
from authlib.integrations.starlette_client import OAuth
from fastapi import APIRouter, Request
from httpx2 import HTTPError
from itsdangerous import BadData, URLSafeTimedSerializer
from joserfc.errors import JoseError
from starlette.responses import RedirectResponse, Response

from domain.errors import Unreachable
from domain.staff.sessions import WrongSignIn
from runtime.openid_settings import OpenIdSettings
from starter.web.guards import HEADERS
from starter.web.screens import cookies
from starter.web.screens.devices import remember
from starter.web.screens.visits import ScreenRoute, apart, browser_of, here, in_words, words_for

router = APIRouter(include_in_schema=False, route_class=ScreenRoute)

_COOKIE: Final = "__Host-orderloom-openid"
_WITHIN_S: Final = 600
_BACK: Final = "app/openid/back"
_AWAY: Final = (HTTPError, AuthlibBaseError, ValueError, RuntimeError, KeyError)
"""What Authlib raises for a provider that does not answer, or not as the standards say."""


class OpenId:
    """A provider that says who people are."""

    def __init__(self, settings: OpenIdSettings) -> None:
        assert settings.issuer is not None  # only where one is set
        self.issuer: str = settings.issuer
        self.name = settings.name
        self._client = OAuth().register(
            name="provider",
            server_metadata_url=f"{settings.issuer}/.well-known/openid-configuration",
            client_id=settings.client_id,
            client_secret=settings.client_secret.get_secret_value(),
            client_kwargs={"scope": "openid email", "code_challenge_method": "S256"},
        )

    async def begin(self, request: Request) -> str:
        """Where the browser goes. What is to be remembered is in the request's session.

        Raises Unreachable.
        """
        back = request.url.replace(path=f"/{_BACK}", query="", fragment="")
        try:
            await self._check_issuer()
            leads = await self._client.authorize_redirect(request, str(back))
        except _AWAY as error:
            raise Unreachable(f"{self.name} does not answer: {error}") from error
        address: str = leads.headers["location"]
        return address

    async def who(self, request: Request) -> tuple[str, str | None]:
        """The subject, and the address where the provider has verified it.

        Raises WrongSignIn where it says no, or its answer is not one to what was asked here.
        """
        if request.query_params.get("iss", self.issuer).rstrip("/") != self.issuer:
            raise WrongSignIn(f"not by {self.issuer}", reason="openid_refused")  # RFC 9207
        try:
            await self._check_issuer()
            token = await self._client.authorize_access_token(request)
            told: dict[str, Any] = dict(token.get("userinfo") or {})
            if "sub" in told and "email" not in told:  # some tell it at another place alone
                more = await self._client.userinfo(token=token)
                told = {**more, **told} if more.get("sub") == told["sub"] else told
        except (HTTPError, RuntimeError, KeyError) as error:
            raise Unreachable(f"{self.name} does not answer: {error}") from error
        except (AuthlibBaseError, JoseError, ValueError) as error:
            raise WrongSignIn(f"{self.name}: {error}", reason="openid_refused") from error
        if "sub" not in told:
            raise WrongSignIn(f"{self.name} does not tell who it is", reason="openid_refused")
        address = told.get("email") if told.get("email_verified") is True else None
        return str(told["sub"]), None if address is None else str(address)

    async def _check_issuer(self) -> None:
        """Raises ValueError where another provider's description stands at its address."""
        described: dict[str, Any] = await self._client.load_server_metadata()
        if str(described.get("issuer", "")).rstrip("/") != self.issuer:
            raise ValueError(f"the issuer there is {described.get('issuer')}")


def provider_of(request: Request) -> OpenId | None:
    """The provider of this application; None: people sign in by passwords alone."""
    found: OpenId | None = getattr(request.app.state, "openid", None)
    return found


def name_of(request: Request) -> str | None:
    """What the button says; None: there is none."""
    provider = provider_of(request)
    return None if provider is None else provider.name


@router.get("/app/openid")
async def begin(request: Request, next: str = "app") -> Response:
    """To the provider."""
    provider = provider_of(request)
    if provider is None:
        return apart(request, 404, words_for(request, None)("nothing_here"))
    request.scope["session"] = remembered = {"next": next[:500]}
    answer = RedirectResponse(await provider.begin(request), 303, headers=HEADERS)
    signer = await _signer(request)
    cookies.keep(answer, _COOKIE, signer.dumps(remembered), seconds=_WITHIN_S)
    return answer


@router.get("/app/openid/back")
async def back(request: Request) -> Response:
    """From the provider, with its answer."""
    provider, words = provider_of(request), words_for(request, None)
    if provider is None:
        return apart(request, 404, words("nothing_here"))
    try:
        signer = await _signer(request)
        remembered = signer.loads(request.cookies.get(_COOKIE, ""), max_age=_WITHIN_S)
    except BadData:
        return apart(request, 403, words("why_openid_refused"))
    request.scope["session"] = remembered
    try:
        subject, address = await provider.who(request)
        token = await here(request).staff.sign_in_by_openid(
            provider.issuer, subject, address, browser_of(request)
        )
    except WrongSignIn as no:
        return apart(request, 403, *in_words(words, no))
    answer = cookies.signed_in(request, token, remembered["next"])
    cookies.drop(answer, _COOKIE)
    if person := await here(request).staff.person(token):
        await remember(request, answer, person.login)
    return answer


async def _signer(request: Request) -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(await here(request).access.signing_secret("openid"))
