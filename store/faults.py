"""Turns faults of the database into errors that tell a person what to do.

So it does with the noes of functions that hold a rule in the database.

PostgreSQL sorts its errors into classes: the first two characters of a SQLSTATE. Only a few classes
are about settings that a person may correct. The others say that the server cannot do it now.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from domain.errors import (
    Conflict,
    IllegalTransition,
    InvalidInput,
    NotFound,
    OrderloomError,
    Refused,
    Unreachable,
)
from store.database import DatabaseFault

_NOT_PREPARED: Final = frozenset({"42P01", "42703", "42883", "3F000"})
"""No such table, column, function or schema."""

_NO_RIGHT: Final = "42501"

_UNABLE: Final = frozenset(
    {
        "08",  # The connection broke.
        "25",  # Read-only: a standby, or a server that was made read-only.
        "40",  # A deadlock.
        "53",  # Disk full, out of memory, too many connections.
        "54",  # A limit of the server.
        "55",  # Locked or in use.
        "57",  # Starting, stopping, or cancelled by an administrator.
        "58",  # An error of the operating system.
        "F0",  # The server's own configuration.
        "XX",  # A fault inside the server, or damaged data.
    }
)
"""Classes of errors that no setting can mend: the server is away, or cannot do it now."""


_OF_A_VALUE: Final = ("22", "23")
"""A number that is too large, a text that is no date, and so on; or a rule of its table says no."""

_REFUSAL: Final = "ORDER"
"""What `refuse` raises (schema/routines/kernel.sql): the error's kind is its detail.

Its hint is the reason's code and what can be asked for instead, with blanks between them.
"""

_KINDS: Final = {error.kind: error for error in (Conflict, IllegalTransition, NotFound, Refused)}


class NotPrepared(InvalidInput):
    """The database lacks a part of the schema that this version needs."""


def unable(fault: BaseException) -> bool:
    """Whether the server does not answer or cannot do its work, with all settings correct."""
    code = getattr(fault, "sqlstate", None)
    if code is None:
        return isinstance(fault, OSError)
    return str(code)[:2] in _UNABLE


def is_of_a_value(fault: BaseException) -> bool:
    """Whether a value among those that were read is wrong, and the server does its work."""
    # The driver itself refuses what no statement could hold.
    is_refused = isinstance(fault, ValueError)
    return is_refused or str(getattr(fault, "sqlstate", None) or "").startswith(_OF_A_VALUE)


def said(fault: BaseException) -> str:
    """What it says. As a string, a fault of the server tells its detail and a hint, too."""
    message = fault.args[0] if getattr(fault, "sqlstate", None) else fault
    return str(message) or type(fault).__name__


def explained(fault: BaseException) -> OrderloomError:
    """The fault of an open connection as an error that tells a person what to do."""
    code = getattr(fault, "sqlstate", None)
    if code in _NOT_PREPARED:
        return NotPrepared(
            "is not prepared for this version: run `orderloom setup`", where="the database"
        )
    if code == _NO_RIGHT:
        return InvalidInput(f"{said(fault)}: use an account that may", where="DATABASE_URL")
    if isinstance(fault, TimeoutError):
        reason = "does not answer in time"
    elif code is None or str(code).startswith("08"):
        reason = f"does not answer ({said(fault)})"
    else:
        reason = f"cannot do this now ({said(fault)})"
    return Unreachable(
        f"the database {reason}; what was not confirmed may or may not be done: "
        "repeat the command when it answers"
    )


@contextmanager
def database_faults() -> Iterator[None]:
    """Raise each fault of the database as an error of Orderloom."""
    try:
        yield
    except DatabaseFault as fault:
        raise explained(fault) from fault


@contextmanager
def refusals() -> Iterator[None]:
    """Raise the no of a function of the database as the error of its kind, with its message."""
    try:
        yield
    except DatabaseFault as fault:
        if getattr(fault, "sqlstate", None) != _REFUSAL:
            raise
        reason, *instead = (getattr(fault, "hint", None) or "").split(" ")
        kind = _KINDS[getattr(fault, "detail", "")]
        raise kind(said(fault), reason=reason, instead=instead) from None
