"""Rooms of the screens: where their templates, sentences and files are, and where people get in."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final, NamedTuple

from domain.access.keys import Scope
from domain.staff.people import Person

_NAMES: Final = ("screens", "desk", "floor", "buying", "day", "money", "setup")
ROOMS: Final = tuple(Path(__file__).parents[1] / name for name in _NAMES)
"""Each has `templates/`, shown as room/name, `words/` of each language, and may have `static/`."""


class Place(NamedTuple):
    """A place that the navigation leads to: for who has the scope; None: for who lets people in."""

    path: str
    key: str
    scope: Scope | None
    more: tuple[str, ...] = ()
    """Other addresses below which there are pages of it."""

    def holds(self, path: str) -> bool:
        """Whether the page at this address of ours is of this place."""
        return any(path == one or path.startswith(f"{one}/") for one in (self.path, *self.more))

    def is_for(self, person: Person) -> bool:
        """Whether somebody sees it."""
        return person.lets_in if self.scope is None else person.allows(self.scope)


PLACES: Final = (
    Place("app/day", "day", "orders:read"),
    Place("app/orders", "orders", "orders:read", ("app/jobs",)),
    Place("app/customers", "customers", "customers:read"),
    Place(
        *("app/stock", "stock", "stock:read"),
        more=("app/transfers", "app/kits", "app/codes", "app/baskets"),
    ),
    Place("app/purchases", "purchases", "purchasing:read", ("app/suppliers",)),
    Place("app/tasks", "tasks", "operations:read"),
    Place("app/money", "money", "accounting:read"),
    Place("app/floor", "floor", "warehouse:write"),
    Place("app/setup", "setup", "sellers:read", ("app/staff",)),
)

MONEY_PARTS: Final = (
    Place("app/money/documents", "documents", "accounting:read"),
    Place("app/money/ledger", "ledger", "accounting:read"),
    Place("app/money/balance", "balance", "accounting:read"),
    Place("app/money/taxes", "taxes", "accounting:read"),
    Place("app/money/differences", "differences", "reconciliation:read"),
    Place("app/money/disputes", "disputes", "payments:read"),
    Place("app/money/open", "open_payments", "payments:read"),
    Place("app/money/vouchers", "vouchers", "payments:read"),
    Place("app/money/credit", "credit", "payments:read"),
    Place("app/money/claims", "carrier_claims", "carriers:read"),
)
SETUP_PARTS: Final = (
    Place("app/setup/sellers", "sellers", "sellers:read"),
    Place("app/setup/channels", "channels", "sellers:read"),
    Place("app/setup/locations", "locations", "locations:read"),
    Place("app/setup/rules", "hold_rules", "sellers:read"),
    Place("app/setup/policy", "policy", "sellers:read"),
    Place("app/setup/templates", "templates", "sellers:read"),
    Place("app/setup/events", "subscriptions", "events:read"),
    Place("app/setup/keys", "keys", "access:read"),
    Place("app/staff", "staff", None),
    Place("app/setup/roles", "roles_and_scopes", None),
    Place("app/setup/extensions", "extensions", "operations:read"),
)
PARTS: Final = (
    Place("app/jobs", "jobs", "orders:read"),
    Place("app/orders/views", "views", "orders:read"),
    Place("app/day/losses", "all_losses", "accounting:read"),
    Place("app/purchases/proposals", "to_buy", "purchasing:read"),
    Place("app/suppliers", "suppliers", "purchasing:read"),
    Place("app/transfers", "transfers", "stock:read"),
    Place("app/kits", "kits", "catalogue:read"),
    Place("app/codes", "codes", "catalogue:read"),
    Place("app/baskets", "baskets", "stock:read"),
    *(*MONEY_PARTS, *SETUP_PARTS),
)
"""Pages inside of places. What they are called is `place_…`, or has the name of its key alone."""


def _letters() -> Mapping[str, str]:
    """The first letter of each that none before it has."""
    found: dict[str, str] = {}
    for place in PLACES:
        found[place.key] = next(one for one in place.key if one not in found.values())
    return found


LETTERS: Final = _letters()
"""A place's key → the letter that leads there behind a g, the same in every language."""
