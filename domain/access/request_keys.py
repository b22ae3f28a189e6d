"""The key by which a program says that two requests are one: the Idempotency-Key of HTTP.

https://datatracker.ietf.org/doc/draft-ietf-httpapi-idempotency-key-header/
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from typing import Final

from domain.errors import Conflict

KEY_LENGTH_MAX: Final = 255


class KeyReused(Conflict):
    """The key of a request was used before, with other content."""

    kind = "key_reused"


@dataclass(frozen=True, slots=True)
class RequestKey:
    """A request by the key that its sender gave it. It is unique for an API key and a path.

    `key_id`: of the API key, or `staff:` and the login of somebody at a screen. `digest`: of the
    content, which tells a repeat from another request.
    """

    key_id: str
    path: str
    key: str
    digest: str

    @property
    def request_id(self) -> str:
        """The id under which a request to an order, or a change of stock, is done once."""
        whole = f"{self.key_id}\n{self.path}\n{self.key}"
        return f"api-{sha256(whole.encode()).hexdigest()[:40]}"

    def check_same(self, digest: str) -> None:
        """Raises KeyReused where this was the digest of the first request with this key."""
        if digest != self.digest:
            raise KeyReused(
                f"the key {self.key!r} was used before for this path, with other content: give "
                "each request a key of its own, and the same one to its repeats alone"
            )
