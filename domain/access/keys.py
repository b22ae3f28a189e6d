"""Keys of other programs: what a key may do, and of which channels and sellers.

A key has scopes, `<capability>:read` or `<capability>:write`, and may do nothing else. To write
does not include to read. A key can be restricted to some channels, or some sellers: then it sees
what is theirs, and may do little of what belongs to nobody, such as stock.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal, get_args

from domain.errors import Refused
from domain.plain_text import one_line

Capability = Literal[
    "orders",
    "aftersales",
    "payments",
    "stock",
    "catalogue",  # items and kits
    "locations",
    "purchasing",
    "warehouse",
    "carriers",
    "customers",
    "sellers",  # sellers and channels
    "accounting",
    "reconciliation",
    "operations",  # what needs attention, the audit
    "events",  # subscriptions, and the stream
    "access",  # keys
]
Scope = Literal[
    "orders:read",
    "orders:write",
    "aftersales:read",
    "aftersales:write",
    "payments:read",
    "payments:write",
    "stock:read",
    "stock:write",
    "catalogue:read",
    "catalogue:write",
    "locations:read",
    "locations:write",
    "purchasing:read",
    "purchasing:write",
    "warehouse:read",
    "warehouse:write",
    "carriers:read",
    "carriers:write",
    "customers:read",
    "customers:write",
    "sellers:read",
    "sellers:write",
    "accounting:read",
    "accounting:write",
    "reconciliation:read",
    "reconciliation:write",
    "operations:read",
    "operations:write",
    "events:read",
    "events:write",
    "access:read",
    "access:write",
]
SCOPES: Final[tuple[Scope, ...]] = get_args(Scope)

# Whose rows a capability is about. What stands in neither of the two belongs to nobody.
OF_A_CHANNEL: Final[frozenset[Capability]] = frozenset(
    {
        *("orders", "aftersales", "payments", "warehouse", "carriers", "customers", "events"),
    }
)
OF_A_SELLER: Final[frozenset[Capability]] = frozenset({"accounting", "reconciliation"})
OF_NOBODY_ALLOWED: Final[tuple[Scope, ...]] = (
    "stock:read",
    "catalogue:read",
    "locations:read",
    "sellers:read",
)
"""Of what belongs to nobody, a restricted key may have these scopes."""

OF_ORDERS_DOCUMENTS: Final[tuple[Scope, ...]] = ("orders:read", "customers:read", "payments:read")
"""An order's invoices and credit notes say what was bought, by whom, and what was paid back."""

LEADS: Final[frozenset[str]] = frozenset({"admin", "lead"})
"""Roles that approve purchases of any amount; others up to the limit that is set for buyers.

Who has no role is one of the others.
"""

WHO_MAX: Final = 100
"""The length of who did something, as an order's story keeps it (`domain.fields.Who`)."""


class BeyondKey(Refused):
    """A key was asked for more than it may."""

    kind = "beyond_key"


@dataclass(frozen=True, slots=True)
class Grant:
    """What somebody may do who came with a key. `channels`, `sellers`: None is all of them."""

    key_id: str
    name: str
    scopes: frozenset[Scope]
    channels: frozenset[str] | None
    sellers: frozenset[str] | None
    per_minute: int
    expires_at: datetime | None
    role: str | None = None

    def allows(self, scope: Scope) -> bool:
        """Whether it has the scope. To write does not include to read."""
        return scope in self.scopes

    @property
    def is_restricted(self) -> bool:
        """Whether it is for some channels or sellers only."""
        return self.channels is not None or self.sellers is not None

    def sees(self, channel: str | None, seller: str | None) -> bool:
        """Whether something of this channel and this seller is its business.

        None: it is of no channel, or of no seller. A key that is restricted there does not see it.
        """
        return (self.channels is None or channel in self.channels) and (
            self.sellers is None or seller in self.sellers
        )

    def who(self, by: str | None) -> str:
        """Who did something, for an order's story: `anna (key 4h7k…)`; without `by`, its name."""
        mark = f" (key {self.key_id})"
        said = one_line(by or "") or self.name
        room = WHO_MAX - len(mark)
        return f"{said if len(said) <= room else f'{said[: room - 1]}…'}{mark}"

    def check_covers(self, other: Grant) -> None:
        """Raises BeyondKey where the other may more: no key makes or rotates such a key."""
        more = [one for one in SCOPES if one in other.scopes - self.scopes]
        told = [f"the scopes {', '.join(more)}"] if more else []
        if not _covers(self.channels, other.channels):
            told.append("other channels")
        if not _covers(self.sellers, other.sellers):
            told.append("other sellers")
        if other.per_minute > self.per_minute:
            told.append(f"more than {self.per_minute} requests a minute")
        if self.expires_at is not None and (
            other.expires_at is None or other.expires_at > self.expires_at
        ):
            told.append("a later end")
        if other.role != self.role and (self.role is not None or other.role in LEADS):
            told.append("another role")
        if told:
            raise BeyondKey(
                f"key {self.key_id} may not hand out more than it has itself: {', '.join(told)}; "
                "ask with a key that has it, or use `orderloom api-keys make`"
            )


def forbidden(
    scopes: Collection[Scope], channels: Iterable[str] | None, sellers: Iterable[str] | None
) -> list[Scope]:
    """The scopes that a key with this restriction may not have."""
    if channels is None and sellers is None:
        return []
    allowed = OF_A_CHANNEL if channels is not None else OF_A_CHANNEL | OF_A_SELLER
    return [
        one
        for one in SCOPES
        if one in scopes and one not in OF_NOBODY_ALLOWED and one.partition(":")[0] not in allowed
    ]


def _covers(mine: frozenset[str] | None, other: frozenset[str] | None) -> bool:
    return mine is None or (other is not None and other <= mine)
