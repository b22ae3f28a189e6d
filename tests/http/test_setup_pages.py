"""The pages of the set-up: sellers, channels, locations, keys, subscriptions, templates, rules."""

from __future__ import annotations

import asyncio
import html
import re
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from pydantic import BaseModel

from domain.access.keys import SCOPES
from domain.messages.rendering import BLOCKS
from domain.orders.channels import Channel
from domain.orders.claim_rules import ClaimRules
from domain.orders.policy import Policy
from domain.sellers import Seller
from domain.shops.connections import NewShop
from domain.standard_webhooks import WHSEC
from domain.stock.locations import Lane, Location
from starter.web.screens.words import screen_words
from starter.web.setup.policy_rules import RULES
from store.database import Pool
from tests.http.test_desk import hidden
from tests.support.desk import Desk, text_of

INJECTED = '"><img src=x onerror=alert(1)>{{7*7}}'
PAGES = (
    *("app/setup", "app/setup/sellers", "app/setup/sellers/main", "app/setup/sellers/new"),
    *("app/setup/channels", "app/setup/channels/web", "app/setup/channels/new"),
    "app/setup/channels/web/policy",
    *("app/setup/shops/web", "app/setup/locations", "app/setup/locations/new"),
    *("app/setup/rules", "app/setup/rules/new", "app/setup/policy", "app/setup/templates"),
    *("app/setup/templates/main/shipped/en", "app/setup/events", "app/setup/events/new"),
    *("app/setup/keys", "app/setup/keys/new", "app/setup/roles", "app/setup/extensions"),
)
FORMS = (
    *("app/setup/sellers/new", "app/setup/sellers/main", "app/setup/sellers/main/retire"),
    *("app/setup/channels/web", "app/setup/channels/web/reopen", "app/setup/shops/web"),
    "app/setup/channels/web/policy",
    *("app/setup/shops/web/test", "app/setup/shops/web/disconnect", "app/setup/shops/web/check"),
    *("app/setup/locations/new", "app/setup/rules/new", "app/setup/lists"),
    *("app/setup/templates/main/shipped/en", "app/setup/events/new", "app/setup/events/s/test"),
    *("app/setup/events/s/secret", "app/setup/events/s/resend", "app/setup/events/s/remove"),
    *("app/setup/keys/new", "app/setup/keys/k/rotate", "app/setup/keys/k/revoke"),
)


@pytest.fixture
async def desk(pool: Pool) -> Desk:
    return await Desk(pool).signed_in("anna")


def fields_of(page: str) -> dict[str, str | list[str]]:
    """What the first form of a page sends that is not touched: as a browser does."""
    form = page.partition('class="card wider"')[2].partition("</form>")[0]
    found: dict[str, str | list[str]] = {}
    for tag in re.findall(r"<input [^>]*>", form):
        name = re.search(r' name="([^"]*)"', tag)
        value = re.search(r' value="([^"]*)"', tag)
        if name is None or ("checkbox" in tag and " checked" not in tag):
            continue
        text = html.unescape(value[1] if value else "")
        if "checkbox" in tag:
            before = found.get(name[1], [])
            found[name[1]] = [*(before if isinstance(before, list) else [before]), text]
        else:
            found[name[1]] = text
    for name_, text in re.findall(
        r'<textarea [^>]*name="([^"]*)"[^>]*>\n?(.*?)</textarea>', form, re.S
    ):
        found[name_] = html.unescape(text)
    for name_, options in re.findall(
        r'<select [^>]*name="([^"]*)"[^>]*>(.*?)</select>', form, re.S
    ):
        chosen = re.search(r'value="([^"]*)" selected', options)
        found[name_] = chosen[1] if chosen else ""
    return found


async def saved(desk: Desk, path: str, **changes: str | list[str]) -> httpx.Response:
    """Open a page, change some of its form, and save it."""
    page = await desk.get(f"/{path}")
    assert page.status_code == 200, page.text
    named = {name.replace("__", "."): value for name, value in changes.items()}
    return await desk.send_form(path, **{**fields_of(page.text), **named})


def lane(n: int, **values: str) -> dict[str, Any]:
    """A row of the table of ways."""
    return {f"lanes__{n}__{name}": value for name, value in values.items()}


def gone(location: Location) -> dict[str, str]:
    """The rows of all of its ways, emptied."""
    return {
        f"lanes.{n}.{name}": "" for n in range(len(location.lanes)) for name in Lane.model_fields
    }


def secret_in(page: httpx.Response) -> str:
    return page.text.partition('<output class="secret" id="secret">')[2].partition("<")[0]


async def test_pages_are_for_those_who_may(desk: Desk) -> None:
    nobody = Desk(desk.pool, desk.app)
    ben = await Desk(desk.pool, desk.app).signed_in("ben", "warehouse")
    for path in PAGES:
        assert (await desk.get(f"/{path}")).status_code == 200, path
        assert (await nobody.get(f"/{path}")).url.path == "/app/sign-in", path
        # Who works at locations may see where that is.
        status = 200 if path == "app/setup/locations" else 403
        assert (await ben.get(f"/{path}")).status_code == status, path


async def test_forms_are_for_those_who_may_and_come_from_here(desk: Desk) -> None:
    ben = await Desk(desk.pool, desk.app).signed_in("ben", "accountant")
    for path in FORMS:
        foreign = await desk.post(f"/{path}", headers={"Sec-Fetch-Site": "cross-site"}, data={})
        assert (foreign.status_code, "sent by another site" in text_of(foreign)) == (403, True)
        assert (await ben.send_form(path)).status_code == 403, path


async def test_a_seller_is_set_as_a_whole_and_keeps_what_was_typed(desk: Desk) -> None:
    path = "app/setup/sellers/main"
    done = await saved(
        *(desk, path),
        name="Tee GmbH",
        country="DE",
        tax_numbers="DE 1\nDE 2",
        currency="EUR",
        time_zone="Europe/Berlin",
        languages="de\nen",
        looks__support_email="hilfe@example.com",
    )
    assert "It is saved" in text_of(done), text_of(done)
    seller = await desk.here.sellers.get("main")
    assert (seller.name, seller.tax_numbers, seller.looks.support_email) == (
        *("Tee GmbH", ("DE 1", "DE 2")),
        "hilfe@example.com",
    )
    assert (seller.languages, seller.series.invoice.format) == (
        ("de", "en"),
        "INV-{year}-{number:6}",
    )
    wrong = await saved(desk, path, country="Germany", name=INJECTED)
    assert wrong.status_code == 422
    assert 'id="country-fault"' in wrong.text
    assert INJECTED not in wrong.text
    assert "onerror=alert(1)&gt;{{7*7}}" in wrong.text
    assert (await desk.here.sellers.get("main")).name == "Tee GmbH"


async def test_who_saves_over_others_is_told_what_they_saved(desk: Desk) -> None:
    path = "app/setup/sellers/main"
    opened = fields_of((await desk.get(f"/{path}")).text)
    assert (await saved(desk, path, name="First", city="Leipzig")).status_code == 200
    second = await desk.send_form(path, **{**opened, "name": "Second"})
    told = text_of(second)
    assert (second.status_code, "others have changed it" in told) == (409, True)
    assert "Name of the company: First" in told
    assert "City: Leipzig" in told
    assert 'value="Second"' in second.text
    assert (await desk.here.sellers.get("main")).name == "First"
    again = await desk.send_form(path, **fields_of(second.text))
    assert "It is saved" in text_of(again)
    assert (await desk.here.sellers.get("main")).name == "Second"


async def test_what_is_wrong_in_a_form_hides_nothing_that_others_saved(desk: Desk) -> None:
    path = "app/setup/sellers/main"
    opened = fields_of((await desk.get(f"/{path}")).text)
    assert (await saved(desk, path, city="Leipzig")).status_code == 200
    wrong = await desk.send_form(path, **{**opened, "country": "Nowhere"})
    assert (wrong.status_code, "City: Leipzig" in text_of(wrong)) == (422, True)
    old = fields_of((await desk.get(f"/{path}")).text)
    (known,) = await desk.here.sellers.list()
    refused = await desk.send_form(path, **{**old, "time_zone": "Mars/Base"})
    assert (refused.status_code, "others have" in text_of(refused)) == (422, False)
    assert (await desk.here.sellers.get("main")) == known


async def test_of_two_who_add_the_same_one_is_refused(desk: Desk) -> None:
    for plural, more in (
        ("sellers", {"name": "Co"}),
        ("channels", {"kind": "web"}),
        ("locations", {}),
    ):
        page = await desk.get(f"/app/setup/{plural}/new")
        form = {**fields_of(page.text), plural.removesuffix("s"): "twice", **more}
        form |= {"seller": "twice"}  # the first seller takes the place of the one without a name
        both = (desk.send_form(f"app/setup/{plural}/new", **form) for _ in range(2))
        answers = await asyncio.gather(*both)
        assert sorted(one.status_code for one in answers) == [200, 409], plural


async def test_a_logo_stays_when_something_else_is_saved(desk: Desk) -> None:
    path, logo = "app/setup/sellers/main", "data:image/png;base64,iVBORw0KGgo="
    for changes in ({"looks__logo": logo}, {"city": "Leipzig"}):
        done = await saved(desk, path, **changes)
        assert "It is saved" in text_of(done), text_of(done)
    assert (await desk.here.sellers.get("main")).looks.logo == logo


async def test_who_is_for_one_place_sees_no_others(desk: Desk, pool: Pool) -> None:
    for place in ("main", "other"):
        await desk.here.locations.add(place)
    await desk.here.sellers.make(Seller(seller="uk", name="Tea Ltd"))
    await desk.here.channels.make(Channel(channel="uk", kind="web", seller="uk"))
    first = await desk.let_in("eve", "admin")
    mia = await Desk(pool, desk.app).signed_in("mia", "admin", locations=["main"])
    assert "other" not in text_of(await mia.get("/app/setup/locations"))
    assert (await saved(mia, "app/setup/locations/main", priority="7")).status_code == 200
    form = fields_of((await mia.get("/app/setup/locations/new")).text)
    made = await mia.send_form("app/setup/locations/new", **{**form, "location": "third"})
    assert (made.status_code, "may not let others" in text_of(made)) == (409, True)
    for path in ("", "/retire", "/reopen"):
        assert (await mia.send_form(f"app/setup/locations/other{path}")).status_code == 404
    # What is set for the whole shop is not hers: its people, keys, sellers, subscriptions.
    eve = Desk(pool, desk.app)
    await eve.sign_in("eve", first)
    (session,) = await desk.here.staff.sessions("eve")
    for path in ("", "/disable", "/enable", "/password", f"/sessions/{session.session_no}/end"):
        assert (await mia.send_form(f"app/staff/eve{path}", name="E")).status_code == 404, path
    assert (await mia.get("/app/staff/eve")).status_code == 404
    for path in (
        *("app/setup/keys/new", "app/setup/sellers/main", "app/setup/events/new"),
        *("app/setup/channels/web/retire", "app/setup/templates/main/shipped/en"),
    ):
        assert (await mia.send_form(path)).status_code == 403, path
    assert len(await desk.here.staff.sessions("eve")) == 1
    ben = await Desk(pool, desk.app).signed_in("ben", "agent", channels=["web"], sellers=["main"])
    for plural in ("channels", "sellers"):
        assert "uk" not in text_of(await ben.get(f"/app/setup/{plural}")).split()
        assert (await ben.get(f"/app/setup/{plural}/uk")).status_code == 404


async def test_an_admin_of_one_place_lets_people_of_it_in(desk: Desk, pool: Pool) -> None:
    for place in ("main", "other"):
        await desk.here.locations.add(place)
    await desk.let_in("eve", "warehouse")
    mia = await Desk(pool, desk.app).signed_in("mia", "admin", locations=["main"])
    setup = await mia.get("/app/setup")
    assert "app/staff" in setup.text
    assert "app/setup/keys" not in setup.text
    assert "app/staff/eve" not in (await mia.get("/app/staff?all=1")).text
    form = await mia.get("/app/staff/new")
    assert 'value="main" checked' in form.text
    assert 'value="other"' not in form.text
    wanted: dict[str, str | list[str]] = {"login": "ben", "name": "Ben", "roles": ["warehouse"]}
    for places in ([], ["other"], ["main", "other"]):
        no = await mia.send_form("app/staff/new", **wanted, locations=places)
        assert (no.status_code, "not let others do more" in text_of(no)) == (422, True), places
    made = await mia.send_form("app/staff/new", **wanted, locations=["main"])
    assert secret_in(made)
    assert "app/staff/ben" in (await mia.get("/app/staff")).text
    seen = hidden((await mia.get("/app/staff/ben")).text, "ben")["seen"]
    wider = await mia.send_form("app/staff/ben", seen=seen, name="Ben", roles=["warehouse"])
    assert (wider.status_code, (await desk.here.staff.get("ben")).locations) == (422, ("main",))
    gone = await mia.send_form("app/staff/ben/disable")
    assert "cannot sign in any more" in text_of(gone)
    clerk = await Desk(pool, desk.app).signed_in("cy", "lead", locations=["main"], language="ko")
    assert "관리자만" in text_of(await clerk.get("/app/staff"))


async def test_a_limit_is_not_lifted_because_its_place_is_gone(desk: Desk) -> None:
    await desk.here.locations.add("attic")
    await desk.let_in("ben", "warehouse", locations=["attic"])
    await desk.here.locations.remove("attic")
    page = await desk.get("/app/staff/ben")
    assert 'value="attic" checked' in page.text
    seen = hidden(page.text, "ben")["seen"]
    kept = await desk.send_form(
        "app/staff/ben", seen=seen, name="Ben", roles=["warehouse"], locations=["attic"]
    )
    assert (kept.status_code, "there is no location attic" in text_of(kept)) == (422, True)
    assert (await desk.here.staff.get("ben")).locations == ("attic",)


async def test_a_channel_says_how_it_differs_and_is_retired(desk: Desk) -> None:
    taken = await saved(desk, "app/setup/channels/new", channel="web", kind="web", seller="main")
    assert (taken.status_code, "of this name already" in text_of(taken)) == (409, True)
    made = await saved(
        *(desk, "app/setup/channels/new"),
        channel="uk",
        kind="web",
        seller="main",
        currencies="GBP",
    )
    assert "It is made" in text_of(made), text_of(made)
    channel = await desk.here.channels.get("uk")
    assert (list(channel.currencies or ()), channel.policy) == (["GBP"], Policy())
    retired = await desk.send_form("app/setup/channels/uk/retire")
    assert "takes nothing new" in text_of(retired)
    assert (await desk.here.channels.get("uk")).retired
    assert (await saved(desk, "app/setup/channels/uk", currencies="EUR")).status_code == 200
    assert (await desk.here.channels.get("uk")).retired
    await desk.send_form("app/setup/channels/uk/reopen")
    assert not (await desk.here.channels.get("uk")).retired


async def test_a_channels_policy_is_set_rule_by_rule(desk: Desk) -> None:
    path = "app/setup/channels/web/policy"
    opened = fields_of((await desk.get(f"/{path}")).text)
    done = await saved(
        *(desk, path),
        charge="at_confirmation",
        return_window="60",
        backorder="no",
        chases_max="0",
        sourcing__parcels_max="2",
        claims__within="36",
        claims__within__unit="hours",
        claims__alone_up_to='{"EUR": "20.00"}',
    )
    assert "The policy is saved" in text_of(done), text_of(done)
    for told in ("The customer is charged: for everything", "delivery: 60 days", "EUR 20.00"):
        assert told in text_of(done), text_of(done)
    policy = (await desk.here.channels.get("web")).policy
    claims = ClaimRules.model_validate({"within": "PT36H", "alone_up_to": {"EUR": "20.00"}})
    assert policy == Policy.model_validate(
        {
            "charge": "at_confirmation",
            "return_window": "P60D",
            "backorder": False,
            "chases_max": 0,
            "sourcing": {"parcels_max": 2},
            "claims": claims,
        }
    )
    assert policy.model_fields_set == {
        *("charge", "return_window", "backorder", "chases_max", "sourcing", "claims"),
    }
    usual = text_of(await desk.get("/app/setup/policy"))
    assert "last delivery 30 days channel web: 60 days built in" in usual, usual
    late = await desk.send_form(path, **{**opened, "charge": "manual"})
    assert (late.status_code, "last delivery: 60 days" in text_of(late)) == (409, True)
    for wrong in ({"pay_within": "1.5"}, {"chases_max": "99"}, {"goodwill_roles": "{"}):
        (name,) = wrong
        refused = await saved(desk, path, **wrong)
        assert (refused.status_code, f'id="{name}-fault"' in refused.text) == (422, True), wrong
        assert html.escape(wrong[name]) in refused.text
    assert (await saved(desk, path)).status_code == 200  # as it was shown
    assert (await desk.here.channels.get("web")).policy == policy
    assert (await saved(desk, "app/setup/channels/web", currencies="EUR")).status_code == 200
    assert (await desk.here.channels.get("web")).policy == policy


def test_each_rule_of_the_policy_has_its_place_and_its_words() -> None:
    def places(model: type[BaseModel], before: str = "") -> set[str]:
        found: set[str] = set()
        for name, field in model.model_fields.items():
            kind: Any = field.annotation
            is_part = isinstance(kind, type) and issubclass(kind, BaseModel)
            found |= places(kind, f"{before}{name}.") if is_part else {f"{before}{name}"}
        return found

    rules = [rule for group in RULES.values() for rule in group]
    assert {rule.path for rule in rules} == places(Policy)
    for rule in rules:
        for key in (rule.key, *(f"{rule.key}_{one}" for one in rule.choices)):
            assert screen_words("en").has(f"policy_{key}"), key


async def test_a_shop_is_connected_and_its_way_tried_out(desk: Desk) -> None:
    await desk.here.channels.save([Channel(channel="web", kind="web", providers=("elsewhere",))])
    path = "app/setup/shops/web"
    secret = f"{WHSEC}{'QUJD' * 10}"
    short = await saved(desk, path, kind="generic", secrets="short-one")
    assert (short.status_code, 'id="secrets-fault"' in short.text) == (422, True)
    done = await saved(
        *(desk, path),
        kind="generic",
        secrets=secret,
        options__skus__0__theirs="Tea, <b>green</b>",
        options__skus__0__ours="TEA",
        options__tell_stock="1",
    )
    assert "The shop is connected" in text_of(done), text_of(done)
    options = (await desk.here.shops.get("web")).options
    assert (options.skus, options.tell_stock, options.notify) == (
        *({"Tea, <b>green</b>": "TEA"}, True),
        True,
    )
    page = (await desk.get(f"/{path}")).text
    assert "<b>green" not in page
    odd = await saved(desk, path, secrets=secret, access__address="shop.example")
    assert (odd.status_code, 'id="access-address-fault"' in odd.text) == (422, True)
    assert "https://desk.example/v1/webhooks/shops/web" in done.text
    tried = await desk.send_form(f"{path}/test")
    assert "A test message was signed" in text_of(tried)
    assert "waits for a worker" in text_of(tried)
    (kept,) = await desk.here.shops.messages("web")
    assert kept.topic == "orderloom.test"
    for where in ("app/setup/channels/web", path):
        assert secret not in (await desk.get(f"/{where}")).text
    gone = await desk.send_form(f"{path}/disconnect")
    assert "No more messages" in text_of(gone)
    assert (await desk.send_form(f"{path}/test")).status_code == 409


@pytest.mark.parametrize("kind", ["shopify", "woocommerce"])
async def test_a_test_message_comes_in_as_each_kind_of_shop_signs(desk: Desk, kind: str) -> None:
    await desk.here.channels.save([Channel(channel="web", kind="web", providers=("elsewhere",))])
    wanted = NewShop.model_validate({"kind": kind, "secrets": ["a secret of the shop"]})
    await desk.here.shops.connect("web", wanted, by="test")
    answer = await desk.here.shops.try_out("web", now=datetime.now(UTC))
    assert (answer.status, answer.message) == (200, "kept")


async def test_a_location_has_its_days_and_ways(desk: Desk) -> None:
    made = await saved(
        desk,
        "app/setup/locations/new",
        location="leipzig",
        calendar__time_zone="Europe/Berlin",
        calendar__working_days=["mon", "tue"],
        calendar__cut_off="14:00",
        **lane(0, country="DE", service="*", cost="4.90", currency="EUR", transit_days="1"),
        **lane(7, country="*", service="express", cost="19.00", currency="EUR", transit_days="3"),
    )
    assert "It is made" in text_of(made), text_of(made)
    (known,) = await desk.here.locations.list("leipzig")
    assert known.calendar.working_days == ("mon", "tue")
    assert [(x.country, x.service, x.transit_days) for x in known.lanes] == [
        ("*", "express", 3),
        ("DE", "*", 1),
    ]
    wrong = await saved(desk, "app/setup/locations/leipzig", **lane(1, cost="4.999", country="*"))
    assert (wrong.status_code, 'id="lanes-fault"' in wrong.text) == (422, True)
    assert 'name="lanes.1.cost" value="4.999"' in wrong.text
    same = await saved(desk, "app/setup/locations/leipzig", priority="7")
    assert "It is saved" in text_of(same), text_of(same)
    (changed,) = await desk.here.locations.list("leipzig")
    assert (changed.priority, changed.lanes) == (7, known.lanes)
    none = {"country": "", "service": "", "cost": "", "currency": "", "distance_km": ""}
    await saved(
        desk, "app/setup/locations/leipzig", **lane(0, **none, transit_days="", postal_prefix="")
    )
    (one_less,) = await desk.here.locations.list("leipzig")
    assert one_less.lanes == known.lanes[1:]
    many = [f"*, {n:04}, *, 4.90, EUR" for n in range(101)]
    await desk.send_form(
        "app/setup/locations/leipzig",
        **{**fields_of((await desk.get("/app/setup/locations/leipzig")).text), **gone(one_less)},
        lanes="\n".join(many),
    )
    (long,) = await desk.here.locations.list("leipzig")
    assert len(long.lanes) == 101
    page = (await desk.get("/app/setup/locations/leipzig")).text
    assert '<textarea id="lanes"' in page
    assert (await saved(desk, "app/setup/locations/leipzig", priority="8")).status_code == 200
    assert (await desk.here.locations.list("leipzig"))[0].lanes == long.lanes
    assert "takes nothing new" in text_of(
        await desk.send_form("app/setup/locations/leipzig/retire")
    )
    assert "retired" in text_of(await desk.get("/app/setup/locations"))


async def test_a_key_that_may_nothing_is_told_so_beside_the_scopes(desk: Desk) -> None:
    answer = await desk.send_form("app/setup/keys/new", name="till", per_minute="600")
    assert answer.status_code == 422
    (told,) = re.findall(r'id="scopes-fault">(.*?)</p>', answer.text, re.S)
    assert "Tick at least one" in told
    assert "scopes: " not in text_of(answer)


async def test_a_key_is_shown_once_and_may_no_more_than_its_maker(desk: Desk) -> None:
    made = await saved(
        *(desk, "app/setup/keys/new"), name="Till", scopes=["orders:read"], expires_on="2030-01-31"
    )
    secret = secret_in(made)
    assert secret.startswith("olk_"), text_of(made)
    (key,) = await desk.here.access.list()
    assert (key.name, key.scopes, key.made_by) == ("Till", ("orders:read",), "Anna (anna)")
    path = f"app/setup/keys/{key.key_id}"
    for where in (path, "app/setup/keys"):
        page = await desk.get(f"/{where}")
        assert "Till" in page.text
        assert secret not in page.text
    other = secret_in(await desk.send_form(f"{path}/rotate", hours="0"))
    assert (other.startswith("olk_"), other == secret) == (True, False)
    assert await desk.here.access.grant(secret) is None
    assert await desk.here.access.grant(other) is not None
    # In which role a program asks is up to an admin.
    lead = {"name": "Boss", "role": "lead"}
    new = "app/setup/keys/new"
    boss = secret_in(await saved(desk, new, scopes=["purchasing:write"], **lead))
    grant = await desk.here.access.grant(boss)
    assert grant is not None
    assert grant.role == "lead"
    assert secret_in(await desk.send_form(f"app/setup/keys/{grant.key_id}/rotate", hours="0"))
    none = await saved(desk, "app/setup/keys/new", name="None")
    assert (none.status_code, 'id="scopes-fault"' in none.text) == (422, True)
    revoked = await desk.send_form(f"{path}/revoke")
    assert "The key is revoked" in text_of(revoked)
    assert await desk.here.access.grant(other) is None
    assert "Till" not in text_of(await desk.get("/app/setup/keys"))
    assert "Till" in text_of(await desk.get("/app/setup/keys?all=1"))
    assert (await desk.send_form(f"{path}/rotate")).status_code == 409
    assert (await desk.get("/app/setup/keys/nobodys")).status_code == 404


async def test_a_subscription_is_made_tried_paused_and_forgotten(desk: Desk, pool: Pool) -> None:
    wrong = await saved(desk, "app/setup/events/new", url="http://shop.example/x")
    assert (wrong.status_code, 'id="url-fault"' in wrong.text) == (422, True)
    made = await saved(
        *(desk, "app/setup/events/new"), url="https://shop.example/x", channels=["web"]
    )
    secret = secret_in(made)
    assert secret.startswith(WHSEC), text_of(made)
    (one,) = await desk.here.subscriptions.list()
    path = f"app/setup/events/{one.subscription_id}"
    page = await desk.get(f"/{path}")
    assert secret not in page.text
    assert "Nothing was sent yet" in text_of(page)
    assert "A worker sends the test now" in text_of(await desk.send_form(f"{path}/test"))
    paused = text_of(await desk.send_form(f"{path}/state", state="paused"))
    assert "paused by Anna (anna)" in paused
    second = secret_in(await desk.send_form(f"{path}/secret"))
    assert second not in ("", secret)
    assert "Only the newest" in text_of(await desk.send_form(f"{path}/newest"))
    saved_ = await saved(desk, path, description=INJECTED)
    assert "It is saved" in text_of(saved_), text_of(saved_)
    assert INJECTED not in saved_.text
    assert (await desk.send_form(f"{path}/resend")).status_code == 422
    assert (await desk.send_form(f"{path}/replay", since="soon")).status_code == 422
    nothing_kept = await desk.send_form(f"{path}/replay", since="2026-01-01")
    assert nothing_kept.status_code == 422
    ben = await Desk(pool, desk.app).signed_in("ben", "agent", channels=["b2b"])
    assert (await ben.get(f"/{path}")).status_code == 404
    assert "shop.example" not in text_of(await ben.get("/app/setup/events"))
    assert (await desk.send_form(f"{path}/remove")).status_code == 422
    assert "It is forgotten" in text_of(await desk.send_form(f"{path}/remove", sure="1"))
    assert await desk.here.subscriptions.list() == []


async def test_a_template_is_looked_at_saved_and_put_back(desk: Desk) -> None:
    path = "app/setup/templates/main/shipped/en"
    page = await desk.get(f"/{path}")
    assert "The built-in template" in text_of(page)
    assert 'sandbox src="' in page.text
    assert "{{ tracking_number }} JD014600003SE" in text_of(page)
    for code in re.findall(r'data-insert="([^"]*)"', page.text):
        body = f"{{% block body %}}{html.unescape(code)}{{% endblock %}}"
        blocks = "".join(f"{{% block {x} %}}x{{% endblock %}}" for x in BLOCKS if x != "body")
        tried = await desk.send_form(path, source=f"{blocks}{body}", act="look")
        assert tried.status_code == 200, code
    source = (await desk.here.messages.template("main", "shipped", "en")).replace(
        "{% block title %}", "{% block title %}Hooray: "
    )
    seen = hidden(page.text, "en")["seen"]
    looked = await desk.send_form(path, source=source, act="look", seen=seen)
    assert "Hooray:" in text_of(looked)
    assert await desk.here.messages.templates() == []
    mail = await desk.send_form(f"{path}/mail", source=source)
    assert "Hooray:" in mail.text
    policy = mail.headers["content-security-policy"]
    assert policy.startswith("sandbox; default-src 'none'; style-src 'unsafe-inline'")
    assert "script-src" not in policy
    broken = await desk.send_form(
        path, source="{% block subject %}{{ nobody", act="save", seen=seen
    )
    assert (broken.status_code, 'id="source-fault"' in broken.text) == (422, True)
    done = await desk.send_form(path, source=source, act="save", seen=seen)
    assert "used from now on" in text_of(done)
    assert "Beside the built-in one" in text_of(done)
    (own,) = await desk.here.messages.templates()
    assert own.set_by == "Anna (anna)"
    late = await desk.send_form(path, source=source, act="save", seen=seen)
    assert (late.status_code, "others have changed it" in text_of(late)) == (409, True)
    assert "Others have saved another template" not in text_of(late)  # it is the same one
    theirs = source.replace("Hooray", "Hurrah")
    seen = hidden(late.text, "en")["seen"]
    await desk.here.messages.set_template("main", "shipped", "en", theirs, by="Ben")
    over = await desk.send_form(path, source=source, act="save", seen=seen)
    assert (over.status_code, "Hurrah: " in text_of(over)) == (409, True)
    again = await desk.send_form(
        path, source=source, act="save", seen=hidden(over.text, "en")["seen"]
    )
    assert "used from now on" in text_of(again)
    seen = hidden(again.text, "en")["seen"]
    back = await desk.send_form(path, source=source, act="reset", seen=seen)
    assert "built-in template is used again" in text_of(back)
    assert await desk.here.messages.templates() == []
    for odd in ("main/none/en", "none/shipped/en", "main/shipped/xx"):
        assert (await desk.get(f"/app/setup/templates/{odd}")).status_code == 404


async def test_a_field_that_is_called_as_a_method_of_dicts_is_shows_no_method(pool: Pool) -> None:
    desk = await Desk(pool).signed_in("anna")
    page = await desk.get("/app/setup/rules")
    assert 'name="values"' in page.text
    assert "built-in method" not in page.text


async def test_a_rule_holds_orders_and_a_list_keeps_hashes(desk: Desk) -> None:
    empty = await saved(desk, "app/setup/rules/new", rule="dear", reason="fraud_review")
    assert (empty.status_code, "Say which orders it holds" in text_of(empty)) == (422, True)
    made = await saved(
        *(desk, "app/setup/rules/new"),
        rule="dear",
        reason="fraud_review",
        when__amount_over__amount="500.00",
        when__amount_over__currency="EUR",
    )
    assert "It is made" in text_of(made), text_of(made)
    (rule,) = await desk.here.hold_rules.list()
    assert rule.set_as is not None
    assert rule.set_as.when.amount_over is not None
    changed = await saved(desk, "app/setup/rules/dear", ends_after="P2D")
    assert "It is saved" in text_of(changed), text_of(changed)
    put = await desk.send_form(
        "app/setup/lists", list="bad", kind="email", values="kim@example.com", act="on"
    )
    assert "They are on the list" in text_of(put)
    assert "kim@example.com" not in put.text
    gone = await desk.send_form("app/setup/rules/dear/remove")
    assert "No rule holds an order" in text_of(gone)


async def test_roles_and_extensions_are_told(desk: Desk) -> None:
    roles = text_of(await desk.get("/app/setup/roles"))
    told = "Access: let people in, make and end keys access:write ✓ yes – – – – –"
    assert told in roles, roles
    new = text_of(await desk.get("/app/setup/keys/new"))
    for scope in SCOPES:
        capability, kind = scope.split(":")
        words = screen_words("en")
        assert f"{words(f'scope_{capability}_{kind}')} {scope}" in new, scope
        assert words(f"scope_{capability}") in new
    extensions = text_of(await desk.get("/app/setup/extensions"))
    assert "sandbox" in extensions


@pytest.mark.parametrize("path", [*FORMS, "app/staff/new", "app/staff/ann", "app/me/language"])
async def test_an_empty_form_says_in_the_readers_language_what_is_missing(
    desk: Desk, path: str
) -> None:
    await desk.here.locations.add("main")
    kim = await Desk(desk.pool, desk.app).signed_in("ann", language="ko")
    answer = await kim.send_form(path)
    told = re.findall(r'class="(?:told trouble|fault)"[^>]*>(.*?)</(?:div|p)>', answer.text, re.S)
    for one in told:
        text = html.unescape(re.sub(r"<[^>]+>", " ", one))
        # No name of a field as programs call it, and no sentence of a library.
        assert re.search(r"[a-z_.]+: |is missing|must |should ", text) is None, text
        assert re.search(r"[가-힣]", text), text
    if answer.status_code == 422:
        assert told


async def test_moments_are_told_in_a_persons_own_time_zone(desk: Desk) -> None:
    wrong = await desk.send_form("app/me/language", language="", time_zone="Europe/Nowhere")
    assert (wrong.status_code, 'value="Europe/Nowhere"' in wrong.text) == (422, True)
    assert "in the time zone UTC" in (await desk.get("/app/me")).text
    seen_at = (await desk.here.staff.sessions("anna"))[0].began_at
    for typed, zone, hours in (("seoul", "Asia/Seoul", 9), ("Asia/Dubai", "Asia/Dubai", 4)):
        await desk.send_form("app/me/language", language="en", time_zone=typed)
        page = await desk.get("/app/me")
        assert f"in the time zone {zone}" in page.text
        local = seen_at + timedelta(hours=hours)
        told = f"{local:%I:%M}".lstrip("0") + f"\u202f{local:%p}"
        assert told in page.text, (told, text_of(page))


async def test_two_who_change_one_person_do_not_undo_each_other(desk: Desk) -> None:
    await desk.let_in("ben", "agent")
    path = "app/staff/ben"
    seen = hidden((await desk.get(f"/{path}")).text, "ben")["seen"]
    first = await desk.send_form(path, seen=seen, name="Ben One", roles=["agent", "lead"])
    assert first.status_code == 200
    second = await desk.send_form(path, seen=seen, name="Ben Two", roles=["buyer"])
    told = text_of(second)
    assert (second.status_code, "others have changed it" in told) == (409, True)
    assert "Roles: agent, lead" in told
    assert 'value="Ben Two"' in second.text
    assert (await desk.here.staff.get("ben")).name == "Ben One"
    seen = hidden(second.text, "ben")["seen"]
    again = await desk.send_form(path, seen=seen, name="Ben Two", roles=["buyer"])
    assert again.status_code == 200
    assert (await desk.here.staff.get("ben")).roles == ("buyer",)
