"""Extensions: found by their entry points, and refused with a sentence that says which and why."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from textwrap import dedent
from typing import Any, cast

import pytest

from activities.companies import Companies
from activities.extension import Tools
from activities.providers.store_credit import StoreCredit
from activities.providers.stripe.extension import EXTENSION
from activities.providers.stripe.settings import StripeSettings
from domain.errors import InvalidInput
from runtime.extensions import Installed, installed, pay_pages, settings_of, usable

Publish = Callable[..., None]

NO_TOOLS = Tools(pool=cast(Any, None))


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    for name in os.environ:
        if name.startswith("ORDERLOOM_"):
            monkeypatch.delenv(name)
    return monkeypatch


@pytest.fixture
def publish(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Publish]:
    """Installs a distribution with one extension, as pip would, for the time of a test."""
    monkeypatch.syspath_prepend(str(tmp_path))
    before = set(sys.modules)

    def put(name: str, code: str, *, distribution: str | None = None, version: str = "1.0") -> None:
        distribution = distribution or name
        module = f"ext_{distribution}_{name}".replace("-", "_")
        (tmp_path / f"{module}.py").write_text(dedent(code), encoding="utf-8")
        folder = tmp_path / f"{distribution.replace('-', '_')}-{version}.dist-info"
        folder.mkdir()
        (folder / "METADATA").write_text(
            f"Metadata-Version: 2.1\nName: {distribution}\nVersion: {version}\n", encoding="utf-8"
        )
        (folder / "entry_points.txt").write_text(
            f"[orderloom.extensions]\n{name} = {module}:EXTENSION\n", encoding="utf-8"
        )

    yield put
    for name in set(sys.modules) - before:
        if name.startswith("ext_"):
            del sys.modules[name]


async def test_companies_have_pages_for_customers_where_their_settings_say_so(
    environment: pytest.MonkeyPatch, publish: Publish
) -> None:
    publish("broken", "raise RuntimeError('it is')")
    assert pay_pages() == {}
    environment.setenv("ORDERLOOM_SANDBOX__PAY_PAGES", "http://127.0.0.1:8123")
    environment.setenv("ORDERLOOM_STRIPE_ACCOUNTS__UK__API_KEY", "sk_test_uk")
    pages = pay_pages()
    assert {name: one.name for name, one in pages.items()} == {
        "sandbox": "Sandbox",
        "stripe:uk": "Stripe",
    }
    for one in pages.values():
        await one.close()


def found(name: str) -> Installed:
    return next(one for one in installed() if one.name == name)


READER = """
    from pydantic import BaseModel
    from activities.extension import Extension

    class Settings(BaseModel):
        token: str

    EXTENSION = Extension(
        name="acme", settings=Settings, events=lambda settings, _: lambda body: settings.token
    )
"""


# What is there


def test_stripe_the_sandbox_and_store_credit_are_found_as_anybodys_are() -> None:
    ours = {one.name: one for one in installed() if one.distribution == "orderloom"}
    assert {name: one.extension and one.extension.brings for name, one in ours.items()} == {
        "sandbox": ("payment", "events", "carrier", "supplier", "pay_pages"),
        "elsewhere": ("payment",),
        "on_account": ("payment",),
        "store_credit": ("payment",),
        "gift_card": ("payment",),
        "voucher": ("payment",),
        "stripe": ("payment", "events", "pay_pages"),
        "postal": ("address",),
    }
    companies = Companies.of(list(ours.values()), (), NO_TOOLS)
    # There is no key of Stripe's.
    assert companies.payment.keys() == {
        *("sandbox", "store_credit", "gift_card", "voucher", "elsewhere", "on_account")
    }
    assert isinstance(companies.payment["store_credit"], StoreCredit)
    assert companies.events.keys() == {"sandbox", "stripe"}


def test_an_extension_of_anybodys_gets_its_own_settings(
    publish: Publish, environment: pytest.MonkeyPatch
) -> None:
    publish("acme", READER, distribution="acme-orderloom", version="2.1")
    environment.setenv("ORDERLOOM_ACME__TOKEN", "abc")
    one = found("acme")
    assert (one.origin, one.fault) == ("acme-orderloom 2.1", "")
    read: Any = Companies.of([one], (), NO_TOOLS).events["acme"]
    assert read({}) == "abc"


# What cannot be used


@pytest.mark.parametrize(
    ("code", "told"),
    [
        ("import nothing_of_this_name", "ModuleNotFoundError: No module named 'nothing_of"),
        ("EXTENSION = {}", "is a dict, and not an Extension"),
        ("other = 1", "AttributeError"),
        (READER.replace('"acme"', '"acne"'), "says 'acme', and the extension 'acne'"),
        (READER, "ORDERLOOM_ACME__TOKEN: is missing"),
    ],
)
def test_one_that_fails_to_load_is_listed_with_the_reason_and_stops_nobody_from_looking(
    publish: Publish, code: str, told: str
) -> None:
    publish("acme", code)
    assert told in found("acme").fault
    assert found("sandbox").fault == ""


@pytest.mark.parametrize(
    "name", ["policy", "counter", "by_hand", "acme_accounts", "Acme", "a", "a-b"]
)
def test_a_name_that_means_something_else_or_cannot_be_a_variable_is_refused(
    publish: Publish, name: str
) -> None:
    publish(name, READER.replace('"acme"', repr(name)), distribution="thing")
    assert "name" in found(name).fault


def test_of_two_with_one_name_both_are_refused_and_both_are_named(publish: Publish) -> None:
    publish("acme", READER, distribution="one")
    publish("acme", READER, distribution="other", version="3")
    faults = [one.fault for one in installed() if one.name == "acme"]
    assert len(faults) == 2
    assert all("one 1.0" in fault and "other 3" in fault for fault in faults)


def test_a_worker_says_which_fails_and_why_and_goes_without_it_only_if_it_may(
    publish: Publish,
) -> None:
    publish("acme", "raise RuntimeError('no licence')", distribution="acme-orderloom")
    with pytest.raises(InvalidInput) as refused:
        usable(installed(), ())
    told = str(refused.value)
    assert "acme (acme-orderloom 1.0): RuntimeError: no licence" in told
    assert "ORDERLOOM_WITHOUT_EXTENSIONS=acme" in told
    assert "acme" not in [one.name for one in usable(installed(), ("acme",))]


def test_one_whose_maker_fails_is_refused_in_the_same_way_and_brings_nothing(
    publish: Publish, environment: pytest.MonkeyPatch
) -> None:
    publish("acme", READER.replace("lambda body: settings.token", "1 / 0"))
    environment.setenv("ORDERLOOM_ACME__TOKEN", "abc")
    with pytest.raises(InvalidInput, match=r"acme .*ZeroDivisionError"):
        Companies.of([found("acme")], (), NO_TOOLS)
    assert Companies.of([found("acme")], ("acme",), NO_TOOLS) == Companies()


def test_an_environment_without_any_says_that_it_is_old() -> None:
    with pytest.raises(InvalidInput, match="install it again"):
        usable([], ())


def test_a_way_to_suppliers_that_nobody_brings_is_refused_with_those_there_are() -> None:
    ours = Companies.of([found("sandbox")], (), NO_TOOLS)
    assert ours.supplier_chosen("sandbox") is ours.supplier["sandbox"]
    with pytest.raises(InvalidInput, match=r"ORDERLOOM_SUPPLIER: .*'acme'; there is sandbox"):
        ours.supplier_chosen("acme")


# Settings of Stripe's


def test_how_stripe_is_reached_comes_from_the_environment(
    environment: pytest.MonkeyPatch,
) -> None:
    environment.setenv("ORDERLOOM_STRIPE__API_KEY", "sk_test_4eC39Hq")
    environment.setenv("ORDERLOOM_STRIPE__API_BASE", "http://127.0.0.1:8420")
    environment.setenv("ORDERLOOM_STRIPE__MULTICAPTURE", "true")
    stripe, _ = settings_of(EXTENSION)
    assert isinstance(stripe, StripeSettings)
    assert stripe.api_key is not None
    assert stripe.api_key.get_secret_value() == "sk_test_4eC39Hq"
    assert stripe.api_base == "http://127.0.0.1:8420"
    assert stripe.multicapture
    assert "4eC39Hq" not in repr(stripe)


def test_an_empty_key_of_stripe_counts_as_not_set(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("ORDERLOOM_STRIPE__API_KEY", "")
    assert settings_of(EXTENSION) == (StripeSettings(), {})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("API_KEY", "pk_test_4eC39Hq"),
        ("API_KEY", "4eC39Hq"),
        ("API_BASE", "http://stripe.example.com"),
        ("API_BASE", "https://key:4eC39Hq@example.com"),
        ("MULTICAPTURE", "4eC39Hq"),
        ("API_KIE", "4eC39Hq"),
    ],
)
def test_a_bad_setting_of_stripe_is_named_and_not_shown(
    environment: pytest.MonkeyPatch, name: str, value: str
) -> None:
    environment.setenv(f"ORDERLOOM_STRIPE__{name}", value)
    with pytest.raises(InvalidInput, match="ORDERLOOM_STRIPE") as error:
        settings_of(EXTENSION)
    assert value not in str(error.value)
    assert "4eC39Hq" not in str(error.value)
