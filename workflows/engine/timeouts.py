"""Every timeout and retry policy of a step, by name. How long people may take is in the Policy."""

from __future__ import annotations

from datetime import timedelta

from temporalio.common import RetryPolicy

DATABASE_STEP = timedelta(seconds=15)
"""A short step in PostgreSQL, once started. It is idempotent, so a slow one is simply run again."""

PROVIDER_CALL = timedelta(seconds=60)
"""A call to a payment provider or carrier with its two short transactions."""

UNKNOWN_MAX = timedelta(hours=20)
"""An outcome that is not known is looked up this long at most, before it is put before a person:
well within the 24 hours for which Stripe remembers an idempotency key."""

REPLENISHMENT = timedelta(minutes=5)
"""A look at all levels: a transaction for each supplier that is ordered from."""

RECONCILIATION = timedelta(minutes=10)
"""A day of one payment company: its whole list, a page at a time."""

RECONCILIATION_GIVE_UP = timedelta(hours=1)
"""A company that does not answer for so long: its day is due again the next time."""

EVENT_DELIVERY = timedelta(minutes=3)
"""What is due to one receiver: a minute's work, and the last attempts of it."""

EVENT_ATTEMPT = timedelta(seconds=45)
"""One attempt to send an event, with its record. A worker that is silent for so long is gone."""

JOB_TURN = timedelta(minutes=5)
"""A turn of work on a job: half a minute, and what was under way by then; or a whole file read."""

JOB_SILENCE = timedelta(seconds=10)
"""Who works on a job says so every few seconds. Who is silent for so long is gone."""

DATABASE_RETRY = RetryPolicy(
    initial_interval=timedelta(milliseconds=200),
    backoff_coefficient=2.0,
    maximum_interval=timedelta(seconds=10),
)

LOCAL_BACKOFF_MAX = timedelta(seconds=3)
"""A local step that backs off longer leaves the workflow task, so that messages come through."""

PROVIDER_RETRY = RetryPolicy(
    initial_interval=timedelta(milliseconds=500),
    backoff_coefficient=2.0,
    maximum_interval=timedelta(seconds=30),
)


def retry_for(duration: timedelta) -> RetryPolicy:
    """The provider policy, ended after about this long by a number of attempts.

    For a step that waits for people once its call has succeeded: its own timeout is the people's.
    """
    assert PROVIDER_RETRY.maximum_interval is not None
    longest = PROVIDER_RETRY.maximum_interval
    pause, left, attempts = PROVIDER_RETRY.initial_interval, duration, 1
    while left > timedelta(0) and pause < longest:
        left -= pause
        pause = min(pause * PROVIDER_RETRY.backoff_coefficient, longest)
        attempts += 1
    attempts += max(0, -(-left // longest))  # the rest in pauses of full length, rounded up
    return RetryPolicy(
        initial_interval=PROVIDER_RETRY.initial_interval,
        backoff_coefficient=PROVIDER_RETRY.backoff_coefficient,
        maximum_interval=PROVIDER_RETRY.maximum_interval,
        maximum_attempts=attempts,
    )
