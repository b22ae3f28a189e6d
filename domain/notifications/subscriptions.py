"""Subscriptions: who is told of which events, and where."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Final, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    StringConstraints,
    ValidationError,
    model_validator,
)
from pydantic_core import Url

from domain.fields import READABLE, Document, inconsistent, wrong
from domain.notifications.event_types import EventType
from domain.sellers import Code

URL_CHARACTERS_MAX: Final = 2000


def _address(text: str) -> str:
    try:
        url = Url(text)
    except (ValidationError, ValueError):
        raise wrong("must be an address such as https://shop.example/orderloom") from None
    if url.scheme not in ("https", "http") or not url.host:
        raise wrong("must be an address such as https://shop.example/orderloom")
    if url.username or url.password:
        raise wrong("must not hold a user or a password: messages are signed")
    if url.fragment is not None:
        raise wrong("must not have a part after #")
    if not text.isascii() or not text.isprintable() or " " in text:
        raise wrong("must be written in ASCII, without spaces")
    return text


Address = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=URL_CHARACTERS_MAX),
    AfterValidator(_address),
]
Types = Annotated[tuple[EventType, ...], Field(min_length=1)]
Codes = Annotated[tuple[Code, ...], Field(min_length=1)]
Description = Annotated[str, StringConstraints(min_length=1, max_length=200), *READABLE]

State = Literal["active", "paused", "disabled"]


class NewSubscription(Document):
    """What somebody wants to be told. Left out or null: all types, all channels, all sellers.

    All types are those about orders. What is about customers is told to those who name its types,
    and not together with channels or sellers.
    """

    url: Address
    types: Types | None = None
    channels: Codes | None = None
    sellers: Codes | None = None
    description: Description | None = None


class SubscriptionChange(Document):
    """What is to be changed; what is left out stays. Null types, channels or sellers: all."""

    url: Address | None = None
    types: Types | None = None
    channels: Codes | None = None
    sellers: Codes | None = None
    description: Description | None = None
    state: Literal["active", "paused"] | None = None

    @model_validator(mode="after")
    def _changes_something(self) -> Self:
        if not self.model_fields_set:
            raise wrong("says nothing that is to be changed")
        for name in ("url", "state"):
            if name in self.model_fields_set and getattr(self, name) is None:
                raise inconsistent(name, "cannot be null; leave it out, and it stays as it is")
        return self

    @property
    def changed(self) -> dict[str, Any]:
        """What is given, by field."""
        return {name: getattr(self, name) for name in self.model_fields_set}


class Subscription(BaseModel):
    """A subscription, without its secrets, which are shown when they are made and never again.

    `why`: why it is not active. `position`: events up to here were sent, are tried again, or are
    not for it. `retried`: events that are tried again or wait for such a one of their order.
    `failing_since`: since then nothing was taken. `rests_until`: nothing is sent before.
    """

    model_config = ConfigDict(frozen=True)

    subscription_id: str
    url: str
    types: tuple[str, ...] | None
    channels: tuple[str, ...] | None
    sellers: tuple[str, ...] | None
    description: str | None
    state: State
    why: str | None
    made_by: str
    made_at: datetime
    secrets: int
    position: int
    retried: int
    dead: int
    failing_since: datetime | None
    rests_until: datetime | None


class MadeSubscription(BaseModel):
    """A new subscription, with the secret that its messages are signed with."""

    model_config = ConfigDict(frozen=True)

    subscription: Subscription
    secret: SecretStr


class Attempt(BaseModel):
    """One attempt to deliver. `status`: of HTTP; None: no answer came, and `error` says why not.

    `answer`: the beginning of an answer that was no success.
    """

    model_config = ConfigDict(frozen=True)

    attempt_id: int
    subscription_id: str
    message_id: str
    type: str
    position: int | None
    order_id: str | None
    customer_id: str | None
    delivered: bool
    status: int | None
    took_ms: int
    error: str | None
    answer: str | None
    at: datetime


class OpenDelivery(BaseModel):
    """An event that was not delivered at once. `waiting`: for an earlier one of its order.

    `dead`: it is not tried again by itself.
    """

    model_config = ConfigDict(frozen=True)

    delivery_id: int
    subscription_id: str
    type: str
    position: int
    order_id: str | None
    customer_id: str | None
    at: datetime
    state: Literal["waiting", "retrying", "resending", "dead"]
    tries: int
    next_at: datetime | None
    last_error: str | None


class Replay(BaseModel):
    """Events are sent again, from this position on, which is the first that is kept and wanted."""

    model_config = ConfigDict(frozen=True)

    subscription_id: str
    from_position: int
    events: int
    """So many are kept from there on, of all types, channels and sellers."""
