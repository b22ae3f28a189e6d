"""The reader of a payment company's events.

Each company has its own; all return the same `News`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias, TypeVar

from pydantic import BaseModel, ValidationError

from domain.errors import InvalidInput
from domain.payments.provider_events import News

EventReader: TypeAlias = Callable[[Mapping[str, Any]], News | None]
"""Turns an event's body into news, or None when the event is of no use here.

Raises InvalidInput when the event lacks a field that it should have.
"""

Model = TypeVar("Model", bound=BaseModel)


def read_as(model: type[Model], content: Any, *, where: str) -> Model:
    """Validate a part of an event as `model`. Raises InvalidInput that names the wrong fields.

    The message never repeats the fields' content.
    """
    try:
        return model.model_validate(content)
    except ValidationError as error:
        faults = [
            f"{'.'.join(str(part) for part in fault['loc'])}: {fault['msg']}"
            for fault in error.errors()
        ]
        raise InvalidInput("; ".join(faults), where=where) from None
