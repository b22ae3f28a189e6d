"""Retry policies of steps."""

from __future__ import annotations

from datetime import timedelta

from hypothesis import example, given
from hypothesis import strategies as st
from temporalio.common import RetryPolicy

from workflows.engine.timeouts import PROVIDER_RETRY, retry_for


def _waited(policy: RetryPolicy, attempts: int) -> timedelta:
    """How long the server pauses in all between this many attempts."""
    assert policy.maximum_interval is not None
    pauses = [
        min(
            policy.initial_interval * policy.backoff_coefficient ** min(n, 40),
            policy.maximum_interval,
        )
        for n in range(attempts - 1)
    ]
    return sum(pauses, timedelta(0))


@given(st.timedeltas(timedelta(microseconds=1), timedelta(hours=12)))
@example(timedelta(minutes=10))
@example(PROVIDER_RETRY.initial_interval)
def test_a_step_is_tried_for_as_long_as_asked_and_not_once_more(duration: timedelta) -> None:
    policy = retry_for(duration)
    assert _waited(policy, policy.maximum_attempts) >= duration
    assert _waited(policy, policy.maximum_attempts - 1) < duration


@given(st.timedeltas(timedelta(0), timedelta(days=1)))
def test_there_is_always_an_end(duration: timedelta) -> None:
    # Zero would mean without end to the server.
    assert retry_for(duration).maximum_attempts >= 1


def test_pauses_are_those_of_provider_calls() -> None:
    policy = retry_for(timedelta(minutes=10))
    assert policy.initial_interval == PROVIDER_RETRY.initial_interval
    assert policy.backoff_coefficient == PROVIDER_RETRY.backoff_coefficient
    assert policy.maximum_interval == PROVIDER_RETRY.maximum_interval
