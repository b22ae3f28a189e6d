"""The connection of a channel with the shop that sends its orders."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, SecretStr, model_validator

from domain.errors import InvalidInput
from domain.fields import Document, Flag, Printable, Service, Sku, inconsistent
from domain.orders.providers import ELSEWHERE, ProviderName
from domain.sellers import Code

ShopKind = Literal["shopify", "woocommerce", "generic"]

SECRETS_MAX: Final = 3
WHSEC: Final = "whsec_"
"""Secrets of the generic kind begin so, as Standard Webhooks has them; base64 follows."""


class ShopOptions(Document):
    """How the orders of a shop are read. `skus` and `services`: its names → ours."""

    paid: Flag = True
    """Orders come paid: the money is with the shop. If not, `provider` is asked for it."""
    provider: ProviderName | None = None
    skus: Annotated[Mapping[Printable, Sku], Field(max_length=100_000)] = {}
    services: Annotated[Mapping[Printable, Service], Field(max_length=200)] = {}

    @model_validator(mode="after")
    def _paid_somehow(self) -> Self:
        if self.paid == (self.provider is not None):
            why = (
                "is of orders that do not come paid"
                if self.paid
                else "is needed where orders do not come paid"
            )
            raise inconsistent("provider", why)
        return self

    @property
    def paid_by(self) -> str:
        """The provider of its orders."""
        return self.provider or ELSEWHERE


class NewShop(Document):
    """What somebody connects. `secrets`: those that the shop may sign with, the newest first."""

    kind: ShopKind
    secrets: Annotated[tuple[SecretStr, ...], Field(min_length=1, max_length=SECRETS_MAX)]
    options: ShopOptions = ShopOptions()

    @model_validator(mode="after")
    def _usable(self) -> Self:
        for number, secret in enumerate(self.secrets):
            text = secret.get_secret_value()
            where = f"secrets[{number}]"
            if not 8 <= len(text) <= 200 or not text.isascii() or not text.isprintable():
                raise inconsistent(where, "must have 8 to 200 printable ASCII characters")
            if self.kind == "generic" and not _is_whsec(text):
                raise inconsistent(where, f"must be {WHSEC} and then base64 of 24 to 64 bytes")
        return self


class Shop(BaseModel):
    """A channel's connection as it stands, without its secrets."""

    model_config = ConfigDict(frozen=True)

    channel: Code
    kind: ShopKind
    secrets: int
    """How many there are."""
    options: ShopOptions
    connected_by: str
    connected_at: datetime
    last_message_at: datetime | None
    waiting: int
    """Messages that are not worked through."""


def key_bytes(secret: str) -> bytes:
    """The bytes of a secret of the generic kind. Raises InvalidInput."""
    try:
        return base64.b64decode(secret.removeprefix(WHSEC), validate=True)
    except (ValueError, binascii.Error):
        raise InvalidInput("is not base64", where="secret") from None


def _is_whsec(text: str) -> bool:
    try:
        return text.startswith(WHSEC) and 24 <= len(key_bytes(text)) <= 64
    except InvalidInput:
        return False
