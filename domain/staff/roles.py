"""Roles of people: each is a set of the scopes that keys have, too."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final, Literal, get_args

from domain.access.keys import SCOPES, Scope, forbidden

Role = Literal["admin", "lead", "agent", "accountant", "buyer", "warehouse"]
ROLES: Final[tuple[Role, ...]] = get_args(Role)
"""Who may grant the most comes first."""

ADMIN: Final[Role] = "admin"
"""Who lets others in."""

_AGENT: Final[tuple[Scope, ...]] = (
    *("orders:read", "orders:write", "aftersales:read", "aftersales:write"),
    *("payments:read", "payments:write", "customers:read", "customers:write"),
    *("operations:read", "operations:write", "warehouse:read", "carriers:read", "events:read"),
    *("stock:read", "catalogue:read", "locations:read", "sellers:read"),
)
MAY: Final[Mapping[Role, frozenset[Scope]]] = {
    "admin": frozenset(SCOPES),
    "lead": frozenset(
        {
            *_AGENT,
            *("carriers:write", "purchasing:read", "purchasing:write"),
            *("accounting:read", "reconciliation:read"),
        }
    ),
    "agent": frozenset(_AGENT),
    "accountant": frozenset(
        {
            *("accounting:read", "accounting:write", "reconciliation:read", "reconciliation:write"),
            *("payments:read", "payments:write", "orders:read", "aftersales:read"),
            *("customers:read", "purchasing:read", "sellers:read", "operations:read"),
        }
    ),
    "buyer": frozenset(
        {
            *("purchasing:read", "purchasing:write", "stock:read", "stock:write"),
            *("catalogue:read", "catalogue:write", "locations:read", "sellers:read"),
            *("orders:read", "operations:read"),
        }
    ),
    "warehouse": frozenset(
        {
            *("warehouse:read", "warehouse:write", "stock:read", "stock:write"),
            *("orders:read", "aftersales:read", "aftersales:write", "purchasing:read"),
            *("carriers:read", "catalogue:read", "locations:read"),
        }
    ),
}
"""What each role may. Goodwill has limits of its own: those of the policy, by the role's name.

Whoever receives goods writes about stock, and does not buy.
"""

OF_THE_WHOLE_SHOP: Final[frozenset[Scope]] = frozenset(
    {
        *("access:read", "access:write", "sellers:write", "events:write"),
        *("accounting:write", "reconciliation:write"),
    }
)
"""What no location has of its own: somebody for some locations only may not do it."""


def scopes_of(
    roles: Iterable[Role],
    channels: Iterable[str] | None = None,
    sellers: Iterable[str] | None = None,
    locations: Iterable[str] | None = None,
) -> frozenset[Scope]:
    """What these roles may together, but for what somebody with these limits may not."""
    together = frozenset[Scope]().union(*(MAY[role] for role in roles))
    without = frozenset() if locations is None else OF_THE_WHOLE_SHOP
    return together - frozenset(forbidden(together, channels, sellers)) - without


def first_of(roles: Iterable[Role]) -> Role:
    """The role in which somebody with several of them grants goodwill: the one that may most."""
    held = set(roles)
    return next(role for role in ROLES if role in held)
