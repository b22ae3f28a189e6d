"""What somebody saw before they change it: nobody goes over what others changed meanwhile."""

from __future__ import annotations

import hashlib
import json

from pydantic import BaseModel

from domain.errors import Conflict


def version_of(content: BaseModel) -> str:
    """A short text that is another one with each change of the content."""
    text = json.dumps(content.model_dump(mode="json", warnings=False), sort_keys=True)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def check_seen(now: BaseModel, seen: str | None, what: str) -> None:
    """Raises Conflict where it is another one than was seen. None: nobody says what they saw."""
    if seen is not None and seen != version_of(now):
        raise Conflict(
            f"{what} has changed since you looked: look again, and change it then",
            reason="changed_since",
        )
