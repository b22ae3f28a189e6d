"""How long things may take: durations that travel with an order."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from domain.orders.policy import Policy
from runtime.settings import load_settings

DURATIONS = [
    name
    for name, field in Policy.model_fields.items()
    if isinstance(field.default, timedelta) and name != "appointment_firm"  # may be none
]


@given(
    st.builds(
        Policy,
        **{
            name: st.timedeltas(timedelta(microseconds=1), timedelta(days=3650))
            for name in DURATIONS
        },
    )
)
def test_a_policy_travels_as_json_without_loss(policy: Policy) -> None:
    assert Policy.model_validate_json(policy.model_dump_json()) == policy


def test_durations_are_iso_8601_on_the_wire() -> None:
    assert '"return_window":"P30D"' in Policy().model_dump_json()
    assert Policy.model_validate_json('{"pick_within": "PT90S"}').pick_within.seconds == 90


@pytest.mark.parametrize("name", DURATIONS)
@pytest.mark.parametrize("value", [0, "PT0S", "-P1D", "P3651D", "soon", None])
def test_a_duration_is_above_zero_and_at_most_ten_years(name: str, value: Any) -> None:
    with pytest.raises(ValidationError) as error:
        Policy.model_validate({name: value})
    assert error.value.errors()[0]["loc"] == (name,)


@pytest.mark.parametrize("value", ["PT0S", "PT36H", "P90D"])
def test_an_appointment_is_firm_from_its_beginning_or_for_ninety_days_before_it(value: str) -> None:
    policy = Policy.model_validate({"appointment_firm": value})
    assert Policy.model_validate_json(policy.model_dump_json()) == policy


@pytest.mark.parametrize("value", ["-P1D", "P91D", "soon", None])
def test_an_appointment_is_not_firm_for_longer(value: Any) -> None:
    with pytest.raises(ValidationError) as error:
        Policy.model_validate({"appointment_firm": value})
    assert error.value.errors()[0]["loc"] == ("appointment_firm",)


@pytest.mark.parametrize(
    ("name", "value"),
    [("partly_available", "maybe"), ("pick_wihtin", "P1D"), ("replace_missing", 7)],
)
def test_what_a_policy_does_not_know_is_refused(name: str, value: Any) -> None:
    with pytest.raises(ValidationError) as error:
        Policy.model_validate({name: value})
    assert error.value.errors()[0]["loc"] == (name,)


def test_defaults_come_from_the_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ORDERLOOM_POLICY__RETURN_WINDOW", "P14D")
    monkeypatch.setenv("ORDERLOOM_POLICY__PARTLY_AVAILABLE", "all_or_nothing")
    policy = load_settings().policy
    assert policy.return_window == timedelta(days=14)
    assert policy.partly_available == "all_or_nothing"
    assert policy.pick_within == Policy().pick_within
