"""The connection of a channel with the shop that sends its orders."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Final, Self

from pydantic import BaseModel, ConfigDict, Field, SecretStr, StringConstraints, model_validator

from domain.fields import Document, Flag, Printable, Service, Shape, Sku, inconsistent
from domain.orders.providers import ELSEWHERE, ProviderName
from domain.sellers import Code
from domain.shops.access import ShopAccess, ShopKind
from domain.standard_webhooks import WHSEC, is_secret

SECRETS_MAX: Final = 3

TrackingUrl = Annotated[
    str,
    StringConstraints(strip_whitespace=True, max_length=500),
    Shape(r"^https://[^\s]+$", "an https address without spaces, with {number} in it"),
]


class ShopOptions(Document):
    """How the orders of a shop are read. `skus` and `services`: its names → ours."""

    paid: Flag = True
    """Orders come paid: the money is with the shop. If not, `provider` is asked for it."""
    provider: ProviderName | None = None
    skus: Annotated[Mapping[Printable, Sku], Field(max_length=100_000)] = {}
    services: Annotated[Mapping[Printable, Service], Field(max_length=200)] = {}
    tell_fulfilments: Flag = True
    """Where there is access: parcels that were handed over are told there."""
    tell_stock: Flag = False
    """Where there is access: stock levels there are set to what is available here."""
    refund_there: Flag = True
    """Where there is access: refunds of orders that came paid are made there. If not, by hand."""
    stock_every_s: Annotated[int, Field(ge=5, le=86_400)] = 60
    """Stock levels are told this often at most, in seconds."""
    stock_location: Printable | None = None
    """Shopify: the id of its location that levels are told of. None: its primary one."""
    notify: Flag = True
    """The shop writes to its customer when it is told of a parcel."""
    carriers: Annotated[Mapping[Printable, Printable], Field(max_length=200)] = {}
    """Our carrier → the name that the shop knows."""
    tracking_urls: Annotated[Mapping[Printable, TrackingUrl], Field(max_length=200)] = {}
    """Our carrier → where its parcels are followed; `{number}` stands for the number."""

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
    access: ShopAccess | None = None
    """How the shop is asked and told. None: it is not; only its messages are taken."""

    @model_validator(mode="after")
    def _usable(self) -> Self:
        for number, secret in enumerate(self.secrets):
            text = secret.get_secret_value()
            where = f"secrets[{number}]"
            if not 8 <= len(text) <= 200 or not text.isascii() or not text.isprintable():
                raise inconsistent(where, "must have 8 to 200 printable ASCII characters")
            if self.kind == "generic" and not is_secret(text):
                raise inconsistent(where, f"must be {WHSEC} and then base64 of 24 to 64 bytes")
        if self.access is not None and (fault := self.access.fault_for(self.kind)):
            raise inconsistent("access", fault)
        return self


class ShopContact(BaseModel):
    """How a shop answers when it is asked.

    `asked_at`: when it last was, whatever came of it. `answered_at`: when it last did.
    `not_answering_since`: None: it answers. `next_try_at`: until then it is left alone, unless
    somebody wants it to be checked. `read_upto`: up to where its changes were read, by its
    own clock. `check_wanted_at`: None: nobody waits for a check. `rights`: what it said of our
    access when that was checked, at `checked_at`.
    `to_tell`: parcels that it was not told of yet. `refused`: parcels and SKUs that it refused.
    """

    model_config = ConfigDict(frozen=True)

    address: str
    asked_at: datetime | None
    answered_at: datetime | None
    not_answering_since: datetime | None
    error: str | None
    next_try_at: datetime | None
    read_upto: datetime | None
    check_wanted_at: datetime | None
    checked_at: datetime | None
    rights: tuple[str, ...]
    to_tell: int
    refused: int


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
    contact: ShopContact | None = None
    """None: there is no access, so the shop is neither asked nor told."""
