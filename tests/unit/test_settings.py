"""Settings from the environment."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from domain.errors import InvalidInput
from settings import load_settings


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    for name in os.environ:
        if name.startswith(("ORDERLOOM_", "DATABASE_URL")):
            monkeypatch.delenv(name)
    return monkeypatch


def test_nothing_has_to_be_set() -> None:
    settings = load_settings()
    assert settings.home == Path(".orderloom")
    assert settings.database_url is None
    assert settings.metrics_address is None


def test_values_come_from_the_environment(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("ORDERLOOM_HOME", "/srv/orders")
    environment.setenv("DATABASE_URL", "postgresql://db/orders")
    environment.setenv("ORDERLOOM_METRICS_ADDRESS", "0.0.0.0:9464")
    settings = load_settings()
    assert settings.home == Path("/srv/orders")
    assert settings.database_url == "postgresql://db/orders"
    assert settings.metrics_address == "0.0.0.0:9464"


def test_an_empty_variable_counts_as_not_set(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("ORDERLOOM_HOME", "")
    environment.setenv("DATABASE_URL", "")
    assert load_settings().home == Path(".orderloom")
    assert load_settings().database_url is None


def test_every_variable_at_fault_is_named_and_no_value_is_shown(
    environment: pytest.MonkeyPatch,
) -> None:
    environment.setenv("ORDERLOOM_DATABASE_POOL_SIZE", "lots")
    environment.setenv("ORDERLOOM_METRICS_ADDRESS", "9464")
    with pytest.raises(InvalidInput) as error:
        load_settings()
    assert "ORDERLOOM_DATABASE_POOL_SIZE" in str(error.value)
    assert "ORDERLOOM_METRICS_ADDRESS" in str(error.value)
    assert "lots" not in str(error.value)


def test_how_stripe_is_reached_comes_from_the_environment(
    environment: pytest.MonkeyPatch,
) -> None:
    environment.setenv("ORDERLOOM_STRIPE__API_KEY", "sk_test_4eC39Hq")
    environment.setenv("ORDERLOOM_STRIPE__API_BASE", "http://127.0.0.1:8420")
    environment.setenv("ORDERLOOM_STRIPE__WEBHOOK_SECRET", "whsec_Yz8")
    environment.setenv("ORDERLOOM_STRIPE__MULTICAPTURE", "true")
    stripe = load_settings().stripe
    assert stripe.api_key is not None
    assert stripe.api_key.get_secret_value() == "sk_test_4eC39Hq"
    assert stripe.api_base == "http://127.0.0.1:8420"
    assert stripe.multicapture
    assert "4eC39Hq" not in repr(load_settings())
    assert "Yz8" not in repr(load_settings())


def test_an_empty_key_of_stripe_counts_as_not_set(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("ORDERLOOM_STRIPE__API_KEY", "")
    assert load_settings().stripe.api_key is None


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
        load_settings()
    assert value not in str(error.value)
    assert "4eC39Hq" not in str(error.value)
