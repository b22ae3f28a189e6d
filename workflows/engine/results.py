"""Reads what activities answer, so that a wrong answer fails the step and not the workflow task.

Anybody who knows an activity's id can complete it from outside, with anything. The library would
read the answer before the workflow's code runs, and a fault there fails the task for ever.
"""

from __future__ import annotations

import typing
from collections.abc import Awaitable, Callable
from functools import cache
from typing import Any, TypeVar

from temporalio import workflow
from temporalio.common import RawValue
from temporalio.exceptions import ApplicationError

T = TypeVar("T")

WRONG_RESULT = "wrong_result"


def start(
    do: Callable[..., Awaitable[Any]], ask: Any, **options: Any
) -> workflow.ActivityHandle[RawValue]:
    """Start an activity whose answer is read by `answer`."""
    return workflow.start_activity(do.__name__, ask, result_type=RawValue, **options)


async def answer(do: Callable[..., Awaitable[T]], started: workflow.ActivityHandle[RawValue]) -> T:
    """The activity's answer. Raises ApplicationError for anything that is no valid answer."""
    return read(do, await started)


async def execute(do: Callable[..., Awaitable[T]], ask: Any, **options: Any) -> T:
    """Run an activity to its end. Raises ApplicationError for anything that is no valid answer."""
    return await answer(do, start(do, ask, **options))


async def insist(do: Callable[..., Awaitable[T]], ask: Any, **options: Any) -> T:
    """Run an activity until it answers. What somebody else completed it with is no answer.

    Only for activities whose repeat changes nothing.
    """
    while True:
        try:
            return await execute(do, ask, **options)
        except ApplicationError as error:
            if error.type != WRONG_RESULT:
                raise
            workflow.logger.warning("%s; it is run again", error.message)


def read(do: Callable[..., Awaitable[T]], raw: RawValue | None) -> T:
    """The answer as the type that the activity declares."""
    kind = _declared(do)
    found: Any = None
    if kind is type(None):
        return found  # type: ignore[no-any-return]  # there is nothing to read
    try:
        if raw is not None:
            found = workflow.payload_converter().from_payload(raw.payload, kind)
    except (ValueError, TypeError, KeyError, RuntimeError):
        raise _wrong(do) from None
    if found is None and type(None) not in typing.get_args(kind):
        raise _wrong(do)
    return found  # type: ignore[no-any-return]  # the converter says so


@cache
def _declared(do: Callable[..., Awaitable[Any]]) -> Any:
    return typing.get_type_hints(do)["return"]


def _wrong(do: Callable[..., Awaitable[Any]]) -> ApplicationError:
    return ApplicationError(
        f"{do.__name__} was completed from outside with a result of the wrong kind",
        type=WRONG_RESULT,
    )
