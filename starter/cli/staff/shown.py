"""People, for a terminal and as JSON."""

from __future__ import annotations

from typing import Any

from domain.staff.people import Staff
from starter.cli.terminal.output import Output, local
from starter.service.staff import NewStaff

_ONCE = (
    "This password is shown once, and is to be changed at the first sign-in: give it to {name} now."
)


def show_new(made: NewStaff, out: Output) -> None:
    """A person with the password that nobody can ask again."""
    password = made.password.get_secret_value()
    if out.as_json:
        out.document({"staff": wire(made.staff), "password": password})
        return
    out.say(password)
    out.say(_ONCE.format(name=made.staff.name))
    _show(made.staff, out)


def show_one(found: Staff, out: Output) -> None:
    """A person: all but the password."""
    if out.as_json:
        out.document(wire(found))
    else:
        _show(found, out)


def _show(one: Staff, out: Output) -> None:
    out.say(f"{one.login}: {one.name}, {one.state}")
    for name, value in (
        ("roles", ", ".join(one.roles)),
        ("only for", only_for(one)),
        ("mail", one.email or ""),
        ("time zone", one.time_zone or ""),
        ("signs in by", ", ".join(one.signs_in_by)),
        ("open sessions", str(one.sessions)),
        ("made", f"{local(one.made_at)}, by {one.made_by}"),
        ("last seen", local(one.last_seen_at) or "never"),
        ("disabled", f"{local(one.disabled_at)}, by {one.disabled_by}" if one.disabled_at else ""),
    ):
        if value:
            out.say(f"  {name}: {value}")


def only_for(one: Staff) -> str:
    """What a person is limited to; "" where that is nothing."""
    parts = (
        ("channel", one.channels),
        ("seller", one.sellers),
        ("location", one.locations),
    )
    return "; ".join(f"{what} {', '.join(codes)}" for what, codes in parts if codes)


def wire(one: Staff) -> dict[str, Any]:
    """A person as JSON."""
    told: dict[str, Any] = one.model_dump(mode="json")
    return told
