"""The settings of messages, ORDERLOOM_MAIL__URL and the like; docs/messages.md."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Annotated, Final, Literal, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr, model_validator

from domain.errors import InvalidInput, OrderloomError
from domain.fields import Id
from domain.messages.kinds import ChannelKind, MessageKind
from domain.messages.mail import address_of
from domain.messages.texts import TEXTED
from domain.sellers import Code

PORTS: Final = {"smtp": 587, "smtps": 465}


def _check_url(url: str | None) -> str | None:
    if url is None or url.startswith("folder:"):
        return url
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        parts, port = urlsplit(""), None
    if parts.scheme not in PORTS or not parts.hostname or parts.username or port == 0:
        raise ValueError(
            "must be smtp://host:port, smtps://host:port or folder:PATH; user and password are "
            "settings of their own"
        )
    return url


def _check_sender(address: str) -> str:
    try:
        address_of(address)
    except OrderloomError as error:
        raise ValueError(str(error)) from None
    return address


Sender = Annotated[str, AfterValidator(_check_sender)]


class TextSettings(BaseModel):
    """ORDERLOOM_TEXTS__BY and the like: short texts to phones, in the place of some mails."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    by: Id | None = None
    """The extension that sends them. Without one, all messages are mails."""

    kinds: tuple[MessageKind, ...] = TEXTED
    """The kinds of messages that go so to customers who wish it."""


class MailSettings(BaseModel):
    """ORDERLOOM_MAIL__URL and the like. Without a `url` no customer is told anything."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    url: Annotated[str | None, AfterValidator(_check_url)] = None
    """smtp://host:port (with STARTTLS), smtps://host:port, or folder:PATH."""

    user: str | None = None
    password: SecretStr | None = None

    starttls: Literal["required", "offered", "never"] = "required"
    """Of smtp://. `offered`: without TLS where the server has none, for a server on this machine.
    """

    ca_file: Path | None = None
    """Whom it trusts, for a server with a certificate of its own; None: whom the machine trusts."""

    sender: Sender | None = None
    """The address that mails come from, such as orders@shop.example."""

    senders: dict[Code, Sender] = Field(default_factory=dict)
    """The same of a seller, by its code, where it has another one."""

    timeout: Annotated[timedelta, Field(ge=timedelta(seconds=1), le=timedelta(seconds=60))] = (
        timedelta(seconds=30)
    )
    """For each step that is asked of the server."""

    per_minute: Annotated[int, Field(ge=1, le=100_000)] = 120
    """Mails that all workers together hand to the server in a minute."""

    tell_within: Annotated[timedelta, Field(ge=timedelta(minutes=1))] = timedelta(hours=24)
    """Of what happened longer ago nobody is told any more."""

    old_after: Annotated[timedelta, Field(ge=timedelta(hours=1))] = timedelta(days=7)
    """An order that was placed so long before it was taken in is an old one that was imported:
    its customer is told nothing."""

    kinds: dict[ChannelKind, tuple[MessageKind, ...]] = Field(default_factory=dict)
    """What is told, by kind of channel: {"web": ["confirmed", "shipped"]}; docs/messages.md."""

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if self.url is not None and self.sender is None:
            raise ValueError("needs a sender, such as orders@shop.example")
        if (self.user is None) != (self.password is None):
            raise ValueError("needs user and password, or neither")
        return self

    def sender_for(self, seller: str) -> str:
        """The address that a seller's mails come from. Raises InvalidInput where none is set."""
        found = self.senders.get(seller, self.sender)
        if found is None:
            raise InvalidInput("is not set", where="ORDERLOOM_MAIL__SENDER")
        return found
