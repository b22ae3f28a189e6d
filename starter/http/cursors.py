"""Cursors: where the next page of a list begins, as a text that only this door can make.

A cursor holds the place of the last row of a page, never a row's number: pages stay in step while
rows come and go, and the last page costs what the first one does.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

from domain.errors import InvalidInput


class Cursors:
    """Makes and reads cursors. `secret`: the same for all programs that serve one database."""

    def __init__(self, secret: bytes) -> None:
        self._secret = secret

    def after(self, place: Sequence[Any], asked: Mapping[str, Any]) -> str:
        """The cursor behind a row. `asked`: the list's name and its filters, which must stay."""
        content = json.dumps([_digest(asked), *place], default=str).encode()
        return _text(self._sign(content) + content)

    def place(self, cursor: str, asked: Mapping[str, Any], *, where: str = "cursor") -> list[Any]:
        """The place of a row, as it was given. Raises InvalidInput for what is no such cursor."""
        try:
            whole = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
            signature, content = whole[:_SIGNED], whole[_SIGNED:]
            if not hmac.compare_digest(signature, self._sign(content)):
                raise ValueError
            digest, *place = json.loads(content)
        except ValueError:
            raise InvalidInput(
                "is not one that was given here, or was cut off", where="cursor"
            ) from None
        if digest != _digest(asked):
            raise InvalidInput(
                "belongs to a list with other filters: begin that list without a cursor",
                where="cursor",
            )
        return list(place)

    def _sign(self, content: bytes) -> bytes:
        return hmac.digest(self._secret, content, "sha256")[:_SIGNED]


_SIGNED: Final = 16


def _digest(asked: Mapping[str, Any]) -> str:
    given = {name: value for name, value in asked.items() if value is not None}
    text = json.dumps(given, default=str, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def _text(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()
