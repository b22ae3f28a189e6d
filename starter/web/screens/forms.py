"""Forms of the screens: each is met, or shown again with what was wrong and all that was typed."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Final, Self

from pydantic import ValidationError
from starlette.responses import Response

from domain.errors import InvalidInput, NotFound, Refused, Unreachable
from starter.web.screens.faults_told import faults_told
from starter.web.screens.visits import Visit, in_words
from starter.web.words import Words

_DIGITS_MAX: Final = 9

Again = Callable[[int, Sequence[str]], Awaitable[Response]]
"""Shows the form again: with this status, and with what was wrong, a sentence each."""


class NotAsked(Exception):
    """The form cannot be met as it was filled in. `key`: the sentence that says why."""

    def __init__(self, key: str) -> None:
        super().__init__(key)
        self.key = key


class Said(dict[str, str]):
    """What was typed, by the names of the fields; "" for what was not."""

    @classmethod
    def of(cls, sent: Mapping[str, Sequence[str]] | None) -> Self:
        """What a form has sent; None: there was none."""
        return cls({name: values[0] for name, values in (sent or {}).items()})

    def __missing__(self, name: str) -> str:
        return ""


async def met(visit: Visit, act: Callable[[], Awaitable[str]], then: str, again: Again) -> Response:
    """Meet a form and go on at `then`, an address of ours; or show it again.

    `act` answers what was done, as the address then tells it: `?done=…`, see `told_by`.
    """
    try:
        done = await act()
    except NotAsked as no:
        return await again(422, [visit.words(no.key)])
    except (ValidationError, InvalidInput) as wrong:
        visit.faults = by_field(visit.words, wrong)
        return await again(422, in_words(visit.words, wrong))
    except (Refused, NotFound) as no:
        return await again(409, in_words(visit.words, no))
    except Unreachable:
        # It may be under way: the form that is sent again has to be the same request.
        return await again(503, [visit.words("not_known")])
    mark = "&" if "?" in then else "?"
    return visit.lead(f"{then}{mark}done={done}")


def by_field(words: Words, wrong: ValidationError | InvalidInput) -> dict[str, str]:
    """What is wrong, by the places of a document that a form's fields have as their names."""
    return {place: told for place, told in faults_told(words, wrong) if place}


def told_by(visit: Visit, done: str) -> str:
    """The sentence for what an address says was done; "" for what is none of ours."""
    key = f"done_{done}"
    return visit.words(key) if visit.words.has(key) else ""


def whole(text: str) -> int:
    """A number as a form has it; 0 for what is none."""
    is_one = len(text) <= _DIGITS_MAX and text.isascii() and text.isdecimal()
    return int(text) if is_one else 0
