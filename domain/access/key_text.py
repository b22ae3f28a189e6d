"""The text of a key: `olk_`, the key's id, `_`, and a secret.

What is kept of a secret is its SHA-256. A password needs a slow hash, because people choose words
that can be guessed; a secret here has 256 random bits, and nobody tries so many, however fast.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

ID_LETTERS: Final = "abcdefghijklmnopqrstuvwxyz0123456789"
ID_LENGTH: Final = 12
SECRET_LETTERS: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
SECRET_LENGTH: Final = 43
"""62 letters and digits to the power of 43 are more than 2 to the power of 256."""

_ID: Final = re.compile(rf"[a-z0-9]{{{ID_LENGTH}}}")
_TEXT: Final = re.compile(
    rf"olk_([a-z0-9]{{{ID_LENGTH}}})_([A-Za-z0-9]{{{SECRET_LENGTH}}})", re.ASCII
)


@dataclass(frozen=True)
class KeyText:
    """A key's id and one of its secrets. It never shows the secret by itself."""

    key_id: str
    secret: str = field(repr=False)

    def whole(self) -> str:
        """The text that a program sends."""
        return f"olk_{self.key_id}_{self.secret}"

    def digest(self) -> bytes:
        """What is kept of the secret: its SHA-256."""
        return hashlib.sha256(self.secret.encode("ascii")).digest()

    def is_one_of(self, digests: Iterable[bytes]) -> bool:
        """Whether one of these is of its secret. Which one, and how nearly, takes no other time."""
        mine = self.digest()
        return sum(hmac.compare_digest(mine, one) for one in digests) > 0


def parse(text: str) -> KeyText | None:
    """Read what a program sent. None if it is no key's text, whatever it is."""
    found = _TEXT.fullmatch(text)
    return None if found is None else KeyText(found[1], found[2])


def is_key_id(text: str) -> bool:
    """Whether it looks as the ids of keys do."""
    return _ID.fullmatch(text) is not None
