"""A key as it is wanted, and as it is known once it is made."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated, Any, Final, Literal, Self, get_args

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    model_validator,
)

from domain.access.keys import SCOPES, Capability, Grant, Scope, forbidden
from domain.errors import Refused
from domain.fields import READABLE, Document, Id, Instant, inconsistent, wrong

PER_MINUTE: Final = 600
PER_MINUTE_MAX: Final = 100_000
"""Requests that a key may make in a minute."""

OLD_SECRET_ENDS_IN: Final = timedelta(hours=24)
OLD_SECRET_ENDS_IN_MAX: Final = timedelta(days=90)
"""After a rotation, the old secret works for so long."""

OLD_SECRETS_MAX: Final = 4
"""So many old secrets of a key may work at once: each request compares with all of them."""

_NAMED_MAX: Final = 100


Written = Literal[Scope, "all:read", "all:write"]


def _written(value: Any) -> Any:
    if value not in get_args(Written):
        raise wrong(
            "must be a capability and what to do with it, such as orders:read, or all:read or "
            f"all:write; the capabilities are {', '.join(get_args(Capability))}"
        )
    return value


KeyName = Annotated[str, StringConstraints(min_length=1, max_length=60), *READABLE]
_Some = Annotated[tuple[Id, ...] | None, Field(min_length=1, max_length=_NAMED_MAX)]


class KeyRequest(Document):
    """What is wanted of a new key.

    Left out or null: `channels` and `sellers` are not limited, and it never expires. `all:read` and
    `all:write` stand for that scope of each capability.
    """

    name: KeyName
    """The program that has it, for people to read."""
    scopes: Annotated[
        tuple[Annotated[Written, BeforeValidator(_written)], ...], Field(min_length=1)
    ]
    channels: _Some = None
    sellers: _Some = None
    per_minute: Annotated[int, Field(ge=1, le=PER_MINUTE_MAX)] = PER_MINUTE
    expires_at: Instant | None = None
    role: Id | None = None
    """In which role its requests are made, where a policy has limits for roles."""

    @model_validator(mode="after")
    def _fits_its_restriction(self) -> Self:
        restricted = self.channels, self.sellers
        refused = forbidden(self.may, *restricted)
        if refused:
            none_of_these = forbidden(SCOPES, *restricted)
            allowed = [one for one in SCOPES if one not in none_of_these]
            raise inconsistent(
                "scopes",
                f"a key for some {'sellers' if self.channels is None else 'channels'} may not have "
                f"{', '.join(refused)}; it may have {', '.join(allowed)}",
            )
        return self

    @property
    def may(self) -> frozenset[Scope]:
        """Its scopes, each of them."""
        return frozenset(
            one
            for one in SCOPES
            if one in self.scopes or f"all:{one.partition(':')[2]}" in self.scopes
        )

    def grant(self, key_id: str) -> Grant:
        """What the key will grant."""
        return Grant(
            key_id=key_id,
            name=self.name,
            scopes=self.may,
            channels=_set(self.channels),
            sellers=_set(self.sellers),
            per_minute=self.per_minute,
            expires_at=self.expires_at,
            role=self.role,
        )


class ApiKey(BaseModel):
    """A key as it is known: all but its secrets.

    `old_secrets_end_at`: when each secret ends that was replaced and still works.
    """

    model_config = ConfigDict(frozen=True)

    key_id: str
    name: str
    state: Literal["live", "expired", "revoked"]
    scopes: tuple[Scope, ...]
    channels: tuple[str, ...] | None
    sellers: tuple[str, ...] | None
    per_minute: int
    made_at: datetime
    made_by: str
    expires_at: datetime | None
    last_used_at: datetime | None
    """To the minute."""
    revoked_at: datetime | None
    revoked_by: str | None
    secret_made_at: datetime
    secret_made_by: str
    old_secrets_end_at: tuple[datetime, ...]
    role: str | None

    def grant(self) -> Grant:
        """What it grants while it is live."""
        return Grant(
            key_id=self.key_id,
            name=self.name,
            scopes=frozenset(self.scopes),
            channels=_set(self.channels),
            sellers=_set(self.sellers),
            per_minute=self.per_minute,
            expires_at=self.expires_at,
            role=self.role,
        )

    def check_rotation(self, old_ends_in: timedelta) -> None:
        """Raises Refused where it cannot get another secret now."""
        if self.state != "live":
            raise Refused(f"key {self.key_id} is {self.state}: make another one")
        if old_ends_in and len(self.old_secrets_end_at) >= OLD_SECRETS_MAX:
            raise Refused(
                f"key {self.key_id} has {OLD_SECRETS_MAX} old secrets that still work, the first "
                f"until {self.old_secrets_end_at[0]:%Y-%m-%d %H:%M} UTC: wait for that, or have "
                "all of them end at once"
            )


def _set(named: tuple[str, ...] | None) -> frozenset[str] | None:
    return None if named is None else frozenset(named)
