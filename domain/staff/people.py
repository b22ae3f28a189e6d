"""A person as wanted, as known, and as they come in."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Final, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
)

from domain.access.keys import OF_ORDERS_DOCUMENTS, WHO_MAX, Grant, Scope
from domain.calendars import TimeZone
from domain.fields import READABLE, Document, Email, Id, Shape, wrong
from domain.sellers import Language
from domain.staff.roles import ADMIN, ROLES, Role, first_of, scopes_of

LOGIN_PATTERN: Final = r"^[a-z0-9][a-z0-9._@+-]*$"
_NAMED_MAX: Final = 100
_REQUESTS_A_MINUTE: Final = 600


def _free(login: str) -> str:
    if login == "new":
        raise wrong("must be another one than 'new': the screens have a page of this name")
    return login


Login = Annotated[
    str,
    StringConstraints(strip_whitespace=True, to_lower=True, min_length=1, max_length=60),
    Shape(LOGIN_PATTERN, "letters, digits and . _ @ + -, with a letter or digit first"),
    AfterValidator(_free),
]


def _role(value: Any) -> Any:
    if value not in ROLES:
        raise wrong(f"must be one of {', '.join(ROLES)}")
    return value


PersonName = Annotated[str, StringConstraints(min_length=1, max_length=60), *READABLE]
Some = Annotated[tuple[Id, ...] | None, Field(min_length=1, max_length=_NAMED_MAX)]
Roles = Annotated[tuple[Annotated[Role, BeforeValidator(_role)], ...], Field(min_length=1)]


class StaffChange(Document):
    """What is to be different of a person; what is left out stays."""

    name: PersonName | None = None
    roles: Roles | None = None
    email: Email | None = None
    channels: Some = None
    sellers: Some = None
    locations: Some = None
    language: Language | None = None
    time_zone: TimeZone | None = None


class StaffRequest(Document):
    """A person who is to sign in.

    Left out: `channels`, `sellers` and `locations` are not limited. `email`: under which their
    OpenID Connect provider knows them; without it they sign in by their password alone.
    """

    login: Login
    name: PersonName
    roles: Roles
    email: Email | None = None
    channels: Some = None
    sellers: Some = None
    locations: Some = None
    language: Language | None = None
    time_zone: TimeZone | None = None

    @property
    def limits(self) -> tuple[tuple[str, ...] | None, ...]:
        """For which channels, sellers and locations they are; None: all of them."""
        return self.channels, self.sellers, self.locations

    def changed(self, change: StaffChange) -> Self:
        """The same person with what is to be different. A null of `change` that is said counts."""
        said = {name: getattr(change, name) for name in change.model_fields_set}
        return type(self).model_validate({**self.model_dump(), **said})


class Staff(BaseModel):
    """A person as they are known: all but the password.

    `signs_in_by`: what they have. `sessions`: how many are open.
    """

    model_config = ConfigDict(frozen=True)

    login: str
    name: str
    state: Literal["active", "disabled"]
    roles: tuple[Role, ...]
    scopes: tuple[Scope, ...]
    email: str | None
    channels: tuple[str, ...] | None
    sellers: tuple[str, ...] | None
    locations: tuple[str, ...] | None
    language: Language | None
    time_zone: str | None
    signs_in_by: tuple[Literal["password", "openid"], ...]
    sessions: int
    made_at: datetime
    made_by: str
    last_seen_at: datetime | None
    disabled_at: datetime | None
    disabled_by: str | None

    def grant(self) -> Grant:
        """What they may, where they may come in."""
        return grant_of(
            self.login,
            self.name,
            self.roles,
            _set(self.channels),
            _set(self.sellers),
            _set(self.locations),
        )

    def wanted(self) -> StaffRequest:
        """As it would be asked for anew."""
        return StaffRequest.model_validate(self.model_dump(include=set(StaffRequest.model_fields)))


@dataclass(frozen=True)
class Person:
    """Somebody who is signed in. `locations`: None: all. `single_keys`: letters are commands.

    `time_zone`: in which they read moments; None: UTC. `must_change`: their password was made by
    somebody else, and is to be replaced first.
    """

    login: str
    name: str
    roles: tuple[Role, ...]
    locations: frozenset[str] | None
    language: Language | None
    time_zone: str | None
    single_keys: bool
    must_change: bool
    session_no: int
    grant: Grant

    @property
    def who(self) -> str:
        """Who did something, for an order's story: `Anna Kim (anna)`."""
        mark = f" ({self.login})"
        room = WHO_MAX - len(mark)
        name = self.name if len(self.name) <= room else f"{self.name[: room - 1]}…"
        return f"{name}{mark}"

    def allows(self, *scopes: Scope) -> bool:
        """Whether they have all of these scopes."""
        return all(self.grant.allows(scope) for scope in scopes)

    @property
    def reads_documents(self) -> bool:
        """Whether they may read the invoices and credit notes of orders that they see."""
        return self.allows(*OF_ORDERS_DOCUMENTS)

    @property
    def lets_in(self) -> bool:
        """Whether they may let people in: of the whole shop, or of what they are for themselves."""
        return ADMIN in self.roles

    def works_at(self, location: str) -> bool:
        """Whether the location is their business."""
        return self.locations is None or location in self.locations


def covers(mine: StaffRequest, other: StaffRequest) -> bool:
    """Whether who is `mine` may let `other` in, change them and end them.

    They have to be an admin, and the other no wider: in no channel, seller or location that is not
    theirs, and with no scope that they have not. None is all, and so within nothing but all.
    """
    is_within = all(
        limit is None or (others is not None and {*others} <= {*limit})
        for limit, others in zip(mine.limits, other.limits, strict=True)
    )
    may = scopes_of(mine.roles, *mine.limits)
    return ADMIN in mine.roles and is_within and scopes_of(other.roles, *other.limits) <= may


def grant_of(
    login: str,
    name: str,
    roles: tuple[Role, ...],
    channels: frozenset[str] | None,
    sellers: frozenset[str] | None,
    locations: frozenset[str] | None,
) -> Grant:
    """What a person may, as the doors of other programs know it."""
    return Grant(
        key_id=login,
        name=name,
        scopes=scopes_of(roles, channels, sellers, locations),
        channels=channels,
        sellers=sellers,
        per_minute=_REQUESTS_A_MINUTE,
        expires_at=None,
        role=first_of(roles),
    )


def _set(named: tuple[str, ...] | None) -> frozenset[str] | None:
    return None if named is None else frozenset(named)
