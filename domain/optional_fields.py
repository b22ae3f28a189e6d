"""What is optional in a document from outside never costs the document.

An optional field that is null, empty or blank is not given. One that is marked as `Free` and cannot
be read is left out, or cut where it is only too long, and that is told with its reason.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final, Self

from pydantic import (
    BaseModel,
    ModelWrapValidatorHandler,
    PrivateAttr,
    ValidationError,
    model_validator,
)

from domain.faults import faults, part_of, path
from domain.fields import Document

Place = tuple[int | str, ...]


@dataclass(frozen=True)
class Free:
    """Marks an optional field that may be left out. `cut`: its beginning says most of it."""

    cut: bool = False


FREE: Final = Free()
CUT: Final = Free(cut=True)


class LenientDocument(Document):
    """A document in which null, "" and spaces in an optional field mean "not given"."""

    @model_validator(mode="before")
    @classmethod
    def _given(cls, document: Any) -> Any:
        if not isinstance(document, dict):
            return document
        return {
            name: value
            for name, value in document.items()
            if not (is_blank(value) and _is_optional(cls, name))
        }


class LenientRoot(LenientDocument):
    """A whole document, which knows what it lacks of what was sent."""

    _left_out: tuple[str, ...] = PrivateAttr(default=())

    @property
    def left_out(self) -> tuple[str, ...]:
        """What was left out or cut, each with the reason, and without its value."""
        return self._left_out

    def telling(self, left_out: tuple[str, ...]) -> Self:
        """The same document, which tells this."""
        self._left_out = left_out
        return self

    @model_validator(mode="wrap")
    @classmethod
    def _read(cls, document: Any, handler: ModelWrapValidatorHandler[Self]) -> Self:
        told: dict[str, str] = {}
        # Each round mends at least one field, by a cut or by leaving it out.
        for _ in range(2 * len(_free_places(cls))):
            try:
                read = handler(document)
            except ValidationError as error:
                document = _mended(cls, document, error, told)
            else:
                return read.telling(tuple(map(" ".join, told.items()))) if told else read
        return handler(document)


def filled(part: dict[str, Any], **values: Any) -> dict[str, Any]:
    """The part with these values where it has none."""
    missing = {
        name: value
        for name, value in values.items()
        if is_blank(part.get(name)) and not is_blank(value)
    }
    return {**part, **missing}


def is_blank(value: Any) -> bool:
    """Whether a value says nothing: null, or text in which nothing can be read."""
    return value is None or (
        isinstance(value, str)
        and not any(sign.isprintable() and not sign.isspace() for sign in value)
    )


def _is_optional(model: type[BaseModel], name: Any) -> bool:
    field = model.model_fields.get(name)
    return field is not None and not field.is_required()


@lru_cache(maxsize=16)
def _free_places(model: type[BaseModel]) -> Mapping[Place, Free]:
    return dict(_places(model, ()))


def _places(model: type[BaseModel], before: Place) -> Iterator[tuple[Place, Free]]:
    for name, field in model.model_fields.items():
        place = (*before, name)
        yield from ((place, mark) for mark in field.metadata if isinstance(mark, Free))
        part = part_of(field)
        if part is not None:
            yield from _places(part, place)


def _mended(
    model: type[BaseModel], document: Any, error: ValidationError, told: dict[str, str]
) -> Any:
    """The document without its free fields that are wrong; which, and why, is added to `told`.

    Raises the error if it is about others only.
    """
    free = _free_places(model)
    too_long = {
        fault["loc"]: fault["ctx"]["max_length"]
        for fault in error.errors(include_url=False, include_input=False)
        if fault["type"] == "string_too_long"
    }
    found = False
    for at, where, reason in faults(error):
        place = _free(free, at)
        if place is None:
            continue
        found = True
        if free[_names(place)].cut and place in too_long:
            document = _cut(document, place, too_long[place])
            told[where] = f"was cut after {too_long[place]} characters"
        elif _has(document, place):  # not gone by what was wrong before it
            document = _without(document, place)
            told[path(place)] = f"was left out: {'it' if at == place else where} {reason}"
    if not found:
        raise error
    return document


def _free(free: Mapping[Place, Free], at: Place) -> Place | None:
    """The field that may be left out, and is or holds what is wrong; None if there is none."""
    parts = (at[:length] for length in range(len(at), 0, -1))
    return next((part for part in parts if _names(part) in free), None)


def _names(place: Place) -> Place:
    """The place without the numbers of list items."""
    return tuple(step for step in place if isinstance(step, str))


def _has(document: Any, place: Place) -> bool:
    for step in place:
        if isinstance(step, str) and (not isinstance(document, dict) or step not in document):
            return False
        document = document[step]
    return True


def _without(document: Any, place: Place) -> Any:
    step, *rest = place
    if isinstance(step, int):
        return [*document[:step], _without(document[step], tuple(rest)), *document[step + 1 :]]
    if rest:
        return {**document, step: _without(document[step], tuple(rest))}
    return {name: value for name, value in document.items() if name != step}


def _cut(document: Any, place: Place, length: int) -> Any:
    step, *rest = place
    if isinstance(step, int):
        item = _cut(document[step], tuple(rest), length)
        return [*document[:step], item, *document[step + 1 :]]
    if rest:
        return {**document, step: _cut(document[step], tuple(rest), length)}
    return {**document, step: document[step][:length]}
