"""What a company's events are read with: each company has a reader, and all give the same news."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias, TypeVar

from pydantic import BaseModel, ValidationError

from domain.errors import InvalidInput
from domain.payments.provider_events import News

EventReader: TypeAlias = Callable[[Mapping[str, Any]], News | None]
"""An event's body → what it says, or None where it is about nothing that matters here.

Raises InvalidInput where it should say something and does not.
"""

Model = TypeVar("Model", bound=BaseModel)


def read_as(model: type[Model], content: Any, *, where: str) -> Model:
    """Part of an event. Raises InvalidInput that names the fields at fault, not their content."""
    try:
        return model.model_validate(content)
    except ValidationError as error:
        faults = [
            f"{'.'.join(str(part) for part in fault['loc'])}: {fault['msg']}"
            for fault in error.errors()
        ]
        raise InvalidInput("; ".join(faults), where=where) from None
