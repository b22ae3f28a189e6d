"""Settings from the environment."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from domain.errors import InvalidInput
from runtime.settings import load_settings


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


def test_the_seller_is_set_field_by_field(environment: pytest.MonkeyPatch) -> None:
    assert not load_settings().seller.is_set
    environment.setenv("ORDERLOOM_SELLER__NAME", "Tea & Sons GmbH")
    environment.setenv("ORDERLOOM_SELLER__TAX_NUMBERS", '["DE123456789"]')
    environment.setenv("ORDERLOOM_SELLER__TIME_ZONE", "Europe/Berlin")
    seller = load_settings().seller
    assert (seller.name, seller.tax_numbers) == ("Tea & Sons GmbH", ("DE123456789",))
    assert seller.time_zone == "Europe/Berlin"
    environment.setenv("ORDERLOOM_SELLER__TIME_ZONE", "Mars/Olympus")
    with pytest.raises(InvalidInput, match="ORDERLOOM_SELLER: must be an IANA time zone"):
        load_settings()


def test_webhook_secrets_are_one_or_several_and_never_shown(
    environment: pytest.MonkeyPatch,
) -> None:
    environment.setenv(
        "ORDERLOOM_WEBHOOK_SECRETS", '{"stripe": ["whsec_of_tomorrow", "whsec_of_today__"]}'
    )
    environment.setenv("ORDERLOOM_WEBHOOK_SECRETS__SANDBOX", "a secret of the sandbox")
    settings = load_settings()
    told = {
        name: [s.get_secret_value() for s in of] for name, of in settings.webhook_secrets.items()
    }
    assert told == {
        "stripe": ["whsec_of_tomorrow", "whsec_of_today__"],
        "sandbox": ["a secret of the sandbox"],
    }
    assert "whsec" not in repr(settings)


@pytest.mark.parametrize("value", ['{"stripe": []}', '{"stripe": ""}', '{"stripe": "too short"}'])
def test_a_webhook_secret_that_anybody_guesses_is_refused(
    environment: pytest.MonkeyPatch, value: str
) -> None:
    environment.setenv("ORDERLOOM_WEBHOOK_SECRETS", value)
    with pytest.raises(InvalidInput, match="ORDERLOOM_WEBHOOK_SECRETS") as error:
        load_settings()
    assert "too short" not in str(error.value).replace("is too short", "")
