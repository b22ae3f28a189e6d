"""The parts of the set-up, and what its forms are made of."""

from __future__ import annotations

from typing import Any, Final

from starlette.responses import Response

from starter.web.screens.rooms import Place
from starter.web.screens.sections import show_in
from starter.web.screens.visits import Visit

SECTIONS: Final = (
    Place("app/setup/sellers", "sellers", "sellers:read"),
    Place("app/setup/channels", "channels", "sellers:read"),
    Place("app/setup/locations", "locations", "locations:read"),
    Place("app/setup/rules", "hold_rules", "sellers:read"),
    Place("app/setup/policy", "policy", "sellers:read"),
    Place("app/setup/templates", "templates", "sellers:read"),
    Place("app/setup/events", "subscriptions", "events:read"),
    Place("app/setup/keys", "keys", "access:read"),
    Place("app/staff", "staff", "access:read"),
    Place("app/setup/roles", "roles_and_scopes", "access:read"),
    Place("app/setup/extensions", "extensions", "operations:read"),
)


def show(visit: Visit, name: str, **values: Any) -> Response:
    """A page of the set-up, such as keys."""
    return show_in(visit, SECTIONS, f"setup/{name}", **values)
