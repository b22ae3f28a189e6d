"""Signing in at an OpenID Connect provider that nobody here wrote: PyPI's oidc-provider-mock."""

from __future__ import annotations

import asyncio
import json
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import cast

import httpx
import pytest
from pydantic import SecretStr

from runtime.openid_settings import OpenIdSettings
from starter.service.service import Records, Service
from starter.web.screens.openid import OpenId
from store.database import Pool
from tests.support.api import Api
from tests.support.desk import Desk, text_of

USERS = (
    {"sub": "u-1", "email": "anna@example.com", "email_verified": True},
    {"sub": "u-2", "email": "anna@example.com", "email_verified": False},
)


@pytest.fixture(scope="module")
def issuer() -> Iterator[str]:
    """The address of a provider that runs until the tests of this file have ended."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    told = [f"--user-claims={json.dumps(user)}" for user in USERS]
    program = Path(sys.executable).with_name("oidc-provider-mock")
    process = subprocess.Popen(
        [str(program), "--port", str(port), "--require-nonce", "true", *told],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait()


@pytest.fixture
async def desk(pool: Pool, issuer: str) -> Desk:
    await _answers(issuer)
    return at_desk(pool, issuer)


def at_desk(pool: Pool, issuer: str, wanted: str = "") -> Desk:
    """`wanted`: whom the settings name, where another one answers at the address."""
    settings = OpenIdSettings(
        issuer=issuer, client_id="orderloom", client_secret=SecretStr("secret"), name="Our IdP"
    )
    provider = OpenId(settings)
    provider.issuer = wanted or issuer
    return Desk(pool, Api(cast("Service", Records(pool)), openid=provider).app)


async def _answers(issuer: str) -> None:
    async with httpx.AsyncClient() as client:
        for _ in range(600):
            try:
                await client.get(f"{issuer}/.well-known/openid-configuration")
            except httpx.TransportError:
                await asyncio.sleep(0.1)
            else:
                return
    raise AssertionError("the provider does not answer")


async def came_back(desk: Desk, subject: str | None, onward: str = "app") -> httpx.Response:
    """Go to the provider, be this person there, or say no, and come back."""
    leads = await desk.get(f"/app/openid?next={onward}", follow_redirects=False)
    assert leads.status_code == 303, leads.text
    said = {"action": "deny"} if subject is None else {"sub": subject}
    async with httpx.AsyncClient() as there:
        answer = await there.post(leads.headers["location"], data=said)
    back = answer.headers["location"]
    assert back.startswith("https://desk.example/app/openid/back?")
    return await desk.get(back)


async def test_who_the_provider_knows_comes_in(desk: Desk) -> None:
    await desk.let_in("anna", email="anna@example.com")
    assert "Sign in with Our IdP" in text_of(await desk.get("/app/sign-in"))
    page = await came_back(desk, "u-1", "app/me")
    assert (page.url.path, page.status_code) == ("/app/me", 200)
    # The first password is not asked for: nobody has used it.
    assert (await desk.get("/app")).url.path == "/app"
    (session,) = await desk.here.staff.sessions("anna")
    assert session.means == "openid"
    assert "openid" in (await desk.here.staff.get("anna")).signs_in_by


async def test_an_address_that_nobody_has_verified_lets_nobody_in(desk: Desk) -> None:
    await desk.let_in("anna", email="anna@example.com")
    for subject in ("u-2", "somebody else"):
        page = await came_back(desk, subject)
        assert page.status_code == 403
        assert "Nobody here has this account" in text_of(page)
    assert list(await desk.here.staff.sessions()) == []


async def test_an_answer_to_nothing_that_was_asked_here_lets_nobody_in(desk: Desk) -> None:
    await desk.let_in("anna", email="anna@example.com")
    denied = await came_back(desk, None)
    assert denied.status_code == 403
    leads = await desk.get("/app/openid", follow_redirects=False)
    async with httpx.AsyncClient() as there:
        answer = await there.post(leads.headers["location"], data={"sub": "u-1"})
    back = answer.headers["location"]
    changed = back.replace("state=", "state=x")
    assert (await desk.get(changed)).status_code == 403
    desk.cookies.clear()
    assert (await desk.get(back)).status_code == 403
    assert (await desk.get("/app/openid/back?code=x&state=y")).status_code == 403
    assert list(await desk.here.staff.sessions()) == []


@pytest.mark.parametrize(
    "odd",
    [
        *("http://localhost.evil.example", "http://127.0.0.1.evil.example", "http://id.example"),
        *("https://", "https://id.example@evil.example", "https://id.example?x", "javascript:x"),
    ],
)
def test_a_provider_is_reached_over_tls(odd: str) -> None:
    with pytest.raises(ValueError, match="begins with https://"):
        OpenIdSettings(issuer=odd, client_id="orderloom", client_secret=SecretStr("secret"))


async def test_another_providers_answer_lets_nobody_in(desk: Desk, pool: Pool, issuer: str) -> None:
    await desk.let_in("anna", email="anna@example.com")
    leads = await desk.get("/app/openid", follow_redirects=False)
    async with httpx.AsyncClient() as there:
        answer = await there.post(leads.headers["location"], data={"sub": "u-1"})
    back = answer.headers["location"]
    assert (await desk.get(f"{back}&iss=https://evil.example")).status_code == 403
    assert (await desk.get(back)).status_code == 200
    mixed = at_desk(pool, issuer, "https://id.example")
    assert (await mixed.get("/app/openid")).status_code == 503


async def test_a_provider_that_is_away_is_told(pool: Pool) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        away = f"http://127.0.0.1:{free.getsockname()[1]}"
    page = await at_desk(pool, away).get("/app/openid")
    assert page.status_code == 503
    assert "does not answer" in text_of(page)


async def test_without_a_provider_there_is_no_such_way(pool: Pool) -> None:
    desk = Desk(pool)
    assert "Sign in with" not in text_of(await desk.get("/app/sign-in"))
    for path in ("/app/openid", "/app/openid/back"):
        assert (await desk.get(path)).status_code == 404
