"""Signing in at the screens, and who may come in: over HTTP, without a browser."""

from __future__ import annotations

import re
import tomllib
from collections.abc import AsyncIterator, Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import get_args
from urllib.parse import unquote

import pytest

from domain.staff.roles import ROLES
from starter.web.screens.words import FOLDERS, screen_words
from store.database import Pool
from store.views.attention import Kind
from tests.support.desk import GOOD, Desk, text_of
from tests.support.round_trips import counting_pool

LANGUAGES = ("en", "ko", "de")
DOCS = Path(__file__).parents[2] / "docs/screens.md"
NOON = datetime(2027, 3, 1, 12, tzinfo=UTC)
INJECTED = '"><img src=x onerror=alert(1)>{{7*7}}'


@pytest.fixture
async def desk(pool: Pool) -> Desk:
    return Desk(pool)


@pytest.fixture
async def noon(database_url: str) -> AsyncIterator[Desk]:
    """A browser at noon: the clock stands, however long a busy machine compares passwords."""
    async with counting_pool(database_url) as trips:
        desk = Desk(trips.pool)
        await at(desk, NOON)
        yield desk


async def at(noon: Desk, moment: datetime) -> None:
    """It is this moment now, for the one connection that all doors of `noon` share."""
    await noon.pool.execute("select set_config('orderloom.now', $1, false)", moment.isoformat())


async def test_a_first_password_is_changed_before_anything_else(desk: Desk) -> None:
    first = await desk.let_in("anna")
    await desk.sign_in("anna", first)
    await desk.send_form("app/sign-out")
    assert (await desk.get("/app/me")).url.path == "/app/sign-in"
    page = await desk.sign_in("anna", first, next="app/staff")
    assert "Somebody else made your password" in text_of(page)
    assert page.url.path == "/app/me"
    assert (await desk.get("/app/staff")).url.path == "/app/me"
    weak = await desk.send_form(
        "app/me/password", old=first, new="annaannaanna", again="annaannaanna"
    )
    assert (weak.status_code, "easy to guess" in text_of(weak)) == (422, True)
    other = await desk.send_form("app/me/password", old=first, new=GOOD, again="another")
    assert "The two new passwords differ" in text_of(other)
    done = await desk.send_form("app/me/password", old=first, new=GOOD, again=GOOD)
    assert "The password is changed" in text_of(done)
    assert (await desk.get("/app/staff")).url.path == "/app/staff"


async def test_the_cookie_is_for_this_host_and_no_script(desk: Desk) -> None:
    first = await desk.let_in("anna")
    answer = await desk.post(
        "/app/sign-in", data={"login": "anna", "password": first}, follow_redirects=False
    )
    cookie = answer.headers["set-cookie"]
    assert cookie.startswith("__Host-orderloom=")
    for part in ("HttpOnly", "Secure", "SameSite=lax", "Path=/"):
        assert part in cookie
    assert "Domain" not in cookie
    assert answer.headers["content-security-policy"].startswith("default-src 'self';")


async def test_nobody_comes_in_without_a_session(desk: Desk) -> None:
    first = await desk.get("/app/staff?after=b")
    assert (first.url.path, first.status_code) == ("/app/sign-in", 200)
    assert 'value="app/staff?after=b"' in first.text
    wrong = await desk.sign_in("anna", "wrong")
    assert (wrong.status_code, wrong.url.path) == (403, "/app/sign-in")
    assert "The login or the password is wrong" in text_of(wrong)
    word = await desk.let_in("anna")
    for away in (
        *("https://evil.example", "//evil.example", "app/../../x", "app//evil.example"),
        *("javascript:alert(1)", "/\\evil.example", "app/%2e%2E/x", "app/%2F%2Fevil.example"),
        *("app/x\r\nSet-Cookie: a=b", "app/x#y", "apple"),
    ):
        answer = await desk.sign_in("anna", word, next=away)
        assert (answer.url.host, answer.url.path) == ("desk.example", "/app/me")
        await desk.send_form("app/sign-out")
    odd = await desk.get("/app/orders/web-1%2523:ä")
    assert 'value="app/orders/web-1%2523:%C3%A4"' in odd.text
    leads = await desk.get("/app/sign-in?next=app/orders/web-1%252523:%25C3%25A4")
    assert 'value="app/orders/web-1%2523:%C3%A4"' in leads.text
    onward = "app/orders?after=2027-03-01T00%3A00%3A00%2B00%3A00~web-1"
    signing_in = {"login": "anna", "password": word, "next": onward}
    leads = await desk.post("/app/sign-in", data=signing_in, follow_redirects=False)
    assert "~web-1" in unquote(leads.headers["location"])


async def test_without_its_cookie_a_browser_is_told_why(desk: Desk) -> None:
    answer = await desk.get("/app/signed-in")
    assert answer.status_code == 403
    assert "for an address with https:// only" in text_of(answer)


async def test_a_form_of_another_site_does_nothing(desk: Desk) -> None:
    await desk.signed_in("anna")
    for headers in (
        *({"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"}),
        *({"Origin": "https://evil.example"}, {"Origin": "null"}, {"Origin": "http://["}),
    ):
        answer = await desk.post("/app/staff/anna/disable", headers=headers)
        assert answer.status_code == 403
        assert "sent by another site" in text_of(answer)
    assert (await desk.here.staff.get("anna")).state == "active"
    assert (await desk.get("/app/me")).headers["referrer-policy"] == "same-origin"


async def test_too_many_wrong_passwords_wait(noon: Desk) -> None:
    for _ in range(5):
        assert (await noon.sign_in("nobody", "wrong")).status_code == 403
    for waited_s, left_s in ((0, 15), (14, 1)):
        await at(noon, NOON + timedelta(seconds=waited_s))
        answer = await noon.sign_in("nobody", "wrong")
        told = re.search(r"Try again in (\d+) second", text_of(answer))
        assert (answer.status_code, told and int(told[1])) == (429, left_s)
    await at(noon, NOON + timedelta(seconds=15))
    assert (await noon.sign_in("nobody", "wrong")).status_code == 403


async def test_strangers_keep_nobody_out_of_a_browser_that_is_known(noon: Desk) -> None:
    await noon.signed_in("anna")
    assert (await noon.sign_in("anna", GOOD)).url.path == "/app"
    stranger = Desk(noon.pool, noon.app)
    for _ in range(6):
        answer = await stranger.sign_in("anna", "wrong")
    assert answer.status_code == 429
    assert (await stranger.sign_in("anna", GOOD)).status_code == 429
    other = "eight green chairs beside a door"
    changed = await noon.send_form("app/me/password", old=GOOD, new=other, again=other)
    assert changed.status_code == 200
    await noon.send_form("app/sign-out")
    await noon.let_in("ben")
    for login in ("ben", "anna"):  # it is known for anna alone, and her own mistakes count, too
        for _ in range(6 if login == "ben" else 5):
            wrong = await noon.sign_in(login, "wrong")
        assert wrong.status_code == (429 if login == "ben" else 403)
    assert (await noon.sign_in("anna", other)).status_code == 429
    name = "__Host-orderloom-device"
    stranger.cookies.set(name, f"x{noon.cookies[name]}", domain="desk.example")
    assert (await stranger.sign_in("anna", other)).status_code == 429
    await at(noon, NOON + timedelta(seconds=15))
    assert (await stranger.sign_in("anna", other)).url.path == "/app"


async def test_an_admin_lets_somebody_in_and_out(desk: Desk, pool: Pool) -> None:
    await desk.signed_in("anna")
    assert "Nobody" not in text_of(await desk.get("/app/staff"))
    once = await desk.send_form(
        "app/staff/new",
        login="ben",
        name="Ben Lee",
        roles=["agent", "lead"],
        email="ben@example.com",
    )
    word = once.text.partition('class="secret" id="secret">')[2].partition("<")[0]
    assert "it is shown this once" in text_of(once)
    again = await desk.send_form("app/staff/new", login="ben", name="Ben", roles=["agent"])
    assert (again.status_code, "There is this login already" in text_of(again)) == (422, True)
    none = await desk.send_form("app/staff/new", login="cy", name="Cy")
    assert none.status_code == 422
    ben = Desk(pool, desk.app)
    assert (await ben.sign_in("ben", word)).url.path == "/app/me"
    page = await desk.get("/app/staff/ben")
    assert "Where somebody is signed in" in page.text
    (session,) = await desk.here.staff.sessions("ben")
    ended = await desk.send_form(f"app/staff/ben/sessions/{session.session_no}/end")
    assert "The session has ended" in text_of(ended), ended.text
    assert (await ben.get("/app")).url.path == "/app/sign-in"
    await ben.sign_in("ben", word)
    gone = await desk.send_form("app/staff/ben/disable")
    assert "cannot sign in any more" in text_of(gone)
    assert (await ben.get("/app")).url.path == "/app/sign-in"
    assert "ben" not in text_of(await desk.get("/app/staff"))
    assert "ben" in text_of(await desk.get("/app/staff?all=1"))
    back = await desk.send_form("app/staff/ben/enable")
    assert "can sign in again" in text_of(back)
    saved = await desk.send_form("app/staff/ben", name="Ben", roles=["agent"], channels=["web"])
    assert "It is saved" in text_of(saved)
    known = await desk.here.staff.get("ben")
    assert (known.roles, known.channels, known.email) == (("agent",), ("web",), None)
    only = await desk.send_form("app/staff/anna/disable")
    assert (only.status_code, "This is the only admin" in text_of(only)) == (409, True)


async def test_who_may_not_is_told_what_it_takes(desk: Desk) -> None:
    await desk.signed_in("anna", "agent")
    answer = await desk.get("/app/staff")
    assert (answer.status_code, "Only an admin lets people in" in text_of(answer)) == (403, True)
    assert "app/staff" not in (await desk.get("/app")).text
    for path in ("app/staff/new", "app/staff/anna", "app/staff/anna/password"):
        refused = await desk.send_form(path, login="eve", name="Eve", roles=["admin"])
        assert refused.status_code == 403
    assert [one.roles for one in await desk.here.staff.list()] == [("agent",)]


async def test_what_is_not_there_is_a_page_too(desk: Desk) -> None:
    await desk.signed_in("anna")
    for path in ("/app/staff/nobody", "/app/files/none.css"):
        answer = await desk.get(path)
        assert answer.status_code == 404
        assert answer.headers["content-type"].startswith("text/html")
    odd = await desk.send_form("app/me/sessions/x/end")
    assert (odd.status_code, odd.headers["content-type"][:9]) == (404, "text/html")


async def test_an_odd_address_is_answered_by_a_page(desk: Desk) -> None:
    await desk.signed_in("anna")
    task = '[true, "2027-03-01T00:00:00+00:00", "{}", "b", "c"]'
    odd = {
        "find": ({"q": text} for text in ("a\0b", "%", "-", "9" * 300, "@", "+82 ")),
        "staff": ({"after": "\0"},),
        "orders": (
            *({"after": "2027-03-01T00:00:00+00:00~\0"}, {"after": "0001-01-01T00:00:00+23:59~x"}),
            *({"after": "9999-12-31T23:59:59-23:59~x"}, {"state": "\0", "channel": "\0"}),
        ),
        "tasks": (
            *({"after": task.replace("{}", sign)} for sign in ("\\u0000", "\\ud800")),
            *(
                {"after": "[" * 20_000},
                {"after": task.replace("2027", "0001").replace("+00", "+23")},
            ),
        ),
    }
    for place, queries in odd.items():
        for query in queries:
            answer = await desk.get(f"/app/{place}", params=query)
            assert answer.status_code in (200, 404), (place, query)
            assert answer.headers["content-type"].startswith("text/html")
    for path in ("staff/%00", "orders/%00", "orders/%00/story", "orders/%ED%A0%80", "files/%00"):
        assert (await desk.get(f"/app/{path}")).status_code == 404, path
    for path in ("me/sessions/{}/end", "staff/anna/sessions/{}/end", "staff/%00/disable"):
        answer = await desk.send_form(f"app/{path.format(10**20)}")
        assert answer.status_code == 404, path


async def test_a_name_is_shown_as_text(desk: Desk) -> None:
    await desk.signed_in("anna", name=INJECTED)
    for path in ("/app", "/app/me", "/app/staff", "/app/staff/anna"):
        page = (await desk.get(path)).text
        assert "<img src=x" not in page
        assert "&lt;img src=x onerror=alert(1)&gt;{{7*7}}" in page


@pytest.mark.parametrize("language", LANGUAGES)
async def test_everything_is_in_the_language_that_somebody_has_chosen(
    desk: Desk, language: str
) -> None:
    await desk.signed_in("anna", language=language)
    for path in ("/app", "/app/me", "/app/staff", "/app/staff/new", "/app/staff/anna"):
        answer = await desk.get(path)
        assert answer.status_code == 200
        assert f'<html lang="{language}">' in answer.text
    changed = await desk.send_form("app/me/language", language="de")
    assert "Sprache und Zeitzone sind gespeichert" in text_of(changed)


@pytest.mark.parametrize(
    ("currency", "told"),
    [("KRW", "12345"), ("IQD", "12.345"), ("LAK", "123.45"), ("EUR", "123.45")],
)
def test_an_amount_has_all_decimals_of_its_currency(currency: str, told: str) -> None:
    for language in LANGUAGES:
        shown = screen_words(language).money(12_345, currency)
        assert "".join(sign for sign in shown if sign.isdecimal()) == told.replace(".", "")
    assert told in screen_words("en").money(12_345, currency).replace(",", "")


def test_the_catalogues_have_the_same_keys_and_places() -> None:
    seen: set[str] = set()
    for folder in FOLDERS:
        texts = [(folder / f"{language}.toml").read_text("utf-8") for language in LANGUAGES]
        first, *rest = map(tomllib.loads, texts)
        assert not seen & first.keys(), "a key stands in two rooms"
        seen |= first.keys()
        for other in rest:
            assert other.keys() == first.keys()
            for key, sentence in first.items():
                assert _places(sentence) == _places(other[key]), key
    assert {f"task_{kind}" for kind in get_args(Kind)} <= seen
    for role in ROLES:
        assert {f"role_{role}", f"about_{role}"} <= seen


@pytest.mark.parametrize(("language", "column"), [("de", 4), ("ko", 5)])
def test_one_thing_has_one_name(language: str, column: int) -> None:
    table = DOCS.read_text("utf-8").partition("| English | Deutsch |")[2].partition("\n\n")[0]
    rows = [line.split("|") for line in table.splitlines()[2:]]
    other = [word.strip() for row in rows for word in row[column].split(",") if word.strip()]
    assert len(other) > 5
    told = _told(language)
    found = {key: word for key, text in told.items() for word in other if word.lower() in text}
    assert found == {}


@pytest.mark.parametrize("language", LANGUAGES)
def test_two_things_have_two_names(language: str) -> None:
    told = _told(language)
    for things in (
        ("order", "purchase_order"),
        ("place_orders", "purchase_orders", "place_purchases", "place_stock", "place_floor"),
        ("location", "place_floor", "floor_parcel", "floor_box", "line"),
        [key for key in told if key.startswith("kind_") and not key.startswith("kind_of_")],
    ):
        names = [told[key] for key in things]
        assert sorted(set(names)) == sorted(names)


def _told(language: str) -> dict[str, str]:
    """Each sentence of a language, in small letters."""
    return {
        key: (sentence if isinstance(sentence, str) else " ".join(sentence.values())).lower()
        for folder in FOLDERS
        for key, sentence in tomllib.loads((folder / f"{language}.toml").read_text("utf-8")).items()
    }


def _places(sentence: str | dict[str, str]) -> set[str]:
    forms: Iterable[str] = [sentence] if isinstance(sentence, str) else sentence.values()
    return {part.partition("}")[0] for form in forms for part in form.split("{")[1:]}


async def test_an_address_without_a_page_leads_on(desk: Desk) -> None:
    await desk.signed_in("anna")
    for path in ("/app/no-such-page", "/app/orders/x/y/z", "/app/me/language"):
        page = await desk.get(path)
        assert (page.status_code, "nothing at this address" in text_of(page)) == (404, True), path
        assert "app/setup" in page.text
