"""How a shop is reached: its address, and what opens it to us."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, SecretStr, StringConstraints

from domain.fields import Document, Shape

ShopKind = Literal["shopify", "woocommerce", "generic"]

Address = Annotated[
    str,
    StringConstraints(strip_whitespace=True, max_length=300),
    Shape(
        r"^https?://[A-Za-z0-9.:\[\]-]+(/[A-Za-z0-9._~/-]*)?$",
        "the shop's address, such as https://shop.example, without a password or a query in it",
    ),
]
Part = Annotated[SecretStr, Field(min_length=8, max_length=300)]


class ShopAccess(Document):
    """Shopify takes a `token`; WooCommerce a `key` and its `secret`."""

    address: Address
    token: Part | None = None
    key: Part | None = None
    secret: Part | None = None

    def fault_for(self, kind: ShopKind) -> str:
        """What is wrong with it for a shop of this kind; empty: nothing is."""
        if kind == "generic":
            return "is of shops that can be asked; a generic one cannot"
        parts = {"token": self.token, "key": self.key, "secret": self.secret}
        wanted = {"token"} if kind == "shopify" else {"key", "secret"}
        if {name for name, value in parts.items() if value is not None} != wanted:
            return f"of a {kind} shop needs {' and '.join(sorted(wanted))}, and nothing else"
        if not all(_is_plain(text) for text in self.credentials):
            return "must be of printable ASCII characters without spaces"
        return ""

    @property
    def credentials(self) -> tuple[str, ...]:
        """The token; or the key and its secret."""
        parts = (self.token, self.key, self.secret)
        return tuple(part.get_secret_value() for part in parts if part is not None)


def _is_plain(text: str) -> bool:
    return text.isascii() and text.isprintable() and " " not in text
