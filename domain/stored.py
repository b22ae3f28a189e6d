"""Reading what was accepted once, without asking today's lists again."""

from __future__ import annotations

from typing import Any, Final, TypeVar

from pydantic import BaseModel, ValidationInfo

Model = TypeVar("Model", bound=BaseModel)

_STORED: Final = "stored"


def stored(model: type[Model], content: Any) -> Model:
    """Read what was accepted once: today's lists and shapes are not asked again.

    A currency or a country leaves its list, a holiday's law is renamed, a rule for mail addresses
    becomes stricter: what was written before stays as it is.
    """
    return model.model_validate(content, context={_STORED: True})


def is_stored(info: ValidationInfo) -> bool:
    """Whether a document is read that was accepted once. For validators that ask a list."""
    return bool(info.context and info.context.get(_STORED))
